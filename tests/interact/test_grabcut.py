"""GrabCut behind clicks and scribbles: hard constraints always hold, corrections stay local, plain things are found."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from interact.grabcut import GrabCutPredictor
from interact.interaction import Interaction
from interact.prompts import Click, Hint, Point, Stroke
from util.jobs import Cancelled, CancelToken
from util.types import ImageU8


def predict(image: ImageU8, *prompts: Hint, mask: np.ndarray | None = None) -> np.ndarray:
    """All prompts of one interaction, given on `mask`."""
    shown = np.zeros(image.shape[:2], np.uint8) if mask is None else mask.astype(np.uint8)
    interaction = Interaction.start(0, 1, prompts[0], shown)
    for prompt in prompts[1:]:
        interaction = interaction.add(prompt, shown)
    return GrabCutPredictor().predict(image, interaction, CancelToken())


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.fixture(scope="module")
def scene() -> tuple[ImageU8, np.ndarray, np.ndarray]:
    """480x360: a red and a blue disc of radius 60 on noisy grey-green; the image and both discs."""
    rng = np.random.default_rng(1)
    image = np.clip(rng.normal((90, 110, 80), 12, (360, 480, 3)), 0, 255)
    y, x = np.mgrid[:360, :480] + 0.5
    red, blue = ((x - cx) ** 2 + (y - cy) ** 2 <= 60**2 for cx, cy in ((130, 150), (330, 220)))
    image[red] = np.clip(rng.normal((190, 60, 50), 15, (int(red.sum()), 3)), 0, 255)
    image[blue] = np.clip(rng.normal((60, 70, 180), 15, (int(blue.sum()), 3)), 0, 255)
    return image.astype(np.uint8), red, blue


def test_one_click_finds_a_plain_thing(scene: tuple[ImageU8, np.ndarray, np.ndarray]) -> None:
    image, red, blue = scene
    assert iou(predict(image, Click(130, 150, True)), red) > 0.93
    assert iou(predict(image, Click(350, 240, True)), blue) > 0.93


def test_a_click_is_about_one_thing() -> None:
    """Another thing of the same colour close by, not connected with the clicked one, stays out."""
    rng = np.random.default_rng(2)
    image = rng.normal((90, 110, 80), 12, (360, 480, 3))
    y, x = np.mgrid[:360, :480] + 0.5
    clicked, other = ((x - cx) ** 2 + (y - 180) ** 2 <= 45**2 for cx in (180, 300))
    image[clicked | other] = rng.normal((190, 60, 50), 15, (int((clicked | other).sum()), 3))
    found = predict(np.clip(image, 0, 255).astype(np.uint8), Click(180, 180, True))
    assert iou(found, clicked) > 0.9 and not found[other].any()


def test_one_stroke_finds_a_plain_thing(scene: tuple[ImageU8, np.ndarray, np.ndarray]) -> None:
    image, red, _ = scene
    line = Stroke((Point(100, 130), Point(130, 160), Point(160, 150)), True, 6)
    assert iou(predict(image, line), red) > 0.93


def test_a_second_click_adds_and_keeps(scene: tuple[ImageU8, np.ndarray, np.ndarray]) -> None:
    image, red, blue = scene
    first = predict(image, Click(130, 150, True))
    both = predict(image, Click(130, 150, True), Click(330, 220, True), mask=first)
    assert iou(both, red | blue) > 0.9
    assert (both[red] == first[red]).all()


def test_a_negative_click_removes_and_keeps(scene: tuple[ImageU8, np.ndarray, np.ndarray]) -> None:
    image, red, blue = scene
    left = predict(image, Click(330, 220, False), mask=red | blue)
    assert iou(left, red) > 0.9
    assert left[red].mean() > 0.99


def test_pixels_away_from_the_correction_stay_as_they_are(scene: tuple[ImageU8, np.ndarray, np.ndarray]) -> None:
    """Also where the mask is wrong in a way that GrabCut would see: the user did not point there."""
    image, red, blue = scene
    wrong = blue.copy()
    wrong[300:340, 20:60] = True
    fixed = predict(image, Click(130, 150, True), mask=wrong)
    assert iou(fixed & ~wrong, red) > 0.9
    assert (fixed[250:, :250] == wrong[250:, :250]).all() and (fixed[:, 250:] == wrong[:, 250:]).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 3), (9, 7), (65, 97), (700, 40)])
def test_prompts_hold_at_every_size(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    x, y = size[1] - 0.5, size[0] - 0.5
    result = predict(image, Click(x, y, True))
    assert result.shape == size and result.dtype == np.bool_ and result[-1, -1]
    assert not predict(image, Click(x, y, True), Click(0.2, 0.3, False), mask=result)[0, 0]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_plain_image_gives_at_least_the_click(value: int) -> None:
    result = predict(np.full((80, 120, 3), value, np.uint8), Click(40, 30, True))
    assert result[30, 40]


def test_every_prompt_holds_and_the_latest_wins() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    prompts = [
        Stroke((Point(10, 10), Point(60, 40)), True, 5),
        Click(80, 60, False),
        Stroke((Point(30, 60), Point(100, 20)), False, 3),
        Click(20.5, 80.5, True),
    ]
    mask = np.zeros((90, 120), np.bool_)
    for count in range(1, 5):
        mask = predict(image, *prompts[:count], mask=mask)
    assert mask[10, 10] and mask[80, 20] and not mask[60, 80] and not mask[60, 30] and not mask[20, 99]


def test_full_mask_can_be_corrected() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    full = np.ones((60, 80), np.bool_)
    assert not predict(image, Click(40, 30, False), mask=full)[30, 40]
    assert predict(image, Click(40, 30, True), mask=full).all()


def test_background_alone_finds_nothing() -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    assert not predict(image, Click(40, 30, False)).any()


def test_stroke_that_leaves_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    line = Stroke((Point(40, 30), Point(200, 30), Point(200, -50)), True, 4)
    assert predict(image, line)[30, 40:].all()


def test_same_prompts_same_answer(scene: tuple[ImageU8, np.ndarray, np.ndarray]) -> None:
    image = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (200, 300, 3)).astype(np.uint8), (0, 0), 5)
    first = predict(image, Click(150, 100, True))
    predict(scene[0], Click(130, 150, True))
    assert (predict(image, Click(150, 100, True)) == first).all()


def test_cancelled_between_its_steps() -> None:
    token = CancelToken()
    token.cancel()
    interaction = Interaction.start(0, 1, Click(5, 5, True), np.zeros((20, 20), np.uint8))
    with pytest.raises(Cancelled):
        GrabCutPredictor().predict(np.zeros((20, 20, 3), np.uint8), interaction, token)


def test_photographs(shared: Path) -> None:
    """One click, then corrections, on real horses: far better than the click's own disc, and better with each."""
    scores = []
    for path in sorted((shared / "data/images/horse").glob("*.jpg"))[::110]:
        image = np.array(Image.open(path).convert("RGB"))
        horse = np.array(Image.open(path.with_suffix(".png"))) == 1
        prompts: list[Hint] = []
        mask = np.zeros_like(horse)
        for _ in range(4):
            missing, extra = (_inmost(wrong) for wrong in (horse & ~mask, mask & ~horse))
            prompts.append(Click(missing[1], missing[2], True) if missing >= extra else Click(*extra[1:], False))
            mask = predict(image, *prompts, mask=mask)
            scores.append(iou(mask, horse))
    by_click = np.reshape(scores, (-1, 4)).mean(axis=0)
    assert by_click[0] > 0.35 and by_click[3] > 0.6 and by_click[3] > by_click[0]


def _inmost(region: np.ndarray) -> tuple[float, float, float]:
    """(depth, x, y) of the pixel farthest from the border of `region`."""
    depth = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(np.argmax(depth), depth.shape)
    return float(depth[y, x]), x + 0.5, y + 0.5


def test_negative_strokes_alone_take_a_leak_and_leave_the_object(
    scene: tuple[ImageU8, np.ndarray, np.ndarray]
) -> None:
    """What a propagation leaks into: a disc and much of the ground beside it, told by strokes over the ground only."""
    image, red, _ = scene
    leaked = red.copy()
    leaked[90:210, 190:290] = True
    strokes = (
        Stroke((Point(220, 100), Point(280, 200)), False, 6),
        Stroke((Point(280, 100), Point(220, 200)), False, 6),
    )
    result = predict(image, *strokes, mask=leaked)
    assert iou(result, red) > 0.9 > iou(leaked, red)


@pytest.mark.parametrize("ends", [((130, 100), (130, 200)), ((90, 150), (170, 150)), ((100, 120), (160, 180))])
def test_a_negative_stroke_across_an_object_of_one_colour_does_not_take_all_of_it(
    scene: tuple[ImageU8, np.ndarray, np.ndarray], ends: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    image, red, _ = scene
    result = predict(image, Stroke((Point(*ends[0]), Point(*ends[1])), False, 6), mask=red)
    assert 0.5 < result.sum() / red.sum() < 1 and not result[150, 130]
