"""The sheet of good and bad frames: which frames it shows, what its colours mean."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation import error_sheet
from evaluation.error_sheet import CONFUSED, MISSING, RIGHT, TILE_WIDTH, TOO_MUCH, choose, frame_quality, tinted
from storage.mask_io import read_mask, write_mask
from util.types import IGNORE

SIZE = (36, 48)


def test_best_middle_and_worst_that_lie_apart() -> None:
    qualities = [0.9] * 30
    qualities[4], qualities[20], qualities[21], qualities[28] = 1.0, 0.1, 0.2, 0.3
    best, middle, *worst = choose(qualities, 2)
    assert best == 4 and qualities[middle] == 0.9
    assert worst == [28, 20], "21 is the same mistake as 20"
    assert choose([0.5], 3) == [0]


def test_colours_tell_what_is_wrong() -> None:
    gt = np.array([[1, 1, 0, 0, 2, IGNORE]], np.uint8)
    pred = np.array([[1, 0, 1, 0, 1, 1]], np.uint8)
    picture = tinted(np.zeros((1, 6, 3), np.uint8), gt, pred)
    expected = [RIGHT, MISSING, TOO_MUCH, (0, 0, 0), CONFUSED, (0, 0, 0)]
    assert [tuple(np.round(pixel / 0.6).astype(int)) for pixel in picture[0]] == expected
    assert frame_quality(gt, gt) == 1.0
    assert frame_quality(gt, pred) == pytest.approx((1 / 5 + 0) / 2)


def tree(folder: Path, frames: int = 5) -> tuple[Path, Path, Path]:
    images, gt, pred = folder / "images" / "a", folder / "gt" / "a", folder / "pred" / "a"
    for made in (images, gt, pred):
        made.mkdir(parents=True)
    for frame in range(frames):
        mask = np.zeros(SIZE, np.uint8)
        mask[8:24, 8:24] = 1
        cv2.imwrite(str(images / f"{frame:05d}.png"), np.full((*SIZE, 3), 90, np.uint8))
        write_mask(gt / f"{frame:05d}.png", mask)
        mask[8 : 8 + 4 * frame, 8:24] = 0
        write_mask(pred / f"{frame:05d}.png", mask)
    return images.parent, gt.parent, pred.parent


def test_a_row_for_every_sequence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images, gt, pred = tree(tmp_path)
    out = tmp_path / "sheet.png"
    arguments = ["--images", str(images), "--gt", str(gt), "--pred", str(pred), "--out", str(out), "--worst", "2"]
    assert error_sheet.main(arguments) == 0
    sheet = cv2.imread(str(out))
    assert sheet.shape == (TILE_WIDTH * SIZE[0] // SIZE[1], 4 * TILE_WIDTH, 3)
    is_green = (sheet[..., 1] > 130) & (sheet[..., 2] < 100)
    is_red = (sheet[..., 2] > 130) & (sheet[..., 1] < 100)
    green = [is_green[:, at : at + TILE_WIDTH].sum() for at in range(0, 3 * TILE_WIDTH, TILE_WIDTH)]
    assert green[0] > green[1] > green[2] > 0, "the best frame comes first"
    assert is_red.any()
    assert read_mask(gt / "a" / "00003.png").any()


def test_what_does_not_fit_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images, gt, pred = tree(tmp_path)
    (images / "a" / "00002.png").unlink()
    arguments = ["--images", str(images), "--gt", str(gt), "--pred", str(pred), "--out", str(tmp_path / "s.png")]
    assert error_sheet.main(arguments) == 2
    assert "00002" in capsys.readouterr().err
    assert not (tmp_path / "s.png").exists()
