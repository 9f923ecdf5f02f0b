"""Which pixels of an object become another one: loose parts, or what an outline surrounds; and the same parts on the
frames before and after, where nobody has drawn anything. Worker thread, except the making.
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from interact.prompts import Point
from util.errors import AppError
from util.raster import polygon
from util.types import Size

Region = NDArray[np.bool_]
"""bool [H, W]"""


class Splitter:
    """Follows two parts of an object outward from one frame.

    A pixel belongs to the part whose pixels, where that part was last seen, are nearer. If the first cut ran between
    loose parts only, a loose part of another frame goes as a whole, to where most of its pixels do.

    `part` is to be called for frames in order away from `frame`, first all on one side, then all on the other.
    """

    def __init__(self, object_id: int, frame: int, region: Region, part: Region) -> None:
        """Args: region: the object on `frame`; part: what of it becomes the new object, not all and not nothing."""
        self.object_id = object_id
        self.frame = frame
        self._first = (region & ~part, part)
        self._last = frame
        self._seen = self._first
        labels = _labels(region)
        self._is_loose = not (set(np.unique(labels[part])) & set(np.unique(labels[region & ~part])))

    def part(self, frame: int, region: Region) -> Region:
        """The new object's pixels among those of the object on a frame; bool [H, W]."""
        if frame == self.frame:
            return self._first[1]
        if (frame - self.frame) * (self._last - self.frame) < 0:
            self._seen = self._first
        self._last = frame
        rest, new = self._seen
        found: Region = region & (_distance(new) < _distance(rest))
        if self._is_loose:
            found = _by_majority(region, found)
        left = region & ~found
        self._seen = (left if left.any() else rest, found if found.any() else new)
        return found


def loose_parts(name: str, region: Region) -> Region:
    """All connected parts (8 neighbours) but the largest. AppError when there is only one."""
    labels = _labels(region)
    sizes = np.bincount(labels[region], minlength=2)
    if len(sizes) < 3:
        raise AppError(
            f"{name} is in one piece on this frame.", "Draw around the part that becomes the new object instead."
        )
    sizes[0] = 0
    result: Region = region & (labels != int(sizes.argmax()))
    return result


def enclosed_part(name: str, region: Region, outline: Sequence[Point]) -> Region:
    """The object's pixels inside an outline. AppError when these are none or all."""
    patch = polygon(outline, Size(*region.shape))
    part = np.zeros_like(region)
    part[patch.rect.slices] = patch.inside
    part &= region
    if not part.any():
        raise AppError(f"{name} has no pixel inside this outline.", "Draw around a part of the object.")
    if part.sum() == region.sum():
        raise AppError(f"The outline holds all of {name}.", "Leave a part of the object outside.")
    return part


def _labels(region: Region) -> NDArray[np.int32]:
    _, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32)


def _distance(region: Region) -> NDArray[np.float32]:
    """float32 [H, W]: pixels to the nearest one of `region`."""
    outside = (~region).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _by_majority(region: Region, found: Region) -> Region:
    labels = _labels(region)
    sizes = np.bincount(labels[region], minlength=1)
    votes = np.bincount(labels[found], minlength=len(sizes))
    takes = votes * 2 > sizes
    takes[0] = False
    return np.asarray(takes[labels], np.bool_)
