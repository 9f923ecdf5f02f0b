"""A part of a map of features, and how much around it a network has to see so that its result there is exact.

A convolution pads with zeros at the border of what it is given. Given a part of a map, it is right everywhere but at
that part's own borders. So a network that is to compute a window is given a wider one and its result is cut; at the
border of the map itself nothing is wider and nothing is cut, and the whole map is computed as ever.
"""
from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from util.types import Rect, Size


@dataclass(frozen=True)
class Window:
    """The cells `rect` of a map that has `size` cells."""

    rect: Rect
    size: Size

    @classmethod
    def whole(cls, size: Size) -> Window:
        return cls(Rect.full(size), size)

    @property
    def is_whole(self) -> bool:
        return self.rect == Rect.full(self.size)

    @property
    def shape(self) -> Size:
        """Rows and columns."""
        return Size(self.rect.y1 - self.rect.y0, self.rect.x1 - self.rect.x0)

    def grown(self, cells: int) -> Window:
        """With as many cells more on every side, as far as the map goes."""
        return Window(self.rect.grown(cells).clipped(self.size), self.size)

    def finer(self, factor: int) -> Window:
        """The same place in a map `factor` times as fine."""
        return Window(Rect(*(factor * side for side in self.rect)), Size(*(factor * side for side in self.size)))

    def source(self, factor: int) -> Window:
        """The cells of a map `factor` times as coarse from which bilinear enlargement (`blocks.upsample`) makes these.

        Fine cell i lies at (i + 1/2) / factor - 1/2 of the coarse map, between two cells of it.
        """

        def before(cell: int) -> int:
            return (2 * cell + 1 - factor) // (2 * factor)

        x0, y0, x1, y1 = self.rect
        size = Size(*(side // factor for side in self.size))
        return Window(Rect(before(x0), before(y0), before(x1 - 1) + 2, before(y1 - 1) + 2).clipped(size), size)

    def cut(self, maps: Tensor) -> Tensor:
        """These cells of maps [..., *size]: a view."""
        rows, columns = self.rect.slices
        return maps[..., rows, columns]

    def trim(self, maps: Tensor, have: Window) -> Tensor:
        """These cells of maps [..., *have.shape] that cover `have`, a window around this one: a view."""
        x0, y0, x1, y1 = self.rect
        left, top = have.rect.x0, have.rect.y0
        return maps[..., y0 - top : y1 - top, x0 - left : x1 - left]
