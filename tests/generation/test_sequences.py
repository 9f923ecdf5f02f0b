"""Clips written as a data set: layout, masks that fit their frames, the same every time."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generation.sequences import main, write_sequences
from storage.frame_source import open_source
from storage.mask_io import read_mask
from tests.generation.pictures import tiny_pack
from util.errors import AppError
from util.types import Size


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    tiny_pack(folder / "stills", scenes=2, shapes=2).save(folder / "pack.npz")
    return folder / "pack.npz"


def test_layout_and_content(pack: Path, tmp_path: Path) -> None:
    assert main(["--pack", str(pack), "--out", str(tmp_path), "--count", "2", "--frames", "3", "--side", "64"]) == 0
    for name in ("clip000", "clip001"):
        source = open_source(tmp_path / "JPEGImages" / "480p" / name)
        assert (len(source), source.size) == (3, Size(64, 64))
        source.close()
        masks = [read_mask(tmp_path / "Annotations" / "480p" / name / f"{frame:05d}.png") for frame in range(3)]
        ids = set(np.unique(masks[0])) - {0}
        assert ids
        assert ids <= {1, 2}
        assert all(set(np.unique(mask)) - {0} <= ids for mask in masks)


def test_same_clips_every_time_and_none_like_another(pack: Path, tmp_path: Path) -> None:
    for out in ("a", "b"):
        write_sequences(pack, tmp_path / out, count=2, frames=2, side=32)
    files = sorted(file.relative_to(tmp_path / "a") for file in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 8
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)
    images = {(tmp_path / "a" / file).read_bytes() for file in files if file.suffix == ".jpg"}
    assert len(images) == 4


def test_wrong_input_is_told(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AppError, match="--side 50"):
        write_sequences(pack, tmp_path, count=1, frames=2, side=50)
    assert main(["--pack", str(tmp_path / "absent.npz"), "--out", str(tmp_path / "out")]) == 2
    assert "absent.npz" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["--pack", str(pack), "--out", str(tmp_path / "file"), "--count", "1", "--frames", "2"]) == 2
    assert "file" in capsys.readouterr().err


def covered(folder: Path) -> list[float]:
    """Of the first frame of every clip, in percent."""
    masks = sorted((folder / "Annotations" / "480p").glob("*/00000.png"))
    return [100 * float((read_mask(mask) > 0).mean()) for mask in masks]


def test_objects_of_a_size_that_is_asked_for(pack: Path, tmp_path: Path) -> None:
    size = ["--pack", str(pack), "--frames", "2", "--side", "96", "--objects", "1"]
    assert main([*size, "--out", str(tmp_path / "small"), "--count", "4", "--area", "1", "8"]) == 0
    assert main([*size, "--out", str(tmp_path / "large"), "--count", "4", "--area", "12", "60"]) == 0
    # They are chosen at a smaller side, where outlines fall on other pixels.
    assert len(covered(tmp_path / "small")) == 4 and max(covered(tmp_path / "small")) < 9
    assert len(covered(tmp_path / "large")) == 4 and min(covered(tmp_path / "large")) > 11
    ids = {int(i) for mask in (tmp_path / "large").rglob("*.png") for i in np.unique(read_mask(mask))}
    assert ids == {0, 1}


def test_no_object_of_that_size_is_told(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--pack", str(pack), "--out", str(tmp_path), "--count", "1", "--frames", "2", "--area", "99.5", "99.9"]
    assert main(asked) == 2
    assert "99.5 to 99.9 %" in capsys.readouterr().err


def test_frames_of_a_film_are_near_each_other(pack: Path, tmp_path: Path) -> None:
    def change(out: Path, *, is_film: bool) -> float:
        write_sequences(pack, out, count=4, frames=6, side=64, is_film=is_film)
        overlap = []
        for folder in sorted((out / "Annotations" / "480p").iterdir()):
            masks = [read_mask(file) > 0 for file in sorted(folder.iterdir())]
            overlap += [(a & b).sum() / max((a | b).sum(), 1) for a, b in zip(masks, masks[1:], strict=False)]
        return float(np.mean(overlap))

    assert change(tmp_path / "film", is_film=True) > change(tmp_path / "far", is_film=False) + 0.1
