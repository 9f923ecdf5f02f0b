"""Video of which only some frames are marked: which starts count, what is compared, and what wrong folders are told."""
from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.marked import follow, main, read_marks
from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from storage.mask_io import write_mask
from util.errors import AppError
from util.jobs import CancelToken
from util.types import IndexMask, Size

SIZE = Size(64, 96)


class Copying:
    """A core that copies the mask of the key frame, without its left half from frame `breaks` on."""

    def __init__(self, breaks: int) -> None:
        self._breaks = breaks
        self._key: KeyFrame | None = None

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        (self._key,) = key_frames

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        assert self._key is not None and self._key.frame == request.anchor
        for frame in range(request.anchor + 1, request.last + 1):
            mask = self._key.mask.copy()
            if frame >= self._breaks:
                mask[:, : SIZE.width // 2] = 0
            yield FrameResult(frame, mask, 0, 0)


def square(left: int = 32) -> IndexMask:
    mask = np.zeros(SIZE, np.uint8)
    mask[16:48, left : left + 32] = 1
    return mask


def test_only_marked_frames_within_reach_are_compared() -> None:
    marks = {0: square(), 4: square(), 8: square(), 30: square()}
    run = follow(Copying(breaks=6), "box", marks, 0, 20)  # type: ignore[arg-type]
    assert run is not None
    assert run.num_marks == 2
    assert run.region == pytest.approx((1 + 0.5) / 2)


def test_a_last_mark_is_nothing_to_start_from() -> None:
    assert follow(Copying(0), "box", {0: square(), 30: square()}, 0, 20) is None  # type: ignore[arg-type]


def test_marks_are_read_by_object_and_frame(tmp_path: Path) -> None:
    for name, frame in (("box", 0), ("box", 7), ("ball", 3)):
        (tmp_path / name).mkdir(exist_ok=True)
        write_mask(tmp_path / name / f"{frame:05d}.png", 5 * square())
    marks = read_marks(tmp_path, 8, SIZE)
    assert {name: sorted(masks) for name, masks in marks.items()} == {"ball": [3], "box": [0, 7]}
    assert np.array_equal(marks["box"][7], square())


@pytest.mark.parametrize("name", ["00008.png", "first.png"])
def test_a_mask_of_no_frame_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "box").mkdir()
    write_mask(tmp_path / "box" / name, square())
    with pytest.raises(AppError, match="8 frames"):
        read_marks(tmp_path, 8, SIZE)


def film(folder: Path, frames: int) -> Path:
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    for frame in range(frames):
        cv2.imwrite(str(folder / f"{frame:05d}.png"), noise)
    return folder


def test_a_still_film_is_followed_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video, masks = film(tmp_path / "film", 5), tmp_path / "masks"
    (masks / "box").mkdir(parents=True)
    for frame in (0, 2, 4):
        write_mask(masks / "box" / f"{frame:05d}.png", square())
    table = tmp_path / "runs.csv"
    assert main(["--video", str(video), "--masks", str(masks), "--every", "2", "--csv", str(table)]) == 0
    assert "1 starts" in capsys.readouterr().out
    heading, row = (line.split(",") for line in table.read_text().splitlines())
    assert row[:4] == ["film", "box", "0", "2"]
    assert float(row[heading.index("J")]) > 0.5


def test_what_is_wrong_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = film(tmp_path / "film", 2)
    assert main(["--video", str(video), "--masks", str(tmp_path / "none")]) == 2
    assert "There is no mask" in capsys.readouterr().err
    (tmp_path / "once" / "box").mkdir(parents=True)
    write_mask(tmp_path / "once" / "box" / "00000.png", square())
    assert main(["--video", str(video), "--masks", str(tmp_path / "once")]) == 2
    assert "marked twice" in capsys.readouterr().err
