"""Temporal stability: motion is cheap, flicker is not."""
from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from evaluation.stability import matching_cost, outline, shape_contexts, stability


def disc(x: int, y: int, radius: int = 14, dents: int = 0) -> np.ndarray:
    mask = np.zeros((64, 80), np.uint8)
    cv2.circle(mask, (x, y), radius, 1, -1)
    for angle in np.arange(dents) * 2 * np.pi / max(dents, 1):
        cv2.circle(mask, (int(x + radius * np.cos(angle)), int(y + radius * np.sin(angle))), 4, 0, -1)
    return mask.astype(bool)


def test_a_shape_that_only_moves_costs_nothing() -> None:
    costs = stability([outline(disc(20 + 3 * i, 30)) for i in range(4)])
    assert costs.shape == (3,) and costs == pytest.approx(0, abs=1e-12)


def test_flicker_costs_more_than_slow_growth() -> None:
    growing = stability([outline(disc(40, 30, 14 + i)) for i in range(4)])
    flickering = stability([outline(disc(40, 30, 14, dents=5 * (i % 2))) for i in range(4)])
    assert flickering.min() > 3 * growing.max() > 0


def test_where_an_outline_is_missing_the_cost_is_unknown() -> None:
    empty = outline(np.zeros((20, 20), bool))
    assert empty is None
    speck = np.zeros((20, 20), bool)
    speck[3, 4] = True
    assert outline(speck) is None
    costs = stability([outline(disc(30, 30)), None, outline(disc(30, 30)), outline(disc(31, 30))])
    assert np.isnan(costs).tolist() == [True, True, False]
    assert stability([None]).shape == (0,)


def test_the_place_where_an_outline_begins_does_not_matter() -> None:
    points = outline(disc(40, 30, dents=3))
    assert points is not None
    other = outline(disc(40, 30, dents=4))
    assert other is not None
    before, after = shape_contexts(points), shape_contexts(other)
    turned = matching_cost(before, np.roll(after, 37, axis=0))
    assert turned == pytest.approx(matching_cost(before, after), abs=1e-12) and turned > 0


def test_matching_is_the_cheapest_way() -> None:
    """Against all ways through a small table."""
    rng = np.random.default_rng(3)
    before, after = rng.dirichlet(np.ones(6), 3), rng.dirichlet(np.ones(6), 4)
    total = before[:, None] + after[None]
    cost = ((before[:, None] - after[None]) ** 2 / total).sum(2) / 2
    best = (np.inf, 0.0)
    for start in range(4):
        turned = np.roll(cost, -start, axis=1)
        for length in range(3, 7):
            for steps in itertools.product([(1, 1), (1, 0), (0, 1)], repeat=length - 1):
                way = np.vstack([[0, 0], np.cumsum(steps, axis=0)])
                if way[-1].tolist() == [2, 3]:
                    found = float(turned[way[:, 0], way[:, 1]].sum())
                    best = min(best, (found, found / length))
    assert matching_cost(before, after) == pytest.approx(best[1])


def test_shape_contexts_count_every_near_point() -> None:
    square = np.array([[0.0, 0], [2, 0], [2, 2], [0, 2]])
    found = shape_contexts(square)
    assert found.shape == (4, 60) and found.sum(axis=1) == pytest.approx(1)
    assert (np.sort(found, axis=1)[:, -3:] == pytest.approx(1 / 3))
