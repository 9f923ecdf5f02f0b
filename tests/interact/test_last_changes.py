"""The mask before the last change, whatever made it."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interact.last_changes import LastChanges
from storage.mask_delta import diff
from storage.mask_store import MaskStore
from util.types import IndexMask, Size


@pytest.fixture
def masks(tmp_path: Path) -> MaskStore:
    return MaskStore(tmp_path / "masks", ["a", "b", "c"], Size(20, 30))


def square(object_id: int, at: int = 4) -> IndexMask:
    mask = np.zeros((20, 30), np.uint8)
    mask[at:at + 6, at:at + 8] = object_id
    return mask


def test_before_is_what_was_there(masks: MaskStore) -> None:
    changes = LastChanges(masks)
    assert changes.before(0) is None
    masks.set(0, square(1))
    assert not changes.before(0).any()
    masks.apply(diff(0, square(1), square(2, 7)))
    assert np.array_equal(changes.before(0), square(1)) and changes.before(1) is None
    masks.apply(diff(0, square(1), square(2, 7)).invert())
    assert np.array_equal(changes.before(0), square(2, 7))
    assert np.array_equal(masks.get(0), square(1))


def test_the_oldest_go_when_it_is_full(masks: MaskStore) -> None:
    changes = LastChanges(masks, limit_bytes=1)
    rng = np.random.default_rng(0)
    masks.set(0, rng.integers(0, 3, (20, 30), np.uint8))
    assert changes.nbytes == 0 and changes.before(0) is None


def test_closed_it_hears_no_more(masks: MaskStore) -> None:
    changes = LastChanges(masks)
    masks.set(0, square(1))
    changes.close()
    masks.set(0, square(2))
    assert changes.before(0) is None, "the mask has changed since the one it knows"
