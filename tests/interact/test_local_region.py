"""A local region: what lies outside stays byte for byte, whatever is done inside, with every predictor."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from interact.click_predictor import ClickPredictor
from interact.events import PointerEvent
from interact.grabcut import GrabCutPredictor
from interact.interaction import Interaction
from interact.local_region import MIN_SIDE, predict_within, region_between
from interact.methods import LIGHT_LENS
from interact.network_predictor import NetworkPredictor
from interact.predictor import MaskPredictor
from interact.prompts import Click, Hint, Point, Stroke
from tests.interact.scene import Driver
from tests.interact.test_click_predictor import Squares
from tests.interact.test_network_predictor import ColorSegmenter
from util.jobs import CancelToken, run_inline
from util.types import Rect, Size

PART = Rect(8, 4, 26, 24)


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def outside(mask: np.ndarray, rect: Rect = PART) -> np.ndarray:
    rest = mask.copy()
    rest[rect.slices] = 0
    return rest


def test_a_region_is_drawn_and_the_tool_before_comes_back(hand: Driver) -> None:
    session = hand.session
    session.set_tool("brush")
    hand.drag("region", (26, 23.5), (8.5, 4.2))
    assert session.region == Rect(8, 4, 26, 24) and session.tool.name == "brush"
    hand.drag("region", (2, 2), (2 + MIN_SIDE - 2, 20))
    assert session.region == PART and session.tool.name == "region", "too small: nothing changes"
    assert not session.masks.get(0).any() and session.objects.selected is None


def test_clicks_scribbles_brush_and_polygon_change_nothing_outside(hand: Driver) -> None:
    session = hand.session
    hand.drag("brush", (2, 2), (30, 20))
    before = session.masks.get(0).copy()
    session.add_object()
    session.set_region(PART)
    hand.predictor.radius = 9
    hand.click(12, 8)
    scribble = hand.drag("scribble", (20, 12), (31, 12))
    assert scribble is not None
    run_inline(scribble)
    hand.drag("brush", (10, 20), (31, 23))
    session.set_tool("polygon")
    for corner in ((0, 0), (30, 3), (12, 22)):
        hand.press(*corner)
    hand.press(0, 0)
    after = session.masks.get(0)
    assert (outside(after) == outside(before)).all() and (after[PART.slices] == 2).sum() > 100
    for _ in range(4):
        session.undo()
    assert (session.masks.get(0) == before).all()
    asked = hand.predictor.seen[0]
    assert asked.prompts == (Click(4, 4, True),) and asked.base_mask.shape == (20, 18)


def test_a_press_outside_does_nothing_and_leaving_ends_it(hand: Driver) -> None:
    session, messages = hand.session, []
    session.message.connect(messages.append)
    session.set_region(PART)
    assert hand.press(2, 2) is None and "outside the local region" in messages[-1]
    session.dispatch(PointerEvent("cancel", 0, 0, "none"))
    assert session.region is None
    hand.click(2, 2)
    assert session.masks.get(0)[2, 2] == 1


def test_another_region_begins_another_interaction(hand: Driver) -> None:
    session = hand.session
    session.set_region(PART)
    hand.click(12, 8)
    session.set_region(None)
    assert session.interaction is None
    hand.click(14, 8)
    assert len(hand.predictor.seen[-1].prompts) == 1
    session.undo()
    session.undo()
    session.redo()
    assert session.interaction is not None and session.interaction.region == PART


def test_rectangles() -> None:
    size = Size(60, 80)
    assert region_between(Point(70.2, 50.2), Point(200, 10), size) is None
    assert region_between(Point(50.2, 50.2), Point(200, -10), size) == Rect(50, 0, 80, 51)


@pytest.mark.parametrize(
    ("predictor", "prompt"),
    [
        (GrabCutPredictor(), Click(60, 50, True)),
        (GrabCutPredictor(), Stroke((Point(50, 50), Point(90, 52)), True, 5)),
        (NetworkPredictor(ColorSegmenter(), LIGHT_LENS), Click(60, 50, True)),
        (ClickPredictor(Squares()), Click(60, 50, True)),
    ],
)
def test_every_predictor_keeps_to_the_region(predictor: MaskPredictor, prompt: Hint) -> None:
    image = np.full((100, 120, 3), 30, np.uint8)
    image[20:80, 10:110] = (200, 60, 60)
    mask = np.zeros((100, 120), np.uint8)
    mask[:10] = 1
    rect = Rect(40, 30, 80, 70)
    answer = predict_within(predictor, image, Interaction.start(0, 1, prompt, mask, rect), CancelToken())
    assert (outside(answer, rect) == outside(mask == 1, rect)).all()
    assert answer[50, 60]
