"""Holes, islands and ragged outlines; other objects and the frame's border are left alone; one undoable step."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from interact.cleaning import Cleaning
from tests.interact.scene import SIZE, Driver


def ring() -> np.ndarray:
    """An object of 12x12 pixels with a hole of 4x4 and a lonely pixel."""
    mask = np.zeros((20, 30), np.uint8)
    mask[4:16, 4:16] = 1
    mask[8:12, 8:12] = 0
    mask[2, 25] = 1
    return mask


def test_holes_are_filled_up_to_their_size() -> None:
    assert (Cleaning(holes=15).apply(ring(), 1) == ring()).all()
    filled = Cleaning(holes=16).apply(ring(), 1)
    assert (filled[4:16, 4:16] == 1).all() and filled[2, 25] == 1


def test_islands_go_and_the_largest_part_stays() -> None:
    assert Cleaning(islands=2).apply(ring(), 1)[2, 25] == 0
    only = np.zeros((9, 9), np.uint8)
    only[4, 4] = 1
    assert (Cleaning(islands=1000).apply(only, 1) == only).all()


def test_an_open_bay_and_the_border_are_no_holes() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[2:8, 2:8] = 1
    mask[2:5, 4:6] = 0  # open to the outside
    corner = np.ones((10, 10), np.uint8)
    corner[:3, :3] = 0
    for open_one in (mask, corner):
        assert (Cleaning(holes=1000).apply(open_one, 1) == open_one).all()


def test_smoothing_rounds_and_keeps_what_the_frame_cuts_off() -> None:
    mask = np.zeros((30, 30), np.uint8)
    mask[10:, 5:25] = 1
    mask[5:10, 14] = 1  # a spike
    smooth = Cleaning(smooth=1.5).apply(mask, 1)
    assert not smooth[5:9, 14].any() and (smooth[-1, 6:24] == 1).all()
    assert abs(int(smooth.sum()) - int(mask.sum())) < 20


def test_growing_moves_the_outline_over_the_background_only() -> None:
    mask = ring()
    mask[4:16, 17] = 2
    grown = Cleaning(grow=2).apply(mask, 1)
    assert (grown[4:16, 16] == 1).all() and (grown[4:16, 17] == 2).all() and grown[3, 10] == 1
    assert Cleaning(grow=-2).apply(mask, 1)[5, 5] == 0


def test_without_neighbours_nothing_is_steadied() -> None:
    assert (Cleaning(steady=True).apply(ring(), 1) == ring()).all()
    nothing = np.zeros_like(ring())
    assert not (Cleaning(steady=True).apply(ring(), 1, (nothing, nothing)) == 1).any()


def test_other_objects_keep_their_pixels() -> None:
    mask = ring()
    mask[9:11, 9:11] = 2
    filled = Cleaning(holes=100, islands=50, smooth=1).apply(mask, 1)
    assert ((filled == 2) == (mask == 2)).all() and filled[8, 8] == 1


@given(
    arrays.arrays(np.uint8, (12, 14), elements=st.integers(0, 2)),
    st.builds(Cleaning, st.integers(0, 200), st.integers(0, 200), st.sampled_from([0.0, 0.7, 3.0])),
)
def test_whatever_the_mask(mask: np.ndarray, cleaning: Cleaning) -> None:
    before = mask.copy()
    after = cleaning.apply(mask, 1)
    assert (mask == before).all() and ((after == 2) == (mask == 2)).all()
    assert set(np.unique(after)) <= {0, 1, 2}


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def test_a_range_is_one_step(hand: Driver) -> None:
    session = hand.session
    mask = np.zeros(SIZE, np.uint8)
    mask[4:16, 4:16] = 1
    mask[9, 9] = 0
    session.import_masks({frame: mask for frame in range(6)})
    session.clean_object(1, Cleaning(holes=5), range(1, 3))
    filled = [bool(session.masks.get(frame)[9, 9]) for frame in range(6)]
    assert filled == [False, True, True, False, False, False]
    assert session.undo() is not None
    assert not any(session.masks.get(frame)[9, 9] for frame in range(6))


def test_flicker_is_taken_out_of_frames_that_are_not_key_frames(hand: Driver) -> None:
    session = hand.session
    mask = np.zeros(SIZE, np.uint8)
    mask[4:16, 4:16] = 1
    half = mask.copy()
    half[4:10] = 0
    session.import_masks({0: mask, 1: half, 2: mask, 3: np.zeros_like(mask), 4: mask, 5: half, 6: mask})
    session.set_marks("key", [1], [1, 3], on=False)
    session.clean_object(1, Cleaning(steady=True))
    whole = [bool(np.array_equal(session.masks.get(frame), mask)) for frame in range(7)]
    assert whole == [True, True, True, True, True, False, True], "frame 5 is a key frame; on frame 3 nothing was left"
    assert session.undo() is not None
    assert np.array_equal(session.masks.get(1), half) and not session.masks.get(3).any()
