"""Exact rasters of brush strokes and polygons: a pixel belongs to a shape when its centre does."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from util.types import Rect, Size

XY: TypeAlias = tuple[float, float]
"""(x, y) in image pixels; pixel (c, r) covers [c, c+1) x [r, r+1)."""


class Patch(NamedTuple):
    """Pixels of an image. `inside`: bool [rect height, rect width]; empty arrays for a shape outside the image."""

    rect: Rect
    inside: NDArray[np.bool_]

    def within(self, bounds: Rect | None) -> Patch:
        """Its pixels that lie in `bounds`; None: all of them."""
        if bounds is None:
            return self
        rect = self.rect.common(bounds)
        return _NOTHING if rect.is_empty else Patch(rect, self.inside[_moved(rect, self.rect).slices])


_NOTHING = Patch(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))


def segment(start: XY, end: XY, diameter: float, size: Size) -> Patch:
    """The pixels that a round brush covers on its way from `start` to `end`.

    The pixels under both ends are always covered, so that a brush thinner than a pixel still draws.
    """
    radius = diameter / 2
    rect = Rect(
        math.floor(min(start[0], end[0]) - radius),
        math.floor(min(start[1], end[1]) - radius),
        math.floor(max(start[0], end[0]) + radius) + 1,
        math.floor(max(start[1], end[1]) + radius) + 1,
    ).clipped(size)
    if rect.is_empty:
        return _NOTHING
    x = np.arange(rect.x0, rect.x1) + 0.5 - start[0]
    y = (np.arange(rect.y0, rect.y1) + 0.5 - start[1])[:, None]
    dx, dy = end[0] - start[0], end[1] - start[1]
    length2 = dx * dx + dy * dy
    along = np.clip((x * dx + y * dy) / length2, 0.0, 1.0) if length2 > 1e-12 else np.zeros((1, 1))
    inside = (x - along * dx) ** 2 + (y - along * dy) ** 2 <= radius * radius
    for px, py in (start, end):
        column, row = math.floor(px), math.floor(py)
        if rect.x0 <= column < rect.x1 and rect.y0 <= row < rect.y1:
            inside[row - rect.y0, column - rect.x0] = True
    return Patch(rect, inside)


def polyline(points: Sequence[XY], width: float, size: Size) -> Patch:
    """The pixels under a line of `width` pixels with round joints; one point gives a disc."""
    pieces = [segment(a, b, width, size) for a, b in zip(points, points[1:] or points, strict=False)]
    rect = Rect(0, 0, 0, 0)
    for piece in pieces:
        rect = rect.union(piece.rect)
    inside = np.zeros((rect.y1 - rect.y0, rect.x1 - rect.x0), np.bool_)
    for piece in pieces:
        if not piece.rect.is_empty:
            inside[_moved(piece.rect, rect).slices] |= piece.inside
    return Patch(rect, inside)


def polygon(points: Sequence[XY], size: Size) -> Patch:
    """The inside of a closed outline by the even-odd rule; edges that cross make holes.

    Every edge toggles, on each pixel row whose centre line it crosses, all pixels to the right of the crossing.
    """
    xs, ys = (np.array(values, np.float64) for values in zip(*points, strict=True))
    rect = Rect(
        math.floor(xs.min()), math.floor(ys.min()), math.floor(xs.max()) + 1, math.floor(ys.max()) + 1
    ).clipped(size)
    if rect.is_empty:
        return _NOTHING
    height, width = rect.y1 - rect.y0, rect.x1 - rect.x0
    toggles = np.zeros((height, width + 1), np.int32)
    for x0, y0, x1, y1 in zip(xs, ys, np.roll(xs, -1), np.roll(ys, -1), strict=True):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        first = max(math.ceil(y0 - 0.5), rect.y0)
        rows = np.arange(first, min(math.ceil(y1 - 0.5), rect.y1))
        if len(rows):
            crossing = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
            columns = np.clip(np.ceil(crossing - 0.5).astype(np.int64) - rect.x0, 0, width)
            np.add.at(toggles, (rows - rect.y0, columns), 1)
    return Patch(rect, (np.cumsum(toggles, axis=1)[:, :width] & 1).astype(np.bool_))


def _moved(rect: Rect, origin: Rect) -> Rect:
    return Rect(rect.x0 - origin.x0, rect.y0 - origin.y0, rect.x1 - origin.x0, rect.y1 - origin.y0)
