"""Flicker: what is there or missing for one frame counts, steady motion does not."""
from __future__ import annotations

import cv2
import numpy as np
import pytest

from util.flicker import flicker, steadied

Region = np.ndarray


def box(x0: int, y0: int, x1: int, y1: int, size: tuple[int, int] = (60, 80)) -> Region:
    region = np.zeros(size, np.bool_)
    region[y0:y1, x0:x1] = True
    return region


def disc(x: int, y: int, radius: int = 12, size: tuple[int, int] = (60, 120)) -> Region:
    image = np.zeros(size, np.uint8)
    cv2.circle(image, (x, y), radius, 1, -1)
    return image.astype(np.bool_)


def test_a_steady_shape_does_not_flicker() -> None:
    shape = box(10, 10, 30, 30)
    assert flicker(shape, shape, shape) == 0
    nothing = np.zeros_like(shape)
    assert flicker(nothing, nothing, nothing) == 0


def test_a_part_missing_for_one_frame_counts_by_its_share() -> None:
    whole, part = box(10, 10, 30, 30), box(10, 10, 25, 30)
    assert flicker(whole, part, whole) == pytest.approx(0.25)
    assert flicker(part, whole, part) == pytest.approx(0.25), "and one that is there for one frame only"
    assert np.array_equal(steadied(whole, part, whole), whole)
    assert np.array_equal(steadied(part, whole, part), part)


def test_a_shape_that_is_gone_or_there_for_one_frame_is_all_flicker() -> None:
    shape, nothing = box(10, 10, 30, 30), box(0, 0, 0, 0)
    assert flicker(shape, nothing, shape) == 1 and np.array_equal(steadied(shape, nothing, shape), shape)
    assert flicker(nothing, shape, nothing) == 1 and not steadied(nothing, shape, nothing).any()


@pytest.mark.parametrize("step", [1, 3, 9, 30])
def test_steady_motion_is_no_flicker_however_fast(step: int) -> None:
    before, now, after = (disc(30 + step * place, 30) for place in range(3))
    assert flicker(before, now, after) < 0.02
    assert (steadied(before, now, after) ^ now).sum() < 0.02 * now.sum()


def test_flicker_of_a_moving_shape_is_found() -> None:
    before, now, after = (disc(30 + 10 * place, 30) for place in range(3))
    torn = now & ~box(40, 0, 80, 26, (60, 120))
    lost = 1 - torn.sum() / now.sum()
    assert flicker(before, torn, after) == pytest.approx(lost, abs=0.03)
    assert (steadied(before, torn, after) ^ now).sum() < 0.03 * now.sum(), "given back where it is by now"


def test_coming_and_going_is_no_flicker() -> None:
    shape, nothing = box(10, 10, 30, 30), box(0, 0, 0, 0)
    assert flicker(nothing, shape, shape) == flicker(shape, shape, nothing) == flicker(nothing, nothing, shape) == 0


def test_a_shape_that_leaves_the_frame_keeps_its_pixels_there() -> None:
    before, now, after = (box(0, 20, 30 - 8 * place, 40) for place in range(3))
    assert np.array_equal(steadied(before, now, after)[:, :10], now[:, :10])
