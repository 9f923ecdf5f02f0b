"""Absent from here: pixels go up to the object's next key frame or the out mark, in one step."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from interact.session import VideoSession
from tests.interact.scene import NUM_FRAMES, Driver, ShiftCore
from tests.interact.test_object_operations import two_objects, undo_and_redo_are_exact
from util.jobs import run_inline


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def frames_with(session: VideoSession, object_id: int) -> set[int]:
    return {frame for frame in range(NUM_FRAMES) if object_id in session.masks.object_ids(frame)}


def test_absent_up_to_the_next_key_frame(hand: Driver) -> None:
    session = two_objects(hand)  # both objects on every frame, key frames 0 and 6
    session.seek(3)
    undo_and_redo_are_exact(hand, lambda: session.mark_absent(1))
    assert frames_with(session, 1) == {0, 1, 2, *range(6, NUM_FRAMES)}
    assert frames_with(session, 2) == set(range(NUM_FRAMES)), "the other object keeps every pixel"
    assert session.key_frames.on(3) == {1} and not session.key_frames.on(4)
    assert [frame for frame, ids in session.marks["verified"].items() if ids == {1}] == [3, 4, 5]
    assert session.history.undo_label == "object 1 is absent on frames 3 to 5"


def test_absent_up_to_the_out_mark_or_the_end(hand: Driver) -> None:
    session = two_objects(hand)
    session.in_out.set_last(8)
    session.seek(7)
    session.mark_absent(2)
    assert frames_with(session, 2) == set(range(NUM_FRAMES)) - {7, 8}
    session.in_out.clear()
    session.seek(9)
    session.mark_absent(2)
    assert frames_with(session, 2) == set(range(7))
    session.mark_absent(2)
    assert hand.messages[-1] == "object 2 is known to be absent there."


def test_a_propagation_does_not_bring_it_back(hand: Driver) -> None:
    session = two_objects(hand)
    session.seek(3)
    session.mark_absent(1)
    session.seek(6)
    core = ShiftCore(session.masks.get)
    job = session.propagate_job(lambda: core, "backward")
    assert run_inline(job).error is None
    assert not frames_with(session, 1) & {3, 4, 5}
