"""Deleted objects: listed while the history knows them, given back without touching what is there now."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.interact.scene import SIZE, Driver
from util.types import Rect


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path, num_frames=4)
    session = driver.session
    masks = {}
    for frame in (0, 1):
        masks[frame] = np.zeros(SIZE, np.uint8)
        masks[frame][Rect(2, 2, 10, 10).slices] = 1
        masks[frame][Rect(12, 2, 20, 10).slices] = 2
    session.import_masks(masks)
    session.rename_object(1, "dog")
    yield driver
    driver.session.close()


def test_restored_as_it_was(hand: Driver) -> None:
    session = hand.session
    before, sources = hand.state(), list(session.provenance)
    session.delete_object(1)
    assert [entry.item.name for entry in session.trash] == ["dog"] and session.objects.order == (2,)
    assert {span.object_id for span in session.provenance} == {2}
    session.restore_object(1)
    masks, keys, _, items = hand.state()
    assert (masks, keys, items) == (before[0], before[1], before[3]) and list(session.provenance) == sources
    assert session.trash == () and session.objects.selected == 1
    assert session.undo() == "restore dog" and [entry.item.object_id for entry in session.trash] == [1]


def test_what_others_took_meanwhile_stays_theirs(hand: Driver) -> None:
    session = hand.session
    session.delete_object(1)
    session.select_object(2)
    session.brush_size = 4
    hand.drag("brush", (6, 6))
    taken = session.masks.get(0) == 2
    session.restore_object(1)
    np.testing.assert_array_equal(session.masks.get(0) == 2, taken)
    assert (session.masks.get(0) == 1).any() and np.count_nonzero(session.masks.get(1) == 1) == 64


def test_trash_survives_closing_and_the_memory_limit(hand: Driver) -> None:
    hand.session.delete_object(1)
    hand.session.history._limit_bytes = 1
    hand.session.rename_object(2, "cat")
    session = hand.reopen()
    assert [entry.item.name for entry in session.trash] == ["dog"]
    session.restore_object(1)
    assert session.objects.name(1) == "dog" and session.masks.object_ids(1) == {1, 2}


def test_merging_and_undoing_fill_no_trash(hand: Driver) -> None:
    session = hand.session
    session.merge_objects(1, 2)
    assert session.trash == ()
    session.undo()
    session.delete_object(1)
    session.undo()
    assert session.trash == ()
    with pytest.raises(KeyError):
        session.restore_object(1)


def test_the_quota_empties_the_trash(hand: Driver) -> None:
    session = hand.session
    session.delete_object(1)
    session.workspace.journal.quota_bytes = 2000
    session.select_object(2)
    for x in range(3, 15):
        hand.drag("brush", (x, 5), (x, 9))
        session.workspace.flush()
    assert session.trash == ()
