"""The scorer as a program: folders of every layout, the convention, the table, and bad input."""
from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.score import main, score_folders, summarize
from storage.mask_io import write_mask
from util.types import IndexMask


def disc(x: float, y: float = 30, radius: float = 12, object_id: int = 1) -> IndexMask:
    rows, cols = np.mgrid[:60, :80]
    return (((cols - x) ** 2 + (rows - y) ** 2 < radius**2) * object_id).astype(np.uint8)


def write_masks(folder: Path, masks: dict[str, IndexMask]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, mask in masks.items():
        write_mask(folder / f"{stem}.png", mask)
    return folder


def moving(count: int = 6, offset: float = 0, object_id: int = 1) -> dict[str, IndexMask]:
    return {f"{t:05d}": disc(20 + 4 * t + offset, object_id=object_id) for t in range(count)}


def run(gt: Path, pred: Path, *more: str) -> int:
    return main(["--gt", str(gt), "--pred", str(pred), *more])


def refused(capsys: pytest.CaptureFixture[str], gt: Path, pred: Path, *more: str) -> str:
    assert run(gt, pred, *more) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("evaluation.score: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_perfect_prediction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gt = write_masks(tmp_path / "dance", moving())
    assert run(gt, gt) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "J&F 100.0"
    assert lines[1].split() == ["dance", "1", "4", "100.0", "100.0", "0.0", "100.0", "100.0", "0.0", "100.0"]


def test_first_and_last_frame_are_left_out(tmp_path: Path) -> None:
    gt = write_masks(tmp_path / "gt", moving())
    wrong = moving()
    wrong["00000"] = wrong["00005"] = np.zeros((60, 80), np.uint8)
    pred = write_masks(tmp_path / "pred", wrong)
    assert score_folders(gt, pred)[0].rows[0].region.mean == 1.0
    wrong["00004"] = np.zeros((60, 80), np.uint8)
    assert score_folders(gt, write_masks(pred, wrong))[0].rows[0].region.mean == pytest.approx(0.75)


def test_prediction_without_the_ends_is_enough(tmp_path: Path) -> None:
    gt = write_masks(tmp_path / "gt", moving())
    pred = write_masks(tmp_path / "pred", dict(list(moving().items())[1:-1]))
    assert score_folders(gt, pred)[0].rows[0].region.mean == 1.0


def test_only_frames_with_ground_truth_are_scored(tmp_path: Path) -> None:
    masks = moving(9)
    sparse = {stem: masks[stem] for stem in ("00000", "00003", "00006", "00008")}
    spoiled = {stem: mask if stem in sparse else np.zeros_like(mask) for stem, mask in masks.items()}
    scores = score_folders(write_masks(tmp_path / "gt", sparse), write_masks(tmp_path / "pred", spoiled))
    assert scores[0].rows[0].num_frames == 2
    assert scores[0].rows[0].region.mean == 1.0


def test_frames_are_in_natural_order(tmp_path: Path) -> None:
    """As strings, 10 comes before 2: the ends would be 0 and 9, and the decay would be of a shuffled sequence."""
    gt = {str(t): disc(20 + 2 * t) for t in range(12)}
    pred = {stem: mask if 0 < int(stem) < 11 else np.zeros_like(mask) for stem, mask in gt.items()}
    scores = score_folders(write_masks(tmp_path / "gt", gt), write_masks(tmp_path / "pred", pred))
    assert scores[0].rows[0].region.mean == 1.0


def test_folder_of_sequences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = {stem: np.maximum(mask, disc(65, 45, 9, object_id=2)) for stem, mask in moving().items()}
    half = {stem: np.where(mask == 2, 0, mask).astype(np.uint8) for stem, mask in two.items()}
    write_masks(tmp_path / "gt" / "both", two)
    write_masks(tmp_path / "gt" / "one", moving())
    write_masks(tmp_path / "pred" / "both", half)
    write_masks(tmp_path / "pred" / "one", moving())
    write_masks(tmp_path / "pred" / "another", moving())
    table = tmp_path / "table.csv"
    assert run(tmp_path / "gt", tmp_path / "pred", "--csv", str(table)) == 0
    output = capsys.readouterr().out
    # Every object counts the same: (1 + 0 + 1) / 3.
    assert output.splitlines()[-1] == "J&F 66.7"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["sequence"], row["object"], row["frames"]) for row in rows] == [
        ("both", "1", "4"), ("both", "2", "4"), ("both", "all", "4"), ("one", "1", "4"), ("all", "all", "8"),
    ]
    assert [float(row["J&F"]) for row in rows] == pytest.approx([1, 0, 0.5, 1, 2 / 3], abs=1e-6)
    assert [float(row["J_recall"]) for row in rows] == pytest.approx([1, 0, 0.5, 1, 2 / 3], abs=1e-6)
    assert "another" not in output


def test_binary_masks_are_object_one(tmp_path: Path) -> None:
    gt = tmp_path / "gt"
    gt.mkdir()
    for stem, mask in moving().items():
        Image.fromarray(mask * 255).save(gt / f"{stem}.png")
    scores = score_folders(gt, write_masks(tmp_path / "pred", moving()))
    assert [row.object_name for row in scores[0].rows] == ["1"]
    assert scores[0].rows[0].region.mean == 1.0


def test_object_that_comes_late_or_goes(tmp_path: Path) -> None:
    """Where neither has it the masks agree; where only one has it they do not."""
    gt = moving(7)
    for stem in ("00003", "00004", "00005"):
        gt[stem] = np.maximum(gt[stem], disc(65, 45, 9, object_id=2))
    pred = dict(gt)
    pred["00005"] = moving(7)["00005"]
    pred["00001"] = gt["00003"] * (gt["00003"] == 2)
    row = score_folders(write_masks(tmp_path / "gt", gt), write_masks(tmp_path / "pred", pred))[0].rows[1]
    assert row.object_name == "2"
    assert row.region.mean == pytest.approx(3 / 5)


def test_objects_missing_from_the_ground_truth_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pred = {stem: np.maximum(mask, disc(65, 45, 9, object_id=7)) for stem, mask in moving().items()}
    assert run(write_masks(tmp_path / "gt", moving()), write_masks(tmp_path / "pred", pred)) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "J&F 100.0"
    assert "object 7" in captured.err


def test_mean_counts_every_object_the_same(tmp_path: Path) -> None:
    long, short = moving(12), moving(4)
    write_masks(tmp_path / "gt" / "a", long)
    write_masks(tmp_path / "gt" / "b", short)
    write_masks(tmp_path / "pred" / "a", {stem: np.zeros_like(mask) for stem, mask in long.items()})
    write_masks(tmp_path / "pred" / "b", short)
    assert summarize(score_folders(tmp_path / "gt", tmp_path / "pred"))[-1].j_and_f == 0.5


def test_size_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pred = moving()
    pred["00002"] = np.zeros((60, 79), np.uint8)
    line = refused(capsys, write_masks(tmp_path / "gt", moving()), write_masks(tmp_path / "pred", pred))
    assert "00002.png" in line
    assert "79x60" in line
    assert "80x60" in line


def test_missing_frames_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gt = write_masks(tmp_path / "gt", moving(20))
    pred = write_masks(tmp_path / "pred", dict(list(moving(20).items())[:10]))
    line = refused(capsys, gt, pred)
    assert "9 of 18 frames" in line
    assert "00010.png" in line
    assert "and 4 more" in line


def test_missing_sequence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_masks(tmp_path / "gt" / "dance", moving())
    (tmp_path / "pred").mkdir()
    assert "dance" in refused(capsys, tmp_path / "gt", tmp_path / "pred")


@pytest.mark.parametrize("which", ["gt", "pred"])
def test_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str) -> None:
    folder = write_masks(tmp_path / "there", moving())
    absent = tmp_path / "absent"
    gt, pred = (absent, folder) if which == "gt" else (folder, absent)
    assert str(absent) in refused(capsys, gt, pred)


def test_folders_without_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    gt = write_masks(tmp_path / "gt", moving())
    assert str(empty) in refused(capsys, empty, gt)
    assert str(empty) in refused(capsys, gt, empty)


def test_too_few_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gt = write_masks(tmp_path / "gt", moving(2))
    assert "three" in refused(capsys, gt, gt)


def test_no_object_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gt = write_masks(tmp_path / "gt", {f"{t}": np.zeros((60, 80), np.uint8) for t in range(5)})
    assert "no mask holds an object" in refused(capsys, gt, gt)


def test_damaged_mask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gt = write_masks(tmp_path / "gt", moving())
    pred = write_masks(tmp_path / "pred", moving())
    (pred / "00003.png").write_bytes((pred / "00003.png").read_bytes()[:100])
    assert "00003.png" in refused(capsys, gt, pred)


def test_unwritable_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gt = write_masks(tmp_path / "gt", moving())
    assert "table.csv" in refused(capsys, gt, gt, "--csv", str(tmp_path / "absent" / "table.csv"))


def test_davis_sequence_copying_the_first_mask(shared: Path, tmp_path: Path) -> None:
    """The figure of data/README.md for copying the first mask of this sequence."""
    gt = shared / "data" / "clips" / "davis" / "Annotations" / "480p" / "dog"
    for file in gt.iterdir():
        (tmp_path / file.name).symlink_to(gt / "00000.png")
    assert 100 * summarize(score_folders(gt, tmp_path))[-1].j_and_f == pytest.approx(25.5, abs=0.06)
