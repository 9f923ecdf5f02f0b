"""What the user says about an object: points, strokes and outlines in image pixels."""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


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
class Polygon:
    """A closed outline whose inside becomes the object. At least three points."""

    points: tuple[Point, ...]


Hint: TypeAlias = Click | Stroke
"""A prompt that a predictor turns into a mask; a polygon is the mask."""
