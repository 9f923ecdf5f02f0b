"""Windows, hints and pasting back around an interaction network, with a network that follows a simple rule."""
from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from inference_core.api import HINT_DIAMETER
from interact import network_predictor
from interact.interaction import Interaction
from interact.methods import LIGHT_LENS, build_predictor, find_method
from interact.network_predictor import NetworkPredictor
from interact.prompts import Click, Hint, Point, Stroke
from interact.seeds import hold_prompts
from util.jobs import Cancelled, CancelToken
from util.types import ImageU8

GREEN, RED = (60, 160, 60), (200, 40, 40)


@dataclass
class ColorSegmenter:
    """What was there, and all connected areas of the colours under positive hints, less those under negative ones.

    `sees_too_much`: answers everywhere where the colour fits, wherever the prompts are.
    """

    sees_too_much: bool = False
    seen: list[tuple[np.ndarray, ...]] = field(default_factory=list)

    def segment(
        self, image: ImageU8, previous: np.ndarray, inside: np.ndarray, outside: np.ndarray
    ) -> np.ndarray:
        self.seen.append((image, previous, inside, outside))
        assert image.dtype == np.uint8 and previous.dtype == inside.dtype == outside.dtype == np.bool_
        assert image.shape[:2] == previous.shape == inside.shape == outside.shape
        red = (np.abs(image.astype(int) - RED) < 60).all(axis=2)
        _, parts = cv2.connectedComponents(red.astype(np.uint8))
        wanted = red if self.sees_too_much else np.isin(parts, parts[inside & red])
        unwanted = np.isin(parts, parts[outside & red])
        return (((previous | wanted) & ~unwanted) | inside).astype(np.float32)


def scene(*discs: tuple[int, int, int], size: tuple[int, int] = (360, 480)) -> tuple[ImageU8, list[np.ndarray]]:
    """Red discs (x, y, radius) on green; the image and the discs."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    found = [(x - cx) ** 2 + (y - cy) ** 2 <= radius**2 for cx, cy, radius in discs]
    image = np.empty((*size, 3), np.uint8)
    image[:] = GREEN
    for disc in found:
        image[disc] = RED
    return image, found


def ask(
    segmenter: ColorSegmenter, image: ImageU8, *prompts: Hint, shown: np.ndarray | None = None, base: bool = False
) -> np.ndarray:
    """The answer to all prompts together, given on `shown`; `base`: that mask was there before the first of them."""
    blank = np.zeros(image.shape[:2], np.uint8)
    mask = blank if shown is None else shown.astype(np.uint8)
    interaction = Interaction.start(0, 1, prompts[0], mask if base else blank)
    for prompt in prompts[1:]:
        interaction = interaction.add(prompt, mask)
    return NetworkPredictor(segmenter, LIGHT_LENS).predict(image, interaction, CancelToken())


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_the_first_click_is_answered_twice_and_the_second_time_closer() -> None:
    image, (disc,) = scene((300, 200, 25))
    segmenter = ColorSegmenter()
    assert iou(ask(segmenter, image, Click(300, 200, True)), disc) > 0.95
    (whole, *_), (near, previous, *_) = segmenter.seen
    assert whole.shape == (192, 256, 3) and max(near.shape) <= LIGHT_LENS.side
    assert not previous.any(), "the second look starts afresh"
    red = [(np.abs(picture.astype(int) - RED) < 60).all(axis=2) for picture in (whole, near)]
    assert red[1].mean() > 4 * red[0].mean()


@pytest.mark.parametrize(("disc", "looks"), [((300, 200, 25), 2), ((240, 180, 170), 1)])
def test_only_the_answer_that_is_given_is_snapped(
    disc: tuple[int, int, int], looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = scene(disc)
    segmenter, snapped = ColorSegmenter(), list[ImageU8]()
    kept = network_predictor.snap
    monkeypatch.setattr(network_predictor, "snap", lambda *given: (snapped.append(given[0]), kept(*given))[1])
    click = Interaction.start(0, 1, Click(*disc[:2], True), np.zeros(image.shape[:2], np.uint8))
    NetworkPredictor(segmenter, LIGHT_LENS, snaps=True).predict(image, click, CancelToken())
    assert len(segmenter.seen) == looks
    assert len(snapped) == 1 and snapped[0] is segmenter.seen[-1][0]


def test_built_it_has_answered_a_first_and_a_further_click(monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = ColorSegmenter()
    monkeypatch.setattr("inference_core.interaction.build_segmenter", lambda *given, **settings: segmenter)
    build_predictor(find_method("light"), "cpu", mixed_precision=False)
    (_, *first), *_, (_, previous, inside, _) = segmenter.seen
    assert first[0].shape == (144, 256) and not first[0].any() and first[1].any()
    assert previous.any() and inside.any() and previous.shape != first[0].shape


def test_an_object_that_fills_the_frame_is_looked_at_once() -> None:
    image, (disc,) = scene((240, 180, 170))
    segmenter = ColorSegmenter()
    assert iou(ask(segmenter, image, Click(240, 180, True)), disc) > 0.98
    assert len(segmenter.seen) == 1


def test_hints_are_as_wide_as_in_training_whatever_the_scale() -> None:
    image, _ = scene((300, 200, 25), (600, 300, 90), size=(480, 854))
    segmenter = ColorSegmenter()
    for click in (Click(300, 200, True), Click(600, 300, True)):
        ask(segmenter, image, click, Click(20, 20, False))
    assert len(segmenter.seen) >= 3
    area = np.pi * (HINT_DIAMETER / 2) ** 2
    for _, _, inside, outside in segmenter.seen:
        assert inside.sum() == pytest.approx(area, rel=0.15) and outside.sum() == pytest.approx(area, rel=0.15)


def test_a_stroke_is_a_hint_along_its_line() -> None:
    image, (disc,) = scene((240, 180, 60))
    segmenter = ColorSegmenter()
    line = Stroke((Point(210, 180), Point(270, 180)), True, 4)
    assert iou(ask(segmenter, image, line), disc) > 0.95
    _, _, inside, _ = segmenter.seen[-1]
    assert inside.any(axis=0).sum() > 3 * inside.any(axis=1).sum()


def test_a_correction_is_one_look_around_object_and_prompts() -> None:
    image, (left, right) = scene((130, 150, 60), (330, 220, 60))
    segmenter = ColorSegmenter()
    both = ask(segmenter, image, Click(130, 150, True), Click(330, 220, True), shown=left)
    assert iou(both, left | right) > 0.97 and len(segmenter.seen) == 1
    _, previous, _, _ = segmenter.seen[0]
    assert previous.any(), "the network sees what it corrects"
    removed = ask(segmenter, image, Click(130, 150, True), Click(330, 220, False), shown=left | right)
    assert iou(removed, left) > 0.97


def test_outside_the_window_nothing_changes() -> None:
    image, (small,) = scene((40, 40, 12), size=(400, 600))
    image[300:, 500:] = RED
    shown = np.zeros((400, 600), np.bool_)
    shown[36:44, 36:40] = True
    result = ask(ColorSegmenter(sees_too_much=True), image, Click(46, 40, True), shown=shown, base=True)
    assert not result[300:, 500:].any() and result[small].mean() > 0.9


def test_a_mask_from_elsewhere_changes_only_where_the_user_pointed() -> None:
    image, (left, right) = scene((130, 150, 60), (330, 220, 60))
    rest = np.zeros_like(left)
    rest[300:330, 400:440] = True
    segmenter = ColorSegmenter(sees_too_much=True)
    local = ask(segmenter, image, Click(130, 150, True), shown=rest, base=True)
    assert iou(local, left | rest) > 0.97
    own = ask(segmenter, image, Click(420, 315, True), Click(130, 150, True), shown=rest)
    assert iou(own, left | right | rest) > 0.97, "its own answer the network may rethink as a whole"


def test_an_answer_without_substance_is_not_corrected_but_begun_again() -> None:
    """After a first click that found nothing, a window around the click's few pixels would be blind."""
    image, (disc,) = scene((300, 200, 60))
    clicks = Click(290, 200, True), Click(310, 210, True)
    bare = hold_prompts(np.zeros_like(disc), clicks[:1])
    segmenter = ColorSegmenter()
    assert iou(ask(segmenter, image, *clicks, shown=bare), disc) > 0.95
    assert segmenter.seen[0][0].shape == (192, 256, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 3), (9, 7), (65, 97), (700, 40)])
def test_prompts_hold_at_every_size(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    x, y = size[1] - 0.5, size[0] - 0.5
    result = ask(ColorSegmenter(), image, Click(x, y, True))
    assert result.shape == size and result.dtype == np.bool_ and result[-1, -1]
    later = ask(ColorSegmenter(), image, Click(x, y, True), Click(0.2, 0.3, False), shown=result)
    assert not later[0, 0]


def test_background_alone_finds_nothing_and_asks_nothing() -> None:
    image, _ = scene((60, 60, 20))
    segmenter = ColorSegmenter()
    assert not ask(segmenter, image, Click(60, 60, False)).any() and not segmenter.seen


def test_cancelled_between_its_two_looks() -> None:
    token = CancelToken()

    class Stopping(ColorSegmenter):
        def segment(self, *planes: np.ndarray) -> np.ndarray:
            token.cancel()
            return super().segment(*planes)

    image, _ = scene((60, 60, 12))
    segmenter = Stopping()
    interaction = Interaction.start(0, 1, Click(60, 60, True), np.zeros(image.shape[:2], np.uint8))
    with pytest.raises(Cancelled):
        NetworkPredictor(segmenter, LIGHT_LENS).predict(image, interaction, token)
    assert len(segmenter.seen) == 1
