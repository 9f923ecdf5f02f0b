"""J, F and their statistics: the recorded values of the DAVIS tool, a slow reference, and the cases by hand."""
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from evaluation.davis_interactive import ScribblePath, rasterise
from evaluation.metrics import contour, contour_accuracy, frame_scores, region_similarity, statistics
from tests.golden_weights import Golden, golden_cases, require_golden
from util.types import IGNORE, Size

Area = NDArray[np.bool_]
DAVIS_TOOL = pytest.mark.parametrize("golden", golden_cases("DAVIS interactive metrics / rasterisation"))


def square(top: int, left: int, side: int = 20, shape: tuple[int, int] = (100, 120)) -> Area:
    area = np.zeros(shape, bool)
    area[top : top + side, left : left + side] = True
    return area


@pytest.mark.golden
@DAVIS_TOOL
def test_golden_scores_of_the_davis_tool(golden: Golden | Path) -> None:
    recorded = require_golden(golden).arrays
    ids = range(1, recorded["J"].shape[1] + 1)
    for gt, pred, region, line in zip(recorded["gt"], recorded["pred"], recorded["J"], recorded["F"], strict=True):
        scores = frame_scores(gt, pred, ids)
        np.testing.assert_allclose([scores[i].region for i in ids], region, atol=1e-6)
        np.testing.assert_allclose([scores[i].contour for i in ids], line, atol=1e-6)


@pytest.mark.golden
@DAVIS_TOOL
def test_golden_scribbles_of_the_davis_tool(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    lines = golden.meta["scribble_lines"]
    paths = [ScribblePath(tuple((x, y) for x, y in line["path"]), line["object_id"]) for line in lines]
    drawn = golden.arrays["scr_mask"]
    assert np.array_equal(rasterise(paths, Size(*drawn.shape)), drawn)


def slow_contour_accuracy(gt: Area, pred: Area) -> float:
    """F by its definition: every pair of contour pixels is looked at."""
    radius = math.ceil(0.008 * math.hypot(*gt.shape))
    lines = [np.argwhere(contour(area)) for area in (gt, pred)]
    if not len(lines[0]) or not len(lines[1]):
        return 1.0 if len(lines[0]) == len(lines[1]) else 0.0
    squared = ((lines[0][:, None] - lines[1][None]) ** 2).sum(axis=2)
    recall = (squared.min(axis=1) <= radius**2).mean()
    precision = (squared.min(axis=0) <= radius**2).mean()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


@given(
    hnp.arrays(bool, (19, 31), elements=st.booleans()),
    hnp.arrays(bool, (19, 31), elements=st.booleans()),
    st.integers(1, 9),
)
def test_contour_accuracy_equals_its_definition(gt: Area, pred: Area, scale: int) -> None:
    """Scaled up, the tolerance grows from one pixel to several."""
    gt, pred = (np.kron(area, np.ones((scale, scale), bool)) for area in (gt, pred))
    assert contour_accuracy(gt, pred) == pytest.approx(slow_contour_accuracy(gt, pred), abs=1e-12)


def test_contour_is_left_of_and_above_the_change() -> None:
    area = np.zeros((5, 6), bool)
    area[2:4, 2:4] = True
    expected = np.zeros((5, 6), bool)
    expected[1, 1:4] = expected[2, [1, 3]] = expected[3, 1:4] = True
    assert np.array_equal(contour(area), expected)


def test_contour_at_the_image_border() -> None:
    area = np.zeros((4, 5), bool)
    area[2:, 3:] = True
    expected = np.zeros((4, 5), bool)
    expected[1, 2:] = expected[2, 2] = expected[3, 2] = True
    assert np.array_equal(contour(area), expected)
    assert not contour(np.ones((4, 5), bool)).any()


@pytest.mark.parametrize("measure", [region_similarity, contour_accuracy])
def test_empty_masks(measure: object) -> None:
    assert callable(measure)
    empty, full = np.zeros((100, 120), bool), square(10, 10)
    assert measure(empty, empty) == 1.0
    assert measure(empty, full) == 0.0
    assert measure(full, empty) == 0.0
    assert measure(full, full) == 1.0


def test_region_similarity_by_hand() -> None:
    assert region_similarity(square(0, 0), square(0, 10)) == pytest.approx(1 / 3)


def test_contour_tolerance_is_a_share_of_the_diagonal() -> None:
    """100 x 120: diagonal 156.2, tolerance ceil(1.25) = 2 pixels."""
    assert contour_accuracy(square(10, 10), square(10, 12)) == 1.0
    assert 0 < contour_accuracy(square(10, 10), square(10, 13)) < 1.0
    assert contour_accuracy(square(10, 10), square(60, 60)) == 0.0


def test_ignored_pixels_do_not_count() -> None:
    gt = square(20, 20).astype(np.uint8)
    gt[40:44, 10:60] = IGNORE
    below, none = gt == 1, gt == 1
    below[40:43, 20:40] = True
    assert frame_scores(gt, below.astype(np.uint8), (1,)) == frame_scores(gt, none.astype(np.uint8), (1,))
    assert frame_scores(gt, below.astype(np.uint8), (1,))[1].region == 1.0
    outside = below.copy()
    outside[44:60, 20:40] = True
    assert frame_scores(gt, outside.astype(np.uint8), (1,))[1].region == pytest.approx(400 / 720)


def test_ignore_in_the_prediction_is_background() -> None:
    gt = square(20, 20).astype(np.uint8)
    pred = np.where(gt == 1, 1, IGNORE).astype(np.uint8)
    scores = frame_scores(gt, pred, (1,))
    assert (scores[1].region, scores[1].contour) == (1.0, 1.0)


def test_objects_are_scored_apart() -> None:
    gt = square(10, 10).astype(np.uint8)
    gt[square(60, 60)] = 2
    pred = np.where(gt == 2, 1, gt).astype(np.uint8)
    scores = frame_scores(gt, pred, (1, 2, 7))
    assert scores[1].region == 0.5
    assert scores[2].region == 0.0
    assert scores[7].region == 1.0


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 49, 300])
def test_decay_uses_the_quarters_of_the_davis_tool(count: int) -> None:
    values = np.random.default_rng(count).random(count)
    bounds = np.round(np.linspace(1, count, 5) + 1e-10).astype(int) - 1
    quarters = [values[bounds[i] : bounds[i + 1] + 1] for i in range(4)]
    assert statistics(values).decay == pytest.approx(quarters[0].mean() - quarters[3].mean())


def test_statistics_by_hand() -> None:
    values = np.array([1.0, 0.9, 0.5, 0.4, 0.2])
    result = statistics(values)
    assert result.mean == pytest.approx(0.6)
    assert result.recall == pytest.approx(0.4)  # 0.5 itself is not over 0.5
    assert result.decay == pytest.approx((1.0 + 0.9) / 2 - (0.4 + 0.2) / 2)
