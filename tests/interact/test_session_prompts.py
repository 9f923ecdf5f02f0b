"""Clicks and scribbles: asked at once, answered by a job, undone without one."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from interact.prompts import Click
from tests.interact.scene import SIZE, Driver, region
from util.errors import AppError
from util.jobs import CancelToken, run_inline
from util.types import Rect


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def test_click_makes_a_mask_and_a_key_frame(hand: Driver) -> None:
    hand.click(10, 10)
    session = hand.session
    assert session.masks.get(0)[10, 10] == 1 and session.masks.get(0)[10, 20] == 0
    assert session.key_frames == {0: {1}}
    assert session.interaction is not None and session.interaction.prompts == (Click(10, 10, True),)


def test_further_clicks_extend_the_interaction(hand: Driver) -> None:
    hand.click(10, 10)
    hand.click(20, 10)
    hand.click(10, 7, right=True)
    session = hand.session
    assert [len(i.prompts) for i in hand.predictor.seen] == [1, 2, 3]
    assert hand.predictor.seen[1].previous.any() and not hand.predictor.seen[0].previous.any()
    assert session.masks.get(0)[10, 20] == 1 and session.masks.get(0)[6, 10] == 0


def test_undo_restores_mask_and_interaction_without_predicting(hand: Driver) -> None:
    states, interactions = [hand.state()], [hand.session.interaction]
    hand.session.add_object()
    states[0] = hand.state()
    for x in (8, 14, 22):
        hand.click(x, 10)
        states.append(hand.state())
        interactions.append(hand.session.interaction)
    asked = len(hand.predictor.seen)
    for state, interaction in zip(states[-2::-1], interactions[-2::-1], strict=True):
        assert hand.session.undo() == "click on object 1"
        assert hand.state() == state and hand.session.interaction == interaction
    for state, interaction in zip(states[1:], interactions[1:], strict=True):
        hand.session.redo()
        assert hand.state() == state and hand.session.interaction == interaction
    assert len(hand.predictor.seen) == asked


def test_a_click_after_undo_goes_on_from_the_restored_interaction(hand: Driver) -> None:
    hand.click(8, 10)
    hand.click(22, 10)
    hand.session.undo()
    hand.click(8, 20)
    assert hand.session.interaction.prompts == (Click(8, 10, True), Click(8, 20, True))
    assert hand.session.masks.get(0)[10, 22] == 0


@pytest.mark.parametrize("leave", ["seek", "tool", "object"])
def test_leaving_closes_the_interaction(hand: Driver, leave: str) -> None:
    hand.click(8, 10)
    session = hand.session
    if leave == "seek":
        session.seek(1)
        session.seek(0)
    elif leave == "tool":
        session.set_tool("brush")
        session.set_tool("click")
    else:
        session.add_object()
        session.select_object(1)
    assert session.interaction is None
    hand.click(22, 10)
    assert session.interaction.prompts == (Click(22, 10, True),)
    assert session.masks.get(0)[10, 22] == 1


def test_new_interaction_on_a_mask_starts_from_it(hand: Driver) -> None:
    hand.click(8, 10)
    hand.session.seek(1)
    hand.session.seek(0)
    hand.click(22, 10)
    assert hand.predictor.seen[-1].previous[10, 8]


def test_marker_is_shown_before_the_answer(hand: Driver) -> None:
    session = hand.session
    job = hand.press(8, 10)
    assert session.interaction.prompts == (Click(8, 10, True),) and session.masks.is_empty(0)
    run_inline(job)
    assert not session.masks.is_empty(0)


def test_fast_clicks_are_answered_together(hand: Driver) -> None:
    session = hand.session
    first, second = hand.press(8, 10), hand.press(22, 10)
    run_inline(first)  # its answer comes too late
    assert session.masks.is_empty(0)
    run_inline(second)
    assert session.masks.get(0)[10, 8] == session.masks.get(0)[10, 22] == 1
    assert session.undo() == "click on object 1" and session.masks.is_empty(0) and session.interaction is None
    assert hand.messages == []


def test_undo_before_the_answer_drops_the_click(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    settled = session.interaction
    job = hand.press(22, 10)
    assert session.undo() == "click"
    assert session.interaction is settled
    run_inline(job)
    assert session.masks.get(0)[10, 22] == 0 and session.masks.get(0)[10, 8] == 1


def test_answer_arrives_although_the_user_went_on_to_another_frame(hand: Driver) -> None:
    session = hand.session
    job = hand.press(8, 10)
    session.seek(5)
    run_inline(job)
    assert session.masks.get(0)[10, 8] == 1 and session.interaction is None and session.frame == 5
    session.undo()
    assert session.masks.is_empty(0) and session.frame == 0


def test_answer_is_dropped_when_the_mask_changed_meanwhile(hand: Driver) -> None:
    session = hand.session
    session.brush_size = 4
    job = hand.press(8, 10)
    hand.drag("brush", (25, 20))
    painted = session.masks.get(0)
    run_inline(job)
    assert (session.masks.get(0) == painted).all()
    assert hand.messages == ["The click on frame 0 had no effect: the mask changed in the meantime."]


def test_answer_for_a_deleted_object_is_dropped(hand: Driver) -> None:
    session = hand.session
    job = hand.press(8, 10)
    session.delete_object(1)
    run_inline(job)
    assert session.masks.is_empty(0) and session.objects.order == ()
    assert hand.messages == ["The click on frame 0 was for a deleted object."]


def test_failed_answer_takes_the_click_back(hand: Driver) -> None:
    session = hand.session
    hand.click(8, 10)
    settled = session.interaction
    hand.predictor.error = AppError("frame 0 cannot be read.")
    assert hand.click(22, 10).kind == "failed"
    assert session.interaction is settled
    assert hand.messages == ["The click on frame 0 failed: frame 0 cannot be read."]
    hand.predictor.error = None
    hand.click(20, 20)
    assert session.interaction.prompts == (Click(8, 10, True), Click(20, 20, True))


def test_cancelled_answer_takes_the_click_back(hand: Driver) -> None:
    token = CancelToken()
    token.cancel()
    job = hand.press(8, 10)
    run_inline(job, token)
    assert hand.session.interaction is None
    assert hand.messages == ["The click on frame 0 was stopped before it had a result."]


def test_scribble_is_a_prompt_of_another_kind(hand: Driver) -> None:
    hand.click(8, 10)
    job = hand.drag("scribble", (20, 15), (22, 15), (25, 15))
    run_inline(job)
    assert hand.session.interaction.kind == "scribble"
    assert hand.session.masks.get(0)[15, 20] == 1 and hand.session.masks.get(0)[10, 8] == 0  # the fake sees one prompt
    assert hand.session.undo() == "scribble on object 1"
    assert hand.session.masks.get(0)[10, 8] == 1


def test_other_objects_keep_or_lose_pixels_by_order(hand: Driver) -> None:
    session = hand.session
    mask = np.zeros(SIZE, np.uint8)
    mask[Rect(0, 0, 16, 24).slices] = 1
    mask[Rect(16, 0, 32, 24).slices] = 3
    session.import_masks({0: mask})
    session.add_object("below both")
    hand.click(16, 12)
    assert (session.masks.get(0) == mask).all()
    session.select_object(3)
    hand.click(16, 12)
    assert region(session.masks.get(0), 1) == region(mask, 1)
    session.select_object(1)
    hand.click(20, 12)
    assert session.masks.get(0)[12, 20] == 1
    assert session.key_frames == {0: {1, 3, 4}}


def test_other_objects_stay_byte_identical(hand: Driver) -> None:
    session = hand.session
    mask = np.zeros(SIZE, np.uint8)
    mask[2:6, 2:6] = 2
    session.import_masks({0: mask})
    session.add_object()
    hand.click(20, 15)
    hand.click(25, 18)
    assert region(session.masks.get(0), 2) == region(mask, 2)


def test_a_later_click_gives_back_what_an_earlier_one_took(hand: Driver) -> None:
    """Every answer is laid over the mask from before the interaction, not over the last answer."""
    session = hand.session
    mask = np.zeros(SIZE, np.uint8)
    mask[8:12, 8:12] = 2
    session.add_object()
    session.import_masks({0: mask})
    session.select_object(1)
    hand.click(10, 10)
    assert not region(session.masks.get(0), 2)
    hand.click(10, 10, right=True)
    assert region(session.masks.get(0), 2) == region(mask, 2)


def test_an_answer_that_found_nothing_says_so(hand: Driver) -> None:
    hand.predictor.radius = 0.5
    hand.click(8, 10)
    assert hand.session.masks.get(0)[10, 8] == 1
    assert hand.messages == ["Nothing more was found around the click: add prompts, or paint."]
    hand.predictor.radius = 5
    hand.click(8, 10)
    assert len(hand.messages) == 1
