"""The last step that changed a frame, found in the history without reading more of it than needed."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from interact.older_masks import OlderMasks, Visited, search
from interact.step_log import StepRef
from tests.interact.scene import SIZE, Driver
from util.jobs import CancelToken


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def find(hand: Driver, older: OlderMasks, frame: int) -> tuple[list[str], Visited | None]:
    """What was read, and the step that changed the frame."""
    history = hand.session.history
    visited = list(search(frame, older.candidates(frame, history.refs_done), history.load, CancelToken()))
    for one in visited:
        older.note(one)
    found = [one for one in visited if one.delta is not None]
    return [one.label for one in visited], found[0] if found else None


def test_the_newest_step_that_changed_the_frame(hand: Driver) -> None:
    session = hand.session
    mask = np.zeros(SIZE, np.uint8)
    mask[4:16, 4:16] = 1
    session.import_masks({0: mask, 1: mask, 2: mask})
    session.rename_object(1, "dog")
    session.import_masks({1: np.roll(mask, 2, axis=0)})
    older = OlderMasks()
    read, found = find(hand, older, 0)
    assert read == ["import 1 mask", "rename object 1", "import 3 masks"] and found is not None
    before = found.delta.invert().apply(session.masks.get(0))  # type: ignore[union-attr]
    assert not before.any()
    read, found = find(hand, older, 1)
    assert read == ["import 1 mask"] and found is not None, "the newest one"
    assert np.array_equal(found.delta.invert().apply(session.masks.get(1)), mask)  # type: ignore[union-attr]
    read, found = find(hand, older, 2)
    assert read == ["import 3 masks"] and found is not None, "what was read is remembered"
    assert find(hand, older, 5) == ([], None)


def test_steps_that_were_taken_back_do_not_count(hand: Driver) -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[4:16, 4:16] = 1
    hand.session.import_masks({0: mask})
    hand.session.undo()
    refs: tuple[StepRef, ...] = hand.session.history.refs_done
    assert OlderMasks().candidates(0, refs) == list(reversed(refs))
    assert find(hand, OlderMasks(), 0)[1] is None
