"""Deltas lead there and back, exactly."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from storage.mask_delta import changed_rect, diff
from util.types import IndexMask, Rect


@st.composite
def mask_pairs(draw: st.DrawFn) -> tuple[IndexMask, IndexMask]:
    """Two masks of one size; the second is the first with a rectangle changed, or anything."""
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=24))
    before = draw(arrays(np.uint8, shape))
    after = draw(st.one_of(arrays(np.uint8, shape), st.just(before.copy())))
    return before, after


@given(mask_pairs())
def test_there_and_back(pair: tuple[IndexMask, IndexMask]) -> None:
    before, after = pair
    start = before.copy()
    delta = diff(7, before, after)
    assert delta.frame == 7
    np.testing.assert_array_equal(delta.apply(before), after)
    np.testing.assert_array_equal(delta.invert().apply(after), before)
    np.testing.assert_array_equal(before, start)
    assert delta.invert().invert() == delta
    assert delta.is_empty == bool((before == after).all())


@given(mask_pairs())
def test_rect_is_the_smallest(pair: tuple[IndexMask, IndexMask]) -> None:
    before, after = pair
    rows, cols = np.nonzero(before != after)
    rect = changed_rect(before, after)
    if len(rows):
        assert rect == Rect(cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)
    else:
        assert rect.is_empty


def test_result_is_independent_of_the_argument() -> None:
    mask = np.zeros((4, 5), np.uint8)
    same = diff(0, mask, mask).apply(mask)
    same[0, 0] = 1
    assert mask[0, 0] == 0


def test_read_only_masks_are_fine() -> None:
    before, after = np.zeros((4, 5), np.uint8), np.ones((4, 5), np.uint8)
    before.setflags(write=False)
    changed = diff(0, before, after).apply(before)
    assert changed.flags.writeable and changed.all()


def test_wrong_start_is_refused() -> None:
    before, after = np.zeros((4, 5), np.uint8), np.ones((4, 5), np.uint8)
    with pytest.raises(ValueError, match="frame 3 does not start"):
        diff(3, before, after).apply(after)
    with pytest.raises(ValueError, match="frame 3 is for 5x4"):
        diff(3, before, after).apply(np.zeros((5, 4), np.uint8))
    with pytest.raises(ValueError, match="no difference"):
        diff(3, before, np.zeros((5, 4), np.uint8))


def test_small_change_of_a_large_mask_costs_little() -> None:
    before = np.zeros((1080, 1920), np.uint8)
    after = before.copy()
    after[500:540, 700:760] = 3
    assert 0 < diff(0, before, after).nbytes < 200
