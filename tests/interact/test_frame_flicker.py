"""Flicker by frame: what is measured, what a change makes void, and what counts as a suspect."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interact.frame_flicker import FrameFlicker, is_flickering, measure
from storage.mask_store import MaskStore
from util.jobs import CancelToken
from util.types import IndexMask, Size

T = 6


def square(width: int = 10, object_id: int = 1) -> IndexMask:
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5 : 5 + width] = object_id
    return mask


@pytest.fixture
def masks(tmp_path: Path) -> MaskStore:
    """Half of the object is missing on frame 3; the last frame has no mask."""
    folder = tmp_path / "masks"
    folder.mkdir()
    store = MaskStore(folder, [f"{frame:05d}" for frame in range(T)], Size(20, 30))
    for frame in range(T - 1):
        store.set(frame, square(5 if frame == 3 else 10))
    return store


def settle(found: FrameFlicker, masks: MaskStore) -> None:
    for measured in measure(masks, found.waiting, CancelToken()):
        found.take(measured)


EVERY = np.ones(T, np.bool_)


def test_frames_with_two_neighbours_are_measured(masks: MaskStore) -> None:
    found = FrameFlicker(masks)
    assert found.waiting == [1, 2, 3, 4] and np.isnan(found.values(1, EVERY)).all()
    settle(found, masks)
    assert found.waiting == []
    np.testing.assert_allclose(found.values(1, EVERY), [np.nan, 0, 0, 0.5, 0.5, np.nan])
    assert is_flickering(found.values(1, EVERY)).tolist() == [False, False, False, True, True, False]
    assert np.isnan(found.values(2, EVERY)).all(), "there is no such object"


def test_beside_what_is_not_made_yet_nothing_flickers(masks: MaskStore) -> None:
    found = FrameFlicker(masks)
    settle(found, masks)
    known = EVERY.copy()
    known[5] = False
    np.testing.assert_allclose(found.values(1, known), [np.nan, 0, 0, 0.5, np.nan, np.nan])


def test_a_change_voids_its_frame_and_the_neighbours(masks: MaskStore) -> None:
    found = FrameFlicker(masks)
    settle(found, masks)
    told: list[int] = []
    found.changed.connect(lambda: told.append(1))
    masks.set(3, square())
    assert found.waiting == [2, 3, 4]
    settle(found, masks)
    assert found.values(1, EVERY)[3] == 0 and len(told) == 3


def test_what_was_measured_from_older_masks_does_not_count(masks: MaskStore) -> None:
    found = FrameFlicker(masks)
    stale = list(measure(masks, [3], CancelToken()))
    masks.set(2, square(3))
    found.take(stale[0])
    assert 3 in found.waiting and np.isnan(found.values(1, EVERY)).all()


def test_an_object_that_is_gone_from_all_three_has_no_value_any_more(masks: MaskStore) -> None:
    found = FrameFlicker(masks)
    settle(found, masks)
    for frame in (1, 2, 3):
        masks.set(frame, square(object_id=2))
    settle(found, masks)
    assert np.isnan(found.values(1, EVERY)[2]) and found.values(2, EVERY)[2] == 0


def test_a_mask_that_cannot_be_read_has_no_flicker(masks: MaskStore) -> None:
    masks.flush()
    masks.path(2).write_bytes(b"no picture")
    fresh = MaskStore(masks.folder, [f"{frame:05d}" for frame in range(T)], masks.size)
    found = FrameFlicker(fresh)
    settle(found, fresh)
    assert np.isnan(found.values(1, EVERY)[1:4]).all() and found.waiting == []
