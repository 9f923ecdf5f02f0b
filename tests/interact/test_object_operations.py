"""Merge, swap, split, order, class, colour: over any range, one step each, undone to the byte."""
from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interact.prompts import Point, Polygon
from interact.session import VideoSession
from interact.undo_stack import UndoStack
from storage.mask_delta import MaskDelta
from tests.interact.scene import NUM_FRAMES, SIZE, Driver, region
from util.errors import AppError
from util.jobs import CancelToken, Job, run_inline


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def blocks(**places: tuple[int, int]) -> np.ndarray:
    """4x4 blocks: `o1=(x, y)`; `o1b` is another block of object 1."""
    mask = np.zeros(SIZE, np.uint8)
    for name, (x, y) in places.items():
        mask[y : y + 4, x : x + 4] = int(name[1])
    return mask


def two_objects(hand: Driver) -> VideoSession:
    """Objects 1 and 2 on every frame, fixed on 0 and 6."""
    session = hand.session
    session.import_masks({frame: blocks(o1=(frame, 2), o2=(frame, 12)) for frame in range(NUM_FRAMES)})
    session.key_frames.replace({frame: frozenset() for frame in range(NUM_FRAMES) if frame not in (0, 6)})
    for frame in range(NUM_FRAMES):
        session.baselines.put(frame, None)
    return session


def undo_and_redo_are_exact(hand: Driver, work: Callable[[], object]) -> None:
    before, done = hand.state(), hand.session.history.undo_label
    work()
    after = hand.state()
    assert after != before
    hand.session.undo()
    assert hand.state() == before and hand.session.history.undo_label == done
    hand.session.redo()
    assert hand.state() == after


def test_merge_over_the_whole_video_ends_the_object(hand: Driver) -> None:
    session = two_objects(hand)
    session.select_object(2)
    session.key_frames.replace({6: frozenset({2})})
    undo_and_redo_are_exact(hand, lambda: session.merge_objects(2, 1))
    assert session.objects.order == (1,) and session.objects.selected == 1
    assert all(session.masks.object_ids(frame) == {1} for frame in range(NUM_FRAMES))
    assert session.masks.get(5)[13, 6] == 1 and session.key_frames == {0: {1}, 6: {1}}
    assert session.history.undo_label == "merge object 2 into object 1"
    assert hand.reopen().objects.order == (1,)


def test_merge_from_a_frame_on_leaves_the_frames_before_alone(hand: Driver) -> None:
    session = two_objects(hand)
    undo_and_redo_are_exact(hand, lambda: session.merge_objects(2, 1, range(6, NUM_FRAMES)))
    assert session.objects.order == (1, 2)
    assert session.masks.object_ids(5) == {1, 2} and session.masks.object_ids(6) == {1}
    assert session.key_frames == {0: {1, 2}, 6: {1}}


def test_swap_over_a_range_trades_pixels_and_marks(hand: Driver) -> None:
    session = two_objects(hand)
    session.key_frames.replace({0: frozenset({1}), 6: frozenset({2})})
    session.marks["verified"].replace({6: frozenset({1})})
    undo_and_redo_are_exact(hand, lambda: session.swap_objects(1, 2, range(4, 8)))
    assert session.masks.get(3)[13, 4] == 2 and session.masks.get(4)[13, 5] == 1 and session.masks.get(8)[13, 9] == 2
    assert session.key_frames == {0: {1}, 6: {1}}
    # Allowed by the answer "change anyway": what was verified has to be looked at again.
    assert len(hand.questions) == 1 and not session.marks["verified"]


def test_delete_over_a_range_keeps_the_object(hand: Driver) -> None:
    session = two_objects(hand)
    undo_and_redo_are_exact(hand, lambda: session.delete_object(2, range(6, 9)))
    assert session.objects.order == (1, 2) and session.key_frames == {0: {1, 2}, 6: {1}}
    assert [2 in session.masks.object_ids(frame) for frame in (5, 6, 8, 9)] == [True, False, False, True]


def test_what_a_correction_is_compared_with_is_swapped_too(hand: Driver) -> None:
    session = two_objects(hand)
    session.seek(3)
    session.select_object(1)
    hand.drag("brush", (20, 20))
    before = session.baselines.get(3)
    assert before is not None
    session.swap_objects(1, 2)
    after = session.baselines.get(3)
    assert after is not None and region(after.mask.unpack(), 1) == region(before.mask.unpack(), 2)


def test_split_makes_the_loose_parts_a_new_object_and_follows_them(hand: Driver) -> None:
    session = hand.session
    session.import_masks({
        frame: blocks(o1=(frame, 2), o1b=(frame + 1, 2), o1c=(frame, 12)) for frame in range(NUM_FRAMES)
    })
    session.set_category(1, "cat")
    session.seek(4)
    undo_and_redo_are_exact(hand, lambda: session.split_object(1, range(2, 9)))
    assert session.objects.order == (1, 2) and session.objects.selected == 2
    assert session.objects.get(2).category == "cat"
    for frame in range(NUM_FRAMES):
        mask = session.masks.get(frame)
        assert mask[2, frame] == 1 and mask[12, frame] == (2 if 2 <= frame < 9 else 1)
    assert session.key_frames.on(4) == {1, 2} and session.key_frames.on(9) == {1}


def test_split_follows_a_part_after_it_was_away(hand: Driver) -> None:
    session = hand.session
    masks = {frame: blocks(o1=(4, 2), o1b=(5, 2), o1c=(4, 12)) for frame in range(6)}
    masks[2] = blocks(o1=(4, 2), o1b=(5, 2))
    session.import_masks(masks)
    session.key_frames.replace({frame: frozenset() for frame in masks})
    session.split_object(1, range(6))
    assert [session.masks.object_ids(frame) for frame in (1, 2, 3)] == [{1, 2}, {1}, {1, 2}]
    assert session.key_frames == {0: {1, 2}}


def test_split_by_an_outline_cuts_through_one_piece(hand: Driver) -> None:
    session = hand.session
    wide = np.zeros(SIZE, np.uint8)
    wide[4:8, 4:16] = 1
    session.import_masks({0: wide, 1: np.roll(wide, 1, axis=1)})
    with pytest.raises(AppError, match="in one piece"):
        session.split_object(1)
    outline = Polygon((Point(10, 0), Point(20, 0), Point(20, 12), Point(10, 12)))
    session.split_object(1, range(2), outline)
    assert region(session.masks.get(0), 2) == [(x, y) for y in range(4, 8) for x in range(10, 16)]
    assert session.masks.get(1)[5, 8] == 1 and session.masks.get(1)[5, 16] == 2
    assert (session.masks.get(1) > 0).sum() == (wide > 0).sum()


def test_split_refuses_an_outline_around_nothing_or_everything(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: blocks(o1=(4, 4))})
    label = session.history.undo_label
    for far in (12, 0):
        corners = [Point(far, far), Point(far + 9, far), Point(far + 9, far + 9), Point(far, far + 9)]
        with pytest.raises(AppError, match="no pixel inside" if far else "all of object 1"):
            session.split_object(1, outline=Polygon(tuple(corners)))
    assert session.history.undo_label == label and not session.is_locked


def test_wrong_objects_and_ranges_are_named(hand: Driver) -> None:
    session = two_objects(hand)
    calls: list[Callable[[], None]] = [
        lambda: session.merge_objects(1, 9), lambda: session.swap_objects(9, 1), lambda: session.set_color(9, None)
    ]
    for call in calls:
        with pytest.raises(KeyError):
            call()
    with pytest.raises(ValueError, match="itself"):
        session.merge_objects(1, 1)
    with pytest.raises(ValueError, match="no range"):
        session.delete_object(1, range(5, 99))
    with pytest.raises(ValueError, match="not in"):
        session.split_object(1, range(5, 7))
    assert not session.is_locked


def test_nothing_to_do_is_said_and_is_no_step(hand: Driver) -> None:
    session = hand.session
    session.add_object()
    session.delete_object(1, range(2, 4))
    assert session.history.undo_label == "add object 1" and "Nothing to do" in hand.messages[-1]


def test_class_colour_lock_and_order_are_steps_that_survive(hand: Driver) -> None:
    session = two_objects(hand)
    for work in (
        lambda: session.set_category(2, "dog"),
        lambda: session.set_color(2, (1, 2, 3)),
        lambda: session.set_object_locked(2, True),
        lambda: session.move_object(2, 0),
    ):
        undo_and_redo_are_exact(hand, work)
    assert session.history.undo_label == "move object 2" and session.objects.order == (2, 1)
    session.objects.show_only(hidden=[1], solo=[2])
    items = session.objects.items
    again = hand.reopen().objects
    assert again.items == items and again.hidden == {1} and again.solo == {2} and again.undrawn == {1}


def test_the_object_higher_in_the_list_wins_a_pixel(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: blocks(o1=(8, 8))})
    session.add_object()
    hand.click(9, 9)
    assert session.masks.get(0)[9, 9] == 1
    session.undo()
    session.move_object(2, 0)
    hand.click(9, 9)
    assert session.masks.get(0)[9, 9] == 2


def test_solo_hides_the_others_and_nothing_of_it_is_undone(hand: Driver) -> None:
    session = two_objects(hand)
    label = session.history.undo_label
    session.objects.show_only(hidden=[2])
    assert session.objects.undrawn == {2}
    session.objects.show_only(solo=[2])
    assert session.objects.undrawn == {1} and session.history.undo_label == label
    session.delete_object(2)
    assert session.objects.undrawn == frozenset() and session.objects.solo == frozenset()
    session.undo()
    assert session.objects.undrawn == {1}


# ---- long ones -------------------------------------------------------------------------------------------------------


class Worker:
    """Takes the jobs, as the window does, and runs them when told to; cancels after so many events."""

    def __init__(self, hand: Driver) -> None:
        self.jobs: list[Job[Any]] = []
        self.hand = hand
        hand.session.steps.work = self.jobs.append
        hand.session.steps.short_pixels = 0

    def run(self, cancel_at: int | None = None) -> str:
        job, token, count = self.jobs.pop(0), CancelToken(), 0
        if cancel_at == 0:
            token.cancel()

        def apply(event: object) -> None:
            nonlocal count
            job.apply(event)
            count += 1
            if count == cancel_at:
                token.cancel()

        assert self.hand.session.is_locked
        return run_inline(Job(job.name, job.total, job.run, apply, job.finish), token).kind


def test_a_long_edit_is_three_jobs_and_locks_until_the_end(hand: Driver) -> None:
    session, before = two_objects(hand), hand.state()
    worker = Worker(hand)
    session.merge_objects(2, 1)
    session.rename_object(1, "no")
    assert hand.messages[-1].startswith("Working out: merge object 2 into object 1; cancel it with Esc")
    assert hand.state() == before and worker.jobs[0].total == NUM_FRAMES
    assert worker.run() == "done" and worker.jobs[0].name == "Noting down: merge object 2 into object 1"
    assert worker.run() == "done" and worker.jobs[0].name == "Merge object 2 into object 1"
    assert worker.run() == "done" and not worker.jobs and not session.is_locked
    assert session.objects.order == (1,)
    session.undo()
    assert worker.run() == "done" and hand.state() == before


@pytest.mark.parametrize("cancel_at", [1, 5])
def test_cancelling_an_edit_an_undo_or_a_redo_changes_nothing(hand: Driver, cancel_at: int) -> None:
    session, before = two_objects(hand), hand.state()
    worker = Worker(hand)
    session.merge_objects(2, 1)
    assert worker.run(cancel_at) == "cancelled" and not worker.jobs and not session.is_locked
    session.merge_objects(2, 1)
    worker.run()
    if cancel_at == 1:
        assert worker.run(0) == "cancelled" and hand.state() == before and not session.is_locked
        session.merge_objects(2, 1)
        worker.run()
    worker.run()
    assert worker.run(cancel_at) == "cancelled" and hand.state() == before
    assert hand.messages[-1] == "Stopped: nothing was changed." and not session.is_locked
    session.merge_objects(2, 1)
    for _ in range(3):
        assert worker.run() == "done"
    after = hand.state()
    label = session.history.undo_label
    session.undo()
    assert worker.run(cancel_at) == "cancelled" and hand.state() == after and session.history.undo_label == label
    session.undo()
    assert worker.run() == "done" and hand.state() == before
    session.redo()
    assert worker.run(cancel_at) == "cancelled" and hand.state() == before and session.history.redo_label == label


def test_an_edit_that_fails_half_way_takes_back_what_it_did(
    hand: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, before = two_objects(hand), hand.state()
    worker = Worker(hand)
    session.merge_objects(2, 1)
    worker.run()
    worker.run()
    apply = session.masks.apply

    def breaks(delta: MaskDelta) -> None:
        if delta.frame == 5 and session.masks.object_ids(5) == {1, 2}:
            raise AppError("no room")
        apply(delta)

    monkeypatch.setattr(session.masks, "apply", breaks)
    assert worker.run() == "failed" and hand.state() == before and not session.is_locked


def test_undo_of_a_propagation_is_a_job_too(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    before = hand.state()
    hand.propagate()
    worker = Worker(hand)
    assert session.undo() == "propagate 11 frames"
    assert worker.jobs[0].name == "Undoing propagate 11 frames" and worker.run() == "done" and hand.state() == before


# ---- anything, in any order ------------------------------------------------------------------------------------------

frame_number = st.integers(0, NUM_FRAMES - 1)
span = st.none() | st.tuples(frame_number, frame_number).map(lambda ends: range(min(ends), max(ends) + 1))
pick = st.integers(0, 3)
WORK = st.one_of(
    st.tuples(st.sampled_from(["delete", "split", "lock"]), pick, span),
    st.tuples(st.sampled_from(["merge", "swap", "move", "seek"]), pick, pick, span),
    st.tuples(st.sampled_from(["locked", "verified"]), pick, span, st.booleans()),
    st.tuples(st.sampled_from(["brush", "click"]), pick, st.integers(0, 23)),
    st.tuples(st.sampled_from(["add", "clear", "propagate", "rename", "import", "keep"])),
)


def work(hand: Driver, name: str, values: list[Any]) -> None:
    """One thing that a user may do."""
    session = hand.session
    order = session.objects.order
    one, two = (order[value % len(order)] if order and isinstance(value, int) else 0 for value in (*values, 0, 0)[:2])
    match name:
        case "delete" if order:
            session.delete_object(one, values[1])
        case "split" if order and session.frame in (values[1] or range(NUM_FRAMES)):
            try:
                session.split_object(one, values[1])
            except AppError as error:
                assert "in one piece" in str(error)
        case "lock" if order:
            session.set_object_locked(one, not session.objects.get(one).is_locked)
        case "merge" if one != two:
            session.merge_objects(one, two, values[2])
        case "swap" if one != two:
            session.swap_objects(one, two, values[2])
        case "move" if order:
            session.move_object(one, values[1] % len(order))
        case "seek":
            session.seek(values[0] * 3)
        case "locked" | "verified" if order:
            session.set_marks(name, [one], values[1] or range(NUM_FRAMES), on=values[2])
        case "brush" | "click" if order:
            session.select_object(one)
            hand.drag("brush", (values[1], 8)) if name == "brush" else hand.click(values[1], 8)
        case "add" if len(order) < 4:
            session.add_object()
        case "clear":
            session.clear_frame()
        case "import":
            session.import_masks({2: blocks(o1=(2, 2), o3=(9, 9), o3b=(20, 9)), 3: blocks(o2=(2, 2))})
        case "keep":
            hand.says = "keep" if hand.says == "change" else "change"
        case "rename" if order:
            session.rename_object(order[0], session.objects.name(order[0]) + "'")
        case "propagate":
            try:
                hand.propagate()
            except AppError:
                assert not session.key_frames.on(session.frame) - session.objects.locked


@settings(max_examples=40)
@given(st.lists(WORK, max_size=12), st.booleans())
def test_undoing_everything_gives_the_same_bytes(script: list[tuple[Any, ...]], is_short: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hand = Driver(Path(folder), num_frames=NUM_FRAMES)
        session = hand.session
        session.history = UndoStack(1 << 24)
        session.steps.short_pixels = 1 << 24 if is_short else 0
        session.import_masks({0: blocks(o1=(2, 2), o2=(9, 9), o1b=(16, 2)), 6: blocks(o1=(2, 2), o2=(9, 9))})
        states = [hand.state()]
        for name, *values in script:
            label = session.history.undo_label
            work(hand, name, values)
            assert not session.is_locked
            if hand.state() != states[-1]:
                assert session.history.undo_label is not None and (name != "keep" or label)
                states.append(hand.state())
        last = states[-1]
        while session.history.undo_label != "import 2 masks" or hand.state() != states[0]:
            assert session.undo() is not None
            if hand.state() != states[-1]:
                states.pop()
                assert hand.state() == states[-1]
        while session.redo() is not None:
            pass
        assert hand.state() == last
        session.close()


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(["brush", "click", "propagate"]), st.integers(0, 31), st.integers(0, 11)), max_size=6
    )
)
def test_work_on_one_object_leaves_the_bytes_of_the_others(script: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hand = Driver(Path(folder), num_frames=NUM_FRAMES)
        session = hand.session
        session.import_masks({frame: blocks(o1=(8, 4), o2=(14, 10)) for frame in range(NUM_FRAMES)})
        session.key_frames.replace({frame: frozenset() for frame in range(NUM_FRAMES)})
        session.add_object()
        session.select_object(3)
        session.set_object_locked(1, True)
        session.set_marks("verified", [2], range(NUM_FRAMES), on=True)
        hand.says = "keep"
        before = [region(session.masks.get(frame), i) for frame in range(NUM_FRAMES) for i in (1, 2)]
        for name, place, frame in script:
            session.seek(frame)
            if name == "propagate" and 3 in session.key_frames.on(frame):
                hand.propagate()
            elif name != "propagate":
                hand.drag("brush", (place, 8)) if name == "brush" else hand.click(place, 8)
        assert [region(session.masks.get(frame), i) for frame in range(NUM_FRAMES) for i in (1, 2)] == before
        session.close()


def test_a_long_step_is_read_back_from_the_journal_as_a_job(hand: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    two_objects(hand).merge_objects(2, 1)
    after = hand.state()
    session = hand.reopen()
    monkeypatch.setattr("interact.session_history.QUICKLY_LOADED", 0)
    worker = Worker(hand)
    assert session.undo() == "merge object 2 into object 1"
    assert worker.jobs[0].name == "Reading back: merge object 2 into object 1"
    assert worker.run(1) == "done" and worker.run() == "done" and not session.is_locked
    assert session.masks.object_ids(5) == {1, 2} and session.history.redo_label == "merge object 2 into object 1"
    session.redo()
    assert worker.run() == "done" and hand.state() == after
