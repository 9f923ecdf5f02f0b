"""What the user says about an object: points, strokes and outlines in image pixels."""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

MIN_BOX = 4.0
"""Image pixels; a smaller box was a slip of the mouse."""


class Point(NamedTuple):
    """Image pixels; pixel (c, r) covers [c, c+1) x [r, r+1)."""

    x: float
    y: float


@dataclass(frozen=True)
class Click:
    """The pixel under (x, y) is in the object (positive) or outside it."""

    x: float
    y: float
    positive: bool


@dataclass(frozen=True)
class Stroke:
    """All pixels under a line of `width` pixels are in the object (positive) or outside it. At least one point."""

    points: tuple[Point, ...]
    positive: bool
    width: float


@dataclass(frozen=True)
class Box:
    """The whole object lies between (x0, y0) and (x1, y1)."""

    x0: float
    y0: float
    x1: float
    y1: float
    positive: bool = True

    @classmethod
    def between(cls, start: Point, end: Point) -> Box | None:
        """The box between two corners; None if it is less than a few pixels wide or high."""
        box = cls(min(start.x, end.x), min(start.y, end.y), max(start.x, end.x), max(start.y, end.y))
        return box if min(box.x1 - box.x0, box.y1 - box.y0) >= MIN_BOX else None


@dataclass(frozen=True)
class Polygon:
    """A closed outline whose inside becomes the object, or stops being it (`erase`). At least three points."""

    points: tuple[Point, ...]
    erase: bool = False


Hint: TypeAlias = Click | Stroke | Box
"""A prompt that a predictor turns into a mask; a polygon is the mask."""
