"""Clicks answered by a click network: what it is told, what is kept, and a mask that was there before."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.api import ImageClick
from interact.click_predictor import KEPT_STATES, ClickPredictor, image_click, middle_of
from interact.interaction import Interaction
from interact.predictor import MaskPredictor
from interact.prompts import Click, Point, Stroke
from util.jobs import Cancelled, CancelToken
from util.types import ImageU8, Size

SIZE = Size(60, 80)
IMAGE = np.zeros((*SIZE, 3), np.uint8)
OBJECT = 3


@dataclass(frozen=True)
class State:
    clicks: tuple[ImageClick, ...]
    prob: NDArray[np.float32]


@dataclass
class Squares:
    """A click network that adds or removes 11x11 pixels around each click, and starts from the mask if it sees one."""

    takes_mask: bool = False
    name: str = "squares"
    runs: int = 0
    started: list[tuple[bool, tuple[ImageClick, ...]]] = field(default_factory=list)

    def start(
        self, image: ImageU8, mask: NDArray[np.bool_] | None = None, clicks: Sequence[ImageClick] = ()
    ) -> State:
        self.started.append((mask is not None, tuple(clicks)))
        prob = np.zeros(image.shape[:2], np.float32)
        return State(tuple(clicks), prob if mask is None or not self.takes_mask else mask.astype(np.float32))

    def click(self, state: State, click: ImageClick, token: CancelToken) -> State:
        token.check()
        self.runs += 1
        prob = state.prob.copy()
        row, column = round(click.row), round(click.column)
        prob[max(0, row - 5) : row + 6, max(0, column - 5) : column + 6] = 0.9 if click.positive else 0.1
        return State((*state.clicks, click), prob)


def asked(*clicks: Click, mask: NDArray[np.uint8] | None = None) -> Interaction:
    mask = np.zeros(SIZE, np.uint8) if mask is None else mask
    interaction = Interaction.start(0, OBJECT, clicks[0], mask)
    for click in clicks[1:]:
        interaction = interaction.add(click, mask)
    return interaction


def answer(predictor: MaskPredictor, *clicks: Click, mask: NDArray[np.uint8] | None = None) -> NDArray[np.bool_]:
    return predictor.predict(IMAGE, asked(*clicks, mask=mask), CancelToken())


FIRST, SECOND, OTHER = Click(20.5, 30.5, True), Click(50.5, 30.5, True), Click(60.5, 10.5, True)


def test_a_further_click_costs_one_step_and_undoing_none() -> None:
    network = Squares()
    predictor = ClickPredictor(network)
    one = answer(predictor, FIRST)
    assert network.runs == 1 and one[30, 20] and not one[30, 50] and np.count_nonzero(one) == 121
    two = answer(predictor, FIRST, SECOND)
    assert network.runs == 2 and two[30, 20] and two[30, 50]
    np.testing.assert_array_equal(answer(predictor, FIRST), one)  # undone
    np.testing.assert_array_equal(answer(predictor, FIRST, SECOND), two)  # redone
    assert network.runs == 2
    answer(predictor, FIRST, OTHER)
    assert network.runs == 3 and network.started == [(False, ())]


def test_what_is_kept_changes_no_answer() -> None:
    clicks = [Click(float(x) + 0.5, 30.5, x % 20 < 10) for x in range(5, 75, 5)]
    kept = ClickPredictor(Squares())
    for count in (3, len(clicks), 5, len(clicks), 1):
        np.testing.assert_array_equal(answer(kept, *clicks[:count]), answer(ClickPredictor(Squares()), *clicks[:count]))
    assert len(clicks) > KEPT_STATES


def test_another_picture_or_another_mask_starts_anew() -> None:
    network = Squares()
    predictor = ClickPredictor(network)
    answer(predictor, FIRST)
    predictor.predict(IMAGE + 1, asked(FIRST), CancelToken())
    mask = np.zeros(SIZE, np.uint8)
    mask[25:35, 15:25] = OBJECT
    answer(predictor, FIRST, mask=mask)
    assert network.runs == 3 and len(network.started) == 3


def test_only_negative_clicks_on_nothing_find_nothing() -> None:
    network = Squares()
    predictor = ClickPredictor(network)
    assert not answer(predictor, replace(FIRST, positive=False)).any() and network.runs == 0
    region = answer(predictor, replace(FIRST, positive=False), SECOND)
    assert region[30, 50] and not region[30, 20] and network.runs == 2


@pytest.mark.parametrize("takes_mask", [False, True])
def test_a_mask_that_was_there_changes_around_the_clicks_only(takes_mask: bool) -> None:
    """One network sees the mask, the other is told of it by a click in its middle; both leave the far part alone."""
    mask = np.zeros(SIZE, np.uint8)
    mask[20:41, 10:31] = OBJECT
    mask[50:55, 60:70] = OBJECT
    network = Squares(takes_mask)
    predictor = ClickPredictor(network)
    region = answer(predictor, Click(31.5, 30.5, True), mask=mask)
    assert network.started == [(True, () if takes_mask else (ImageClick(30.0, 20.0, True),))]
    assert network.runs == 1
    assert region[30, 35] and region[52, 65]
    assert region[21, 11]  # lost in the answer of the network that sees no mask, but not around the click


def test_prompts_are_held() -> None:
    class Nothing(Squares):
        def click(self, state: State, click: ImageClick, token: CancelToken) -> State:
            return State((*state.clicks, click), np.zeros(SIZE, np.float32))

    region = answer(ClickPredictor(Nothing()), FIRST)
    assert region[30, 20] and np.count_nonzero(region) <= 9


def test_coordinates_of_clicks() -> None:
    assert image_click(Click(0.2, 59.9, True), SIZE) == ImageClick(59.0, 0.0, True)
    assert image_click(Click(10.5, 7.5, False), SIZE) == ImageClick(7.0, 10.0, False)
    assert image_click(Click(79.9, 0.0, True), SIZE) == ImageClick(0.0, 79.0, True)


def test_middle_keeps_away_from_the_border() -> None:
    region = np.zeros(SIZE, np.bool_)
    region[:, 60:] = True
    assert middle_of(region).column in (69, 70)


def test_cancelling_keeps_what_was_found() -> None:
    network = Squares()
    predictor = ClickPredictor(network)
    answer(predictor, FIRST)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        predictor.predict(IMAGE, asked(FIRST, SECOND), token)
    answer(predictor, FIRST, SECOND)
    assert network.runs == 2


def test_scribbles_are_not_for_it() -> None:
    stroke = Stroke((Point(3.0, 4.0),), True, 3.0)
    with pytest.raises(ValueError, match="clicks"):
        ClickPredictor(Squares()).predict(
            IMAGE, Interaction.start(0, OBJECT, stroke, np.zeros(SIZE, np.uint8)), CancelToken()
        )
