"""Cleaning a mask: flicker taken out, holes filled, islands removed, outlines smoothed, the whole grown or shrunk,
without touching other objects.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from storage.exchange.alpha import grown
from util.flicker import steadied
from util.types import IndexMask

Region = NDArray[np.bool_]
Beside = tuple[IndexMask, IndexMask]
"""The masks of the frame before and the one after, uint8 [H, W]."""


@dataclass(frozen=True)
class Cleaning:
    """What is to be done; a zero leaves it out.

    Args:
        holes: areas without the object and all around enclosed by it are filled up to this many pixels.
        islands: connected parts of the object with fewer pixels are removed; the largest part stays.
        smooth: standard deviation, in pixels, of the blur whose half level becomes the outline.
        grow: pixels by which the outline moves outwards at the end; negative ones move it inwards.
        steady: what is there, or missing, on this frame only is taken out first (`util.flicker`).
    """

    holes: int = 0
    islands: int = 0
    smooth: float = 0.0
    grow: int = 0
    steady: bool = False

    def apply(self, mask: IndexMask, object_id: int, beside: Beside | None = None) -> IndexMask:
        """A copy of uint8 [H, W] in which the object is clean. It grows over the background only.

        Args:
            beside: the masks of the frame before and the one after; without them nothing is steadied.
        """
        before = np.asarray(mask == object_id, np.bool_)
        after = before
        if self.steady and beside is not None:
            one, other = (np.asarray(near == object_id, np.bool_) for near in beside)
            after = steadied(one, before, other)
        after = self._cleaned(after)
        result = mask.copy()
        result[before & ~after] = 0
        result[after & (mask == 0)] = object_id
        return result

    def _cleaned(self, region: Region) -> Region:
        if not region.any():
            return region
        if self.smooth > 0:
            region = _smoothed(region, self.smooth)
        if self.islands > 0:
            region = _without_islands(region, self.islands)
        if self.holes > 0:
            region = _without_holes(region, self.holes)
        return grown(region, self.grow)


def _smoothed(region: Region, sigma: float) -> Region:
    """Beyond the frame the region goes on as at its border, so that a cut-off object stays cut off."""
    soft = cv2.GaussianBlur(region.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft > 0.5, np.bool_)


def _without_islands(region: Region, least: int) -> Region:
    count, parts, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    if count <= 2:
        return region
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = areas >= least
    keep[1 + int(np.argmax(areas[1:]))] = True
    keep[0] = False
    return np.asarray(keep[parts], np.bool_)


def _without_holes(region: Region, most: int) -> Region:
    """An area that touches the frame's border is no hole."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats((~region).astype(np.uint8), connectivity=4)
    fill = stats[:, cv2.CC_STAT_AREA] <= most
    fill[0] = False
    edges = (parts[0], parts[-1], parts[:, 0], parts[:, -1])
    fill[np.unique(np.concatenate(edges))] = False
    return np.asarray(region | fill[parts], np.bool_) if count > 1 else region
