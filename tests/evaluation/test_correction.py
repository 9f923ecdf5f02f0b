"""The two-round correction: which frame is corrected, what is scored, and that fusion is the program's own."""
from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from evaluation.correction import Outcome, find_clips, main, overall
from model.fusion_net import FusionNet
from storage.mask_io import write_mask
from tests.synthetic import make_synthetic_video

FRAMES, SWAPPED = 6, 4


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sequence in the DAVIS layout.

    Object 3 of the truth comes later than the first frame; on frame `SWAPPED` objects 1 and 2 have changed names, so
    that a network that follows them is wrong there.
    """
    root = tmp_path_factory.mktemp("clips")
    video = make_synthetic_video()
    images, masks = root / "JPEGImages" / "480p" / "shapes", root / "Annotations" / "480p" / "shapes"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for number in range(FRAMES):
        cv2.imwrite(str(images / f"{number:05d}.jpg"), video.frames[number][..., ::-1])
        mask = video.masks[number].copy()
        if number == 0:
            mask[mask == 3] = 0
        if number == SWAPPED:
            mask = np.array([0, 2, 1, 3], np.uint8)[mask]
        write_mask(masks / f"{number:05d}.png", mask)
    return root


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fusion network that sees no object anywhere."""
    fusion = FusionNet()
    with torch.no_grad():
        fusion.final_conv.weight.zero_()
        fusion.final_conv.bias.fill_(-9)
    path = tmp_path_factory.mktemp("weights") / "fusion.safetensors"
    save_file(fusion.state_dict(), path)
    return path


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tensors are not worth more, and other tests find what they expect."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)


def run(clips: Path, fusion: Path, *more: str) -> int:
    return main(["--clips", str(clips), "--fusion_model", str(fusion), *more])


def test_table_of_all_choices(clips: Path, blind: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.csv"
    assert run(clips, blind, "--csv", str(table)) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == ["all", "none"]
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["sequence"], row["fusion"]) for row in rows] == [
        (name, choice) for name in ("shapes", "all") for choice in ("network", "linear", "none")
    ]
    own = {row["fusion"]: row for row in rows[:3]}
    assert {(row["corrected"], row["frames"], row["between"]) for row in own.values()} == {("4", "4", "3")}
    # Round 1 and the frames behind the corrected one are the same whatever the fusion; those between are not.
    assert len({(row["J&F_before"], row["between_before"]) for row in own.values()}) == 1
    after = {choice: float(row["J&F_after"]) * 4 - float(row["between_after"]) * 3 for choice, row in own.items()}
    assert after["network"] == pytest.approx(after["linear"], abs=1e-4)
    assert after["none"] == pytest.approx(after["linear"], abs=1e-4)
    assert float(own["network"]["between_after"]) == 0
    assert float(own["none"]["between_after"]) > 0


def test_missing_fusion_network_is_told(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(clips, tmp_path / "absent.safetensors", "--fusion", "network") == 2
    assert "absent.safetensors" in capsys.readouterr().err


def test_wrong_layout_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clips", str(tmp_path)]) == 2
    assert "JPEGImages" in capsys.readouterr().err
    (tmp_path / "JPEGImages").mkdir()
    (tmp_path / "Annotations" / "480p").mkdir(parents=True)
    assert main(["--clips", str(tmp_path)]) == 2
    assert "holds no sequences" in capsys.readouterr().err


def test_sequences_in_natural_order_with_or_without_resolution(tmp_path: Path) -> None:
    for name in ("b10", "b9"):
        (tmp_path / "Annotations" / name).mkdir(parents=True)
        (tmp_path / "JPEGImages" / "480p" / name).mkdir(parents=True)
    found = find_clips(tmp_path)
    assert [name for name, _, _ in found] == ["b9", "b10"]
    assert found[0][1:] == (tmp_path / "JPEGImages" / "480p" / "b9", tmp_path / "Annotations" / "b9")


def test_overall_counts_every_sequence_alike() -> None:
    rows = [
        Outcome("a", "none", 3, 4, 2, 0.2, 0.4, 0.1, 0.5),
        Outcome("b", "none", 1, 8, 0, 0.6, 0.8, None, None),
    ]
    (row,) = overall(rows)
    assert (row.sequence, row.frames, row.between) == ("all", 12, 2)
    assert np.allclose((row.before, row.after), (0.4, 0.6))
    assert (row.before_between, row.after_between) == (0.1, 0.5)
