"""A propagation through the session: what the engine is asked, what it may change, how it ends and is undone."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from inference_core.api import FrameResult, MemoryExhausted, PropagationRequest
from interact.baselines import baseline_after_edit, baseline_after_propagation
from interact.packed_mask import PackedMask
from interact.session import LOCKED_MESSAGE
from tests.interact.scene import NUM_FRAMES, SIZE, Driver, region
from util.errors import AppError
from util.jobs import CancelToken, run_inline


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def block(object_id: int, x: int, y: int = 4) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    mask[y : y + 4, x : x + 4] = object_id
    return mask


def test_done_is_one_step_and_undo_brings_everything_back(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    before = hand.state()
    assert hand.propagate().kind == "done"
    assert session.masks.frames() == list(range(NUM_FRAMES))
    assert session.history.undo_label == "propagate 11 frames"
    assert hand.messages == ["Propagated 11 frames."]
    after = hand.state()
    session.undo()
    assert hand.state() == before
    session.redo()
    assert hand.state() == after


def test_cancelled_keeps_the_frames_reached(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    before = hand.state()
    assert hand.propagate(cancel_at=4).kind == "cancelled"
    assert session.masks.frames() == [0, 1, 2, 3, 4]
    assert session.history.undo_label == "propagate 4 frames (stopped)" and not session.is_locked
    assert hand.core.is_closed
    session.undo()
    assert hand.state() == before


def test_cancelled_before_the_first_frame_is_no_step(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: block(1, 4)})
    session.key_frames.replace({0: frozenset()})
    before, label = hand.state(), session.history.undo_label
    job = session.propagate_job(lambda: hand.core, "both")
    token = CancelToken()
    token.cancel()
    assert run_inline(job, token).kind == "cancelled"
    assert hand.state() == before and session.history.undo_label == label and not session.is_locked


@pytest.mark.parametrize("fail_at", [1, 5])
def test_failure_restores_the_masks_and_names_the_error(hand: Driver, fail_at: int) -> None:
    session = hand.session
    hand.click(8, 10)
    hand.propagate(cancel_at=7)
    before, label = hand.state(), session.history.undo_label
    hand.click(8, 14)
    session.undo()
    hand.core.fail_at = fail_at
    assert hand.propagate().kind == "failed"
    assert hand.state() == before and session.history.undo_label == label and not session.is_locked
    assert hand.messages[-1] == "Propagation failed, the masks are as before: the fake engine broke"


def test_when_the_memory_is_exhausted_the_finished_frames_stay(
    hand: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = hand.session
    hand.click(8, 10)
    before, plain = hand.state(), hand.core.propagate

    def exhausted(request: PropagationRequest, token: CancelToken) -> Iterator[FrameResult]:
        for result in plain(request, token):
            if result.done == 5:
                raise MemoryExhausted("There is no memory left.", "Choose a smaller size.")
            yield result

    monkeypatch.setattr(hand.core, "propagate", exhausted)
    assert hand.propagate().kind == "failed"
    assert session.masks.frames() == [0, 1, 2, 3, 4] and not session.is_locked
    assert session.history.undo_label == "propagate 4 frames (stopped)"
    assert hand.messages[-1] == "Propagated 4 frames (stopped). There is no memory left. Choose a smaller size."
    session.undo()
    assert hand.state() == before


def test_engine_that_cannot_be_built_unlocks(hand: Driver) -> None:
    hand.click(8, 10)

    def build() -> NoReturn:
        raise AppError("weights.pth is missing.", "Download it.")

    job = hand.session.propagate_job(build, "both")
    assert run_inline(job).kind == "failed"
    assert not hand.session.is_locked and "weights.pth is missing. Download it." in hand.messages[-1]


def test_editing_is_locked_from_the_job_to_its_end(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    job = session.propagate_job(lambda: hand.core, "both")
    assert session.is_locked
    with pytest.raises(AppError, match="already running"):
        session.propagate_job(lambda: hand.core, "both")
    assert hand.press(3, 3) is None and hand.messages == [LOCKED_MESSAGE]
    session.seek(3)
    run_inline(job)
    assert not session.is_locked and session.history.undo_label == "propagate 11 frames"


def test_nothing_on_the_frame_is_refused(hand: Driver) -> None:
    with pytest.raises(AppError, match="Mark an object on this frame first"):
        hand.session.propagate_job(lambda: hand.core, "both")
    assert not hand.session.is_locked


def test_waits_for_the_last_click(hand: Driver) -> None:
    job = hand.press(8, 10)
    with pytest.raises(AppError, match="still being computed"):
        hand.session.propagate_job(lambda: hand.core, "both")
    run_inline(job)
    assert hand.propagate().kind == "done"


def test_direction_and_range_reach_the_engine(hand: Driver) -> None:
    session = hand.session
    session.import_masks({5: block(1, 4)})
    session.seek(5)
    session.in_out.set_first(2)
    session.in_out.set_last(9)
    run_inline(session.propagate_job(lambda: hand.core, "backward"))
    assert hand.core.requests == [PropagationRequest(5, "backward", 2, 9)]
    assert session.masks.frames() == [2, 3, 4, 5]
    assert session.history.undo_label == "propagate 3 frames"


def test_a_frame_with_a_mask_becomes_a_key_frame(hand: Driver) -> None:
    """As in MiVOS: what is propagated counts as what the user wanted."""
    session = hand.session
    hand.click(8, 10)
    hand.propagate()
    session.seek(6)
    before = hand.state()
    hand.propagate()
    assert session.key_frames == {0: {1}, 6: {1}}
    session.undo()
    assert hand.state() == before


def test_only_objects_fixed_on_the_frame_are_carried(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: block(1, 4) + block(2, 4, 14)})
    hand.propagate()
    two = [region(session.masks.get(frame), 2) for frame in range(NUM_FRAMES)]
    session.seek(6)
    session.select_object(1)
    session.brush_size = 4
    hand.drag("brush", (20, 10))
    hand.propagate()
    assert session.key_frames[6] == {1}
    assert [region(session.masks.get(frame), 2) for frame in range(NUM_FRAMES)] == two


def test_engine_that_breaks_a_key_frame_is_stopped(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: block(1, 4), 3: block(1, 20)})
    before = hand.state()
    hand.core.break_rule = True
    assert hand.propagate("forward").kind == "failed"
    assert "protected objects [1] on frame 3" in hand.messages[-1]
    assert hand.state() == before


def test_engine_that_touches_another_object_is_stopped(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: block(1, 4), 5: block(2, 9)})
    before = hand.state()
    hand.core.break_rule = True
    assert hand.propagate("forward").kind == "failed"
    assert "protected objects [2] on frame 5" in hand.messages[-1]
    assert hand.state() == before


def test_engine_is_told_key_frames_and_what_they_were_before(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    hand.propagate()
    session.seek(6)
    found = session.masks.get(6)
    hand.drag("brush", (20, 10))
    hand.drag("brush", (25, 10))
    session.seek(2)
    hand.drag("eraser", (10, 10))
    session.seek(6)
    hand.propagate()
    first, second, third = hand.core.synced
    assert (first.frame, first.baseline) == (0, None)
    assert second.frame == 2 and second.baseline is not None
    assert third.frame == 6 and third.object_ids == {1}
    assert (third.baseline == found).all()
    assert not (third.mask == found).all()
    session.undo()
    hand.propagate("forward")
    assert (hand.core.synced[2].baseline == found).all()


def test_a_correction_counts_once_per_direction(hand: Driver) -> None:
    hand.click(8, 10)
    hand.propagate()
    hand.session.seek(5)
    hand.drag("eraser", (12, 10))
    told = []
    for direction in ("forward", "forward", "backward", "backward"):
        hand.propagate(direction)
        told.append(hand.core.synced[1].baseline is not None)
    assert told == [True, False, True, False]


def test_a_stopped_run_still_owes_its_correction(hand: Driver) -> None:
    hand.click(8, 10)
    owed = hand.session.baselines.get(0)
    assert owed is not None
    hand.propagate(cancel_at=3)
    assert hand.session.baselines.get(0) == owed
    hand.propagate()
    assert hand.session.baselines.get(0) is None


def test_baseline_is_due_until_both_sides_have_it() -> None:
    before = np.zeros(SIZE, np.uint8)
    baseline = baseline_after_edit(None, before)
    assert baseline.mask == PackedMask.pack(before)
    forward = baseline_after_propagation(baseline, "forward")
    assert forward is not None and not forward.forward and forward.backward
    assert baseline_after_propagation(forward, "backward") is None
    assert baseline_after_propagation(baseline, "both") is None
    again = baseline_after_edit(forward, block(1, 3))
    assert again == baseline
    assert baseline_after_propagation(None, "forward") is None


def test_absence_is_carried_too(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    hand.propagate()
    session.seek(6)
    session.clear_frame()
    hand.propagate("forward")
    assert session.masks.frames() == [0, 1, 2, 3, 4, 5]
    session.seek(7)
    with pytest.raises(AppError):
        session.propagate_job(lambda: hand.core, "forward")


def test_propagating_from_a_video_of_one_frame_changes_nothing(tmp_path: Path) -> None:
    hand = Driver(tmp_path, num_frames=1)
    hand.click(8, 10)
    assert hand.propagate().kind == "done"
    assert hand.messages == ["Nothing was propagated."] and hand.session.history.undo_label == "click on object 1"
    hand.session.close()
