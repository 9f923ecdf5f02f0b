"""Temporal stability T of Perazzi et al. (CVPR 2016, section 4): what it costs to match outlines from frame to frame.

The outline of the object is sampled, every point is described by its shape context (Belongie, Malik, Puzicha, PAMI
2002: where the other points lie, in 12 directions and 5 distances), and the points of two successive frames are matched
in order by dynamic time warping. T is the mean cost per match: motion and small deformations cost little, an outline
that flickers costs much. 0 is best.

The paper leaves open how densely an outline is sampled and where two closed outlines begin. Here: 100 points evenly
spaced along the largest outline, and the best of all starting points. Figures of this program compare with each other;
those in the DAVIS tables come from other choices.
"""
from __future__ import annotations

from collections.abc import Sequence
from math import inf
from operator import itemgetter

import cv2
import numpy as np
from numpy.typing import NDArray

NUM_POINTS = 100
_NUM_ANGLES = 12
_DISTANCES = np.geomspace(0.125, 2.0, 5)
"""Upper bounds of the bins, as shares of the mean distance between two points of the outline."""

Points = NDArray[np.float64]


def outline(region: NDArray[np.bool_]) -> Points | None:
    """float64 [100, 2]: (x, y) evenly spaced along the longest outer outline of bool [H, W]; None for no outline.

    A region of less than three pixels in either direction has none.
    """
    lines, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not lines:
        return None
    longest = max(lines, key=lambda line: cv2.arcLength(line, True))[:, 0].astype(np.float64)
    if np.ptp(longest, axis=0).min() < 2:
        return None
    closed = np.vstack([longest, longest[:1]])
    way = np.concatenate([[0.0], np.hypot(*np.diff(closed, axis=0).T).cumsum()])
    at = np.arange(NUM_POINTS) * way[-1] / NUM_POINTS
    return np.stack([np.interp(at, way, closed[:, axis]) for axis in (0, 1)], axis=1)


def stability(outlines: Sequence[Points | None]) -> NDArray[np.float64]:
    """Cost [T-1], 0..1, of every two successive outlines; NaN where one of them is missing."""
    described = [None if points is None else shape_contexts(points) for points in outlines]
    return np.array([
        np.nan if before is None or after is None else matching_cost(before, after)
        for before, after in zip(described, described[1:], strict=False)
    ])


def shape_contexts(points: Points) -> NDArray[np.float64]:
    """float64 [N, 60] of points [N, 2]: how the others are spread over directions and distances; sums to 1."""
    offsets = points[None] - points[:, None]
    distance = np.hypot(offsets[..., 0], offsets[..., 1])
    others = ~np.eye(len(points), dtype=bool)
    ring = np.searchsorted(_DISTANCES, distance / distance[others].mean())
    angle = np.arctan2(offsets[..., 1], offsets[..., 0]) % (2 * np.pi)
    sector = np.minimum((angle * (_NUM_ANGLES / (2 * np.pi))).astype(np.int64), _NUM_ANGLES - 1)
    counted = others & (ring < len(_DISTANCES))
    histogram = np.zeros((len(points), len(_DISTANCES) * _NUM_ANGLES))
    row, column = np.nonzero(counted)
    np.add.at(histogram, (row, ring[counted] * _NUM_ANGLES + sector[counted]), 1.0)
    return np.asarray(histogram / histogram.sum(axis=1, keepdims=True), np.float64)


def matching_cost(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Mean cost per match of two closed outlines, described by [N, B] and [M, B], over the best starting point."""
    tiny = np.finfo(np.float64).tiny
    common = before[:, None] * after[None] / (before[:, None] + after[None] + tiny)
    cost = np.maximum(1 - 2 * common.sum(axis=2), 0)  # chi squared of two histograms that sum to 1
    best = int(_cheapest(cost).argmin())
    return _mean_along(np.roll(cost, -best, axis=1))


def _cheapest(cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each of M starts the sum of the cheapest way through cost [N, M], whose columns begin there: float64 [M].

    Diagonal by diagonal, all starts at once: the i-th row of a skewed copy is shifted by i, so that what a diagonal
    needs for one start after the other lies side by side.
    """
    rows, columns = cost.shape
    row, column = np.arange(rows)[:, None], np.arange(columns)[None]
    skewed = np.tile(cost[row, (column - row) % columns], (1, 3 + rows // columns))
    before_last = last = np.full((rows + 1, columns), np.inf)  # entry i + 1 is row i; entry 0 is a wall
    for diagonal in range(rows + columns - 1):
        low, high = max(0, diagonal - columns + 1), min(diagonal, rows - 1) + 1
        come = np.minimum(np.minimum(before_last[low:high], last[low:high]), last[low + 1 : high + 1])
        now = np.full_like(last, np.inf)
        now[low + 1 : high + 1] = (come if diagonal else 0) + skewed[low:high, diagonal : diagonal + columns]
        before_last, last = last, now
    return last[rows]


def _mean_along(cost: NDArray[np.float64]) -> float:
    """Mean cost of a match on the cheapest way from corner to corner of [N, M]."""
    above = [(0.0, 0), *[(inf, 0)] * cost.shape[1]]  # (sum, matches) up to there; entry i + 1 is column i
    for line in cost.tolist():
        own = [(inf, 0)]
        for column, value in enumerate(line):
            # Where ways cost the same, the one on which both outlines go on.
            known, steps = min((above[column], above[column + 1], own[column]), key=itemgetter(0))
            own.append((known + value, steps + 1))
        above = own
    total, matches = above[-1]
    return float(total / matches)
