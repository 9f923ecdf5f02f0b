"""What answers clicks and scribbles: the best that is here unless the user says otherwise, built when first asked."""
from __future__ import annotations

import numpy as np
import pytest

from interact.interaction import Interaction
from interact.method_choice import AUTO, MethodChoice
from interact.methods import METHODS, Method, build_predictor
from interact.predictor import MaskPredictor
from interact.prompts import Click, Point, Stroke
from util.config import INTERACTIONS
from util.errors import AppError
from util.jobs import CancelToken
from util.types import ImageU8

IMAGE = np.zeros((8, 10, 3), np.uint8)
CLICK = Interaction.start(0, 1, Click(2, 2, True), np.zeros((8, 10), np.uint8))
STROKE = Interaction.start(0, 1, Stroke((Point(1, 1), Point(4, 4)), True, 2), np.zeros((8, 10), np.uint8))


class Named:
    """Says who it is by the column that it marks."""

    def __init__(self, method: Method) -> None:
        self.column = METHODS.index(method)

    def predict(self, image: ImageU8, interaction: Interaction, token: CancelToken) -> np.ndarray:
        region = np.zeros(image.shape[:2], np.bool_)
        region[:, self.column] = True
        return region


class Shelf:
    """Methods whose weights are here; counts what was built."""

    def __init__(self, *here: str) -> None:
        self.here, self.built = set(here), []

    def build(self, method: Method) -> MaskPredictor:
        if method.weights and method.name not in self.here:
            raise AppError(f"no weights for {method.name}")
        self.built.append(method.name)
        return Named(method)

    def choice(self, **wanted: str) -> MethodChoice:
        return MethodChoice(self.build, lambda method: not method.weights or method.name in self.here, wanted)


def asked(choice: MethodChoice, interaction: Interaction) -> str:
    return METHODS[int(np.flatnonzero(choice.predict(IMAGE, interaction, CancelToken())[0])[0])].name


def test_the_flag_names_every_method() -> None:
    assert tuple(method.name for method in METHODS) == INTERACTIONS


@pytest.mark.parametrize(
    ("here", "click", "scribble"),
    [
        ((), "grabcut", "grabcut"),
        (("light",), "light", "light"),
        (("fbrs", "light"), "fbrs", "light"),
        (("s2m", "fbrs", "ritm"), "ritm", "s2m"),
    ],
)
def test_auto_is_the_best_that_is_here(here: tuple[str, ...], click: str, scribble: str) -> None:
    shelf = Shelf(*here)
    choice = shelf.choice()
    assert (asked(choice, CLICK), asked(choice, STROKE)) == (click, scribble)
    assert (choice.answering("click").name, choice.wanted("click")) == (click, AUTO)


def test_weights_that_come_later_count_and_a_network_is_built_once() -> None:
    shelf = Shelf()
    choice = shelf.choice()
    assert asked(choice, CLICK) == "grabcut"
    shelf.here.add("ritm")
    assert [asked(choice, CLICK) for _ in range(2)] == ["ritm", "ritm"] and shelf.built == ["grabcut", "ritm"]


def test_a_choice_holds_for_its_kind_and_says_when_it_cannot_be_done() -> None:
    shelf = Shelf("ritm")
    choice = shelf.choice(click="fbrs")
    with pytest.raises(AppError, match="no weights for fbrs"):
        asked(choice, CLICK)
    shelf.here.add("fbrs")
    assert asked(choice, CLICK) == "fbrs" and asked(choice, STROKE) == "grabcut"
    choice.choose("click", AUTO)
    assert asked(choice, CLICK) == "ritm"


def test_offers_and_choices_are_for_a_kind() -> None:
    choice = Shelf("s2m").choice()
    offers = {offer.method.name: offer.is_ready for offer in choice.offers("scribble")}
    assert offers == {"s2m": True, "light": False, "grabcut": True}
    for name in ("ritm", "nothing"):
        with pytest.raises(ValueError, match=name):
            choice.choose("scribble", name)


def test_grabcut_is_built_without_weights() -> None:
    image = np.full((40, 40, 3), 20, np.uint8)
    image[10:30, 10:30] = 220
    interaction = Interaction.start(0, 1, Click(20, 20, True), np.zeros((40, 40), np.uint8))
    region = build_predictor(METHODS[-1], "cpu", mixed_precision=False).predict(image, interaction, CancelToken())
    assert region[20, 20] and not region[2, 2]
