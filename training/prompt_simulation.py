"""Prompts that a person might give, drawn at random from what is wrong with a mask. NumPy and OpenCV only."""
from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Region = NDArray[np.bool_]

_STROKE_SHARE = 0.25
_STROKE_WIDTHS = (9, 14)
"""In pixels of the window; the predictor never shows thinner ones (`HINT_DIAMETER`)."""
_NOISE_CELLS = (3, 10)
_MISTAKE_LEVELS = (0.6, 1.6)


class SimulatedPrompts:
    """Positive and negative pixels collected over a few rounds, bool [h, w].

    Args:
        target: the object, bool [h, w].
        click_width: diameter of a click, in pixels.
    """

    def __init__(self, target: Region, click_width: int) -> None:
        self.positive = np.zeros_like(target)
        self.negative = np.zeros_like(target)
        self._target = target
        self._click_width = click_width

    def add(self, mask: Region, rng: np.random.Generator) -> None:
        """One click or stroke in the worst error of `mask`; none if nothing is wrong."""
        error = _worst_error(self._target, mask, rng)
        if error is None:
            return
        is_positive = bool(self._target[error][0])
        if rng.random() < _STROKE_SHARE:
            self._mark(_stroke(error, rng), is_positive)
        else:
            self.click(*_middle(error, rng), is_positive)

    def click(self, x: float, y: float, is_positive: bool) -> None:
        """A disc around pixel (x, y)."""
        canvas = np.zeros(self.positive.shape, np.uint8)
        cv2.circle(canvas, (int(x), int(y)), self._click_width // 2, 1, -1)
        self._mark(canvas > 0, is_positive)

    def _mark(self, drawn: Region, is_positive: bool) -> None:
        chosen, other = (self.positive, self.negative) if is_positive else (self.negative, self.positive)
        chosen |= drawn
        other &= ~drawn


def spoiled(target: Region, rng: np.random.Generator) -> Region:
    """The mask with blobs missing and added, as a propagation leaves it: bool [h, w]."""
    height, width = target.shape
    noise = rng.normal(size=(int(rng.integers(*_NOISE_CELLS)),) * 2).astype(np.float32)
    field = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    inside = cv2.distanceTransform(target.astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~target).astype(np.uint8), cv2.DIST_L2, 3)
    reach = 0.15 * np.sqrt(max(1, np.count_nonzero(target)))
    # Far from the outline it takes a stronger disturbance to be wrong.
    return np.asarray((inside - outside) / reach + field * rng.uniform(*_MISTAKE_LEVELS) > 0, np.bool_)


def _worst_error(target: Region, mask: Region, rng: np.random.Generator) -> Region | None:
    """One connected piece of what is missing or too much, the larger ones more likely."""
    pieces = []
    for wrong in (target & ~mask, mask & ~target):
        count, parts, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=4)
        pieces += [(float(stats[i, cv2.CC_STAT_AREA]), parts, i) for i in range(1, count)]
    if not pieces:
        return None
    # Squared areas: usually the largest, as the robot of the benchmarks does, but not always.
    weight = np.array([area for area, _, _ in pieces]) ** 2
    _, parts, index = pieces[int(rng.choice(len(pieces), p=weight / weight.sum()))]
    return np.asarray(parts == index, np.bool_)


def _middle(region: Region, rng: np.random.Generator) -> tuple[int, int]:
    """(x, y) of a pixel well inside the region."""
    padded = np.pad(region, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    ys, xs = np.nonzero(depth >= rng.uniform(0.4, 1.0) * depth.max())
    pick = int(rng.integers(len(ys)))
    return int(xs[pick]), int(ys[pick])


def _stroke(region: Region, rng: np.random.Generator) -> Region:
    """A line through a few places of the region, kept inside it."""
    places = np.array([_middle(region, rng) for _ in range(int(rng.integers(2, 5)))], np.int32)
    canvas = np.zeros(region.shape, np.uint8)
    cv2.polylines(canvas, [places], False, 1, int(rng.integers(*_STROKE_WIDTHS)))
    return (canvas > 0) & region
