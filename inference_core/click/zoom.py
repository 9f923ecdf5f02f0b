"""Which part of the frame a click network sees, and the way there and back. Pure functions."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from inference_core.api import ImageClick
from inference_core.click.settings import ZoomSettings
from model.click.parts import resize, size_of
from util.types import Size


class Region(NamedTuple):
    """Rows and columns, both ends included."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def full(cls, size: Size) -> Region:
        return cls(0, size.height - 1, 0, size.width - 1)

    @property
    def size(self) -> Size:
        return Size(self.bottom - self.top + 1, self.right - self.left + 1)

    def overlap(self, other: Region) -> float:
        """IoU of the rows times that of the columns."""
        return _overlap(self[:2], other[:2]) * _overlap(self[2:], other[2:])

    def holds(self, click: ImageClick) -> bool:
        return self.top <= click.row < self.bottom and self.left <= click.column < self.right


class View(NamedTuple):
    """A region of an image, shown at some size."""

    region: Region
    size: Size

    @classmethod
    def of(cls, region: Region, longer_side: int) -> View:
        scale = longer_side / max(region.size)
        return cls(region, Size(*(round(side * scale) for side in region.size)))

    def show(self, image: Tensor) -> Tensor:
        """[B, C, H, W] of the image -> [B, C, *size]."""
        top, bottom, left, right = self.region
        return resize(image[..., top : bottom + 1, left : right + 1], self.size)

    def place(self, click: ImageClick) -> ImageClick:
        """The click as it is seen here; outside the region it lies outside what is shown."""
        height, width = self.region.size
        row = self.size.height * (click.row - self.region.top) / height
        return ImageClick(row, self.size.width * (click.column - self.region.left) / width, click.positive)


def paste(prob: Tensor, region: Region, size: Size) -> Tensor:
    """What was found in `region`, [1, 1, h, w] of any size, in a frame of `size` that is 0 elsewhere."""
    top, bottom, left, right = region
    whole = prob.new_zeros((*prob.shape[:2], *size))
    whole[..., top : bottom + 1, left : right + 1] = resize(prob, region.size)
    return whole


def object_region(prob: Tensor, clicks: Sequence[ImageClick], settings: ZoomSettings) -> Region | None:
    """The object and its positive clicks with surroundings; None where nothing has been found yet.

    Args:
        prob: [1, 1, H, W].
    """
    found = prob[0, 0] > settings.threshold
    if not bool(found.any()):
        return None
    size = size_of(prob)
    inside = [click for click in clicks if click.positive]
    bounds: list[int] = []
    for axis, side, places in ((1, size.height, [c.row for c in inside]), (0, size.width, [c.column for c in inside])):
        lines = found.any(axis).nonzero()[:, 0]
        pixels = [int(lines[0]), int(lines[-1]), *(min(max(int(place), 0), side - 1) for place in places)]
        low, high = min(pixels), max(pixels)
        centre = 0.5 * (low + high)
        length = max(settings.expansion * (high - low + 1), settings.min_region)
        bounds += [max(0, round(centre - 0.5 * length)), min(side - 1, round(centre + 0.5 * length))]
    return Region(*bounds)


def choose_region(
    prob: Tensor | None, clicks: Sequence[ImageClick], stored: Region | None, size: Size, settings: ZoomSettings
) -> Region | None:
    """The region to see now; None for the frame as it is.

    Args:
        prob: [1, 1, H, W] found so far, None before the first click.
        stored: the region seen at the click before.
        size: of the frame.
    """
    if len(clicks) <= settings.skip_clicks:
        return None
    wanted = None if prob is None else object_region(prob, clicks, settings)
    if wanted is None:
        if settings.skip_clicks >= 0:
            return None
        wanted = Region.full(size)
    keeps = (
        stored is not None
        and all(stored.holds(click) for click in clicks if click.positive)
        and wanted.overlap(stored) >= settings.keep_iou
    )
    return stored if keeps else wanted


def flip(x: Tensor) -> Tensor:
    """Left and right exchanged."""
    return torch.flip(x, (-1,))


def flip_clicks(clicks: Sequence[ImageClick], size: Size) -> list[ImageClick]:
    return [ImageClick(click.row, size.width - 1 - click.column, click.positive) for click in clicks]


def _overlap(first: Sequence[int], second: Sequence[int]) -> float:
    common = max(0, min(first[1], second[1]) - max(first[0], second[0]) + 1)
    return common / max(1e-6, max(first[1], second[1]) - min(first[0], second[0]) + 1)
