"""Locked objects, and objects locked or verified on frames: nothing changes them unless the user says so."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from interact.session import VideoSession
from tests.interact.scene import NUM_FRAMES, SIZE, Driver, region
from util.errors import AppError


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.lock(None)
    driver.session.close()


def scene(hand: Driver) -> VideoSession:
    """Object 1 on the left, 2 on the right of frame 0; 2 is selected."""
    mask = np.zeros(SIZE, np.uint8)
    mask[4:16, 4:12], mask[4:16, 12:20] = 1, 2
    hand.session.import_masks({0: mask})
    hand.session.add_object()
    hand.session.select_object(2)
    hand.session.brush_size = 6
    return hand.session


def test_painting_over_a_locked_object_asks_and_changes_it_if_told_to(hand: Driver) -> None:
    session = scene(hand)
    session.set_object_locked(1, True)
    before = hand.state()
    hand.drag("brush", (10, 10))
    assert [q.text for q in hand.questions] == ["“paint object 2” would change object 1 (locked)."]
    assert session.masks.get(0)[10, 10] == 2 and session.history.undo_label == "paint object 2"
    session.undo()
    assert hand.state() == before


def test_keep_paints_around_the_locked_object(hand: Driver) -> None:
    session = scene(hand)
    session.set_object_locked(1, True)
    locked = region(session.masks.get(0), 1)
    hand.says = "keep"
    hand.drag("brush", (10, 10), (10, 20))
    mask = session.masks.get(0)
    assert region(mask, 1) == locked and mask[20, 10] == 2
    assert "does the rest of it" in hand.questions[0].details and session.history.undo_label == "paint object 2"


def test_keep_leaves_everything_where_the_edited_object_is_protected(hand: Driver) -> None:
    session = scene(hand)
    session.set_marks("locked", [2], [0], on=True)
    before = hand.state()
    hand.says = "keep"
    hand.drag("brush", (26, 20))
    hand.drag("eraser", (14, 10))
    hand.click(14, 10)
    assert hand.state() == before and session.history.undo_label == "lock object 2 on frame 0"
    assert "object 2 (locked on frame 0)" in hand.questions[0].text and session.interaction is None
    session.seek(1)
    hand.drag("brush", (26, 20))
    assert len(hand.questions) == 3 and session.masks.object_ids(1) == {2}


def test_until_it_is_answered_nothing_else_can_be_edited(hand: Driver) -> None:
    session = scene(hand)
    session.set_object_locked(1, True)
    before = hand.state()
    hand.says = "later"
    hand.drag("brush", (10, 10))
    session.add_object()
    assert hand.state() == before and hand.messages[-1] == "There is a question to answer first."
    hand.questions[0].change()
    assert hand.state() != before and not session.is_locked


def test_without_anybody_to_ask_it_is_refused(hand: Driver) -> None:
    session = scene(hand)
    session.steps.ask = None
    session.set_object_locked(1, True)
    before = hand.state()
    with pytest.raises(AppError, match=r"“delete object 1” would change object 1 \(locked\)") as caught:
        session.delete_object(1)
    assert "Take the lock" in caught.value.hint and hand.state() == before and not session.is_locked


def test_what_is_changed_anyway_is_no_longer_verified(hand: Driver) -> None:
    session = scene(hand)
    session.set_marks("verified", [1, 2], [0, 1], on=True)
    assert session.history.undo_label == "verify 2 objects on 2 frames"
    before = hand.state()
    hand.drag("brush", (26, 20))
    assert session.marks["verified"] == {0: {1}, 1: {1, 2}}
    session.undo()
    assert hand.state() == before
    session.clear_frame()
    assert session.marks["verified"] == {1: {1, 2}} and session.masks.is_empty(0)


def test_clearing_a_frame_spares_what_is_to_be_kept(hand: Driver) -> None:
    session = scene(hand)
    session.set_object_locked(1, True)
    session.key_frames.replace({0: frozenset()})
    hand.says = "keep"
    session.clear_frame()
    assert session.masks.object_ids(0) == {1} and session.key_frames == {0: {2}}


@pytest.mark.parametrize("kind", ["key", "locked", "verified"])
def test_an_import_asks_before_it_replaces_what_is_finished(hand: Driver, kind: str) -> None:
    session = scene(hand)
    session.key_frames.replace({0: frozenset({1} if kind == "key" else ())})
    if kind != "key":
        session.set_marks(kind, [1], [0], on=True)  # type: ignore[arg-type]
    hand.says = "keep"
    before = region(session.masks.get(0), 1)
    new = np.full(SIZE, 3, np.uint8)
    session.import_masks({0: new, 2: new})
    assert f"object 1 ({'marked by hand' if kind == 'key' else kind} on frame 0)" in hand.questions[0].text
    assert region(session.masks.get(0), 1) == before and session.masks.object_ids(0) == {1, 3}
    assert (session.masks.get(2) == new).all()
    hand.says = "change"
    session.import_masks({0: new})
    assert session.masks.object_ids(0) == {3} and not session.marks["verified"]


def test_propagation_stops_at_locked_and_verified_frames(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    hand.propagate()
    session.seek(4)
    session.brush_size = 3
    session.set_marks("verified", [1], [7, 8, 9], on=True)
    session.set_marks("locked", [1], [2], on=True)
    hand.drag("brush", (28, 2))
    before = {frame: session.masks.get(frame).tobytes() for frame in range(NUM_FRAMES)}
    assert hand.propagate().kind == "done"
    changed = {frame for frame in before if session.masks.get(frame).tobytes() != before[frame]}
    assert changed.isdisjoint({2, 7, 8, 9}) and changed
    fixed = {key.frame: key.object_ids for key in hand.core.synced}
    assert fixed == {0: {1}, 2: {1}, 4: {1}, 7: {1}}, "verified frames out of reach are not to be remembered"


def test_an_engine_that_passes_a_verified_frame_is_stopped(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    hand.propagate()
    session.set_marks("verified", [1], [5], on=True)
    before = hand.state()
    hand.core.break_rule = True
    session.move_object(1, 0)
    hand.drag("brush", (28, 2))
    edited = hand.state()
    assert hand.propagate().kind == "failed" and hand.state() == edited != before
    assert "protected objects [1] on frame 5" in hand.messages[-1]


def test_locked_objects_are_not_carried(hand: Driver) -> None:
    session = scene(hand)
    session.set_object_locked(1, True)
    hand.propagate()
    assert session.masks.object_ids(3) == {2} and session.key_frames[0] == {1, 2}
    session.set_object_locked(2, True)
    with pytest.raises(AppError, match="is locked"):
        hand.propagate()
    assert not session.is_locked


def test_marks_are_steps_and_survive(hand: Driver) -> None:
    session = scene(hand)
    session.set_marks("verified", [1], range(2, 9), on=True)
    session.set_marks("verified", [1], range(3, 9), on=True)
    session.set_marks("verified", [1], [5], on=False)
    assert session.history.undo_label == "unverify object 1 on frame 5"
    assert session.marks["verified"].runs == {1: (range(2, 5), range(6, 9))}
    session.undo()
    session.set_marks("locked", [2], [0], on=True)
    again = hand.reopen()
    assert again.marks["verified"].runs == {1: (range(2, 9),)} and again.marks["locked"] == {0: {2}}
