"""The value types that every package shares. Arrays are `[row, col]`, points `(x, y)`, rectangles half-open."""
from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

ImageU8: TypeAlias = NDArray[np.uint8]
"""uint8 [H, W, 3], RGB."""

IndexMask: TypeAlias = NDArray[np.uint8]
"""uint8 [H, W]: 0 background, 1..254 object id, 255 ignore."""

ImageAlpha: TypeAlias = NDArray[np.uint8]
"""uint8 [H, W]: 0 transparent to 255 opaque."""

MAX_OBJECT_ID = 254
IGNORE = 255


class Size(NamedTuple):
    """Height and width in pixels, in array order."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Rect(NamedTuple):
    """Pixels x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def is_empty(self) -> bool:
        return self.x1 <= self.x0 or self.y1 <= self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of this rectangle in an array `[row, col]`."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def clipped(self, size: Size) -> Rect:
        """The part inside an image of `size` (possibly empty)."""
        return self.common(Rect.full(size))

    def common(self, other: Rect) -> Rect:
        """The pixels that lie in both (possibly none)."""
        return Rect(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies on one of the pixels."""
        return self.x0 <= x < self.x1 and self.y0 <= y < self.y1

    def union(self, other: Rect) -> Rect:
        """Smallest rectangle around both; an empty one adds nothing."""
        if self.is_empty:
            return other
        if other.is_empty:
            return self
        return Rect(
            min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1)
        )

    def grown(self, margin: int) -> Rect:
        return Rect(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    @classmethod
    def full(cls, size: Size) -> Rect:
        return cls(0, 0, size.width, size.height)
