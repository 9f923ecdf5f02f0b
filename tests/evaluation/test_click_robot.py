"""The robot that clicks and scribbles: in the middle of what is most wrong, the same every time."""
from __future__ import annotations

import numpy as np
import pytest

from evaluation.click_robot import next_click, next_prompt, next_scribble
from interact.prompts import Click, Stroke
from util.raster import polyline
from util.types import Size


def blank(*rects: tuple[int, int, int, int], size: tuple[int, int] = (60, 80)) -> np.ndarray:
    """bool [h, w], true in rectangles (x0, y0, x1, y1)."""
    region = np.zeros(size, np.bool_)
    for x0, y0, x1, y1 in rects:
        region[y0:y1, x0:x1] = True
    return region


def test_clicks_the_middle_of_a_missing_object() -> None:
    assert next_click(blank((10, 20, 31, 41)), blank()) == Click(20.5, 30.5, True)


def test_clicks_away_the_larger_superfluous_region() -> None:
    gt = blank((5, 5, 10, 10))
    assert next_click(gt, blank((40, 20, 61, 41))) == Click(50.5, 30.5, False)


def test_the_border_of_the_image_counts_as_one() -> None:
    """A strip along the left edge: its middle is clicked, not the pixel at the edge."""
    click = next_click(blank((0, 0, 11, 60)), blank())
    assert click is not None and click.x == 5.5


def test_what_was_clicked_is_not_clicked_again() -> None:
    gt = blank((10, 20, 31, 41))
    first = next_click(gt, blank())
    assert first is not None
    second = next_click(gt, blank(), [first])
    assert second is not None and second != first and gt[int(second.y), int(second.x)]


def test_a_tie_is_a_negative_click_as_in_the_published_robot() -> None:
    gt, prediction = blank((5, 5, 16, 16)), blank((45, 5, 56, 16))
    assert next_click(gt, prediction) == Click(50.5, 10.5, False)


def test_nothing_to_say_when_all_is_right() -> None:
    gt = blank((10, 20, 31, 41))
    assert next_click(gt, gt) is None and next_scribble(gt, gt) is None
    assert next_prompt(gt, gt, [], scribble=True) is None and next_prompt(gt, gt, [], scribble=False) is None


def test_scribbles_along_the_middle_of_a_bar() -> None:
    """A bar of 61x11: the stroke covers most of its length, within two pixels of its middle line."""
    gt = blank((10, 20, 71, 31))
    stroke = next_scribble(gt, blank((0, 0, 3, 3)))
    assert stroke is not None and stroke.positive
    xs, ys = np.array(stroke.points).T
    assert xs.max() - xs.min() > 40 and np.abs(ys - 25.5).max() <= 2


def test_scribbles_round_a_bend_without_leaving_the_object() -> None:
    gt = blank((10, 5, 20, 50), (10, 40, 70, 50))
    stroke = next_scribble(gt, blank())
    assert stroke is not None
    patch = polyline(stroke.points, stroke.width, Size(*gt.shape))
    drawn = np.zeros_like(gt)
    drawn[patch.rect.slices] = patch.inside
    assert (gt & drawn).sum() > 0.9 * drawn.sum()
    xs, ys = np.array(stroke.points).T
    assert xs.max() > 50 and ys.min() < 20


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 9), (3, 2), (400, 3)])
def test_every_part_however_small_gets_a_stroke_inside_it(size: tuple[int, int]) -> None:
    gt = np.zeros((420, 30), np.bool_)
    gt[4 : 4 + size[0], 6 : 6 + size[1]] = True
    stroke = next_scribble(gt, np.zeros_like(gt))
    assert stroke is not None and stroke.points
    assert all(gt[int(y), int(x)] for x, y in stroke.points)


def test_scribbles_out_what_is_too_much_and_repeats_itself() -> None:
    rng = np.random.default_rng(0)
    gt = rng.random((200, 300)) > 0.9
    prediction = blank((50, 20, 250, 120), size=(200, 300))
    first = next_scribble(gt, prediction)
    assert isinstance(first, Stroke) and not first.positive
    assert first == next_scribble(gt.copy(), prediction.copy())
    assert all(prediction[int(y), int(x)] and not gt[int(y), int(x)] for x, y in first.points)
