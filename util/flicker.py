"""Flicker of a mask: what changes from one frame to the next and back again, though the object did not move that way.

The running median of three (Tukey, Exploratory Data Analysis, 1977, chapter 7) of the shapes on the frame before, the
frame itself and the frame after takes out whatever is there, or is missing, for one frame only. How much it would
change is the measure; the median itself is the shape without flicker. It needs no true masks, unlike dtSSD (Erofeev et
al., Perceptually motivated benchmark for video matting, BMVC 2015), which compares the changes over time with the true
ones.

Motion is no flicker: where that makes the two neighbours more alike, both are first moved half the way between their
centres, to where a steadily moving object is on the frame between them.
"""
from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from util.types import Rect, Size

Region = NDArray[np.bool_]

FLICKER_ABOVE = 0.2
"""A mask is suspect above this. True masks of three DAVIS clips (blackswan, car-roundabout, dog) stay below 0.09;
those of bmx-trees, thin and behind branches, exceed it on a third of the frames.
"""


def flicker(before: Region, now: Region, after: Region) -> float:
    """How much of a shape is there, or missing, on this frame only.

    Args:
        before, now, after: bool [H, W], one object on three successive frames.

    Returns:
        0..1: one minus the IoU of the shape with its running median; 0 where nothing is on any of the frames.
    """
    window = _window(before, now, after)
    if window is None:
        return 0.0
    _, changed, area = _median(*(region[window.slices] for region in (before, now, after)))
    return changed / area if area else 0.0


def steadied(before: Region, now: Region, after: Region) -> Region:
    """The shape without what is there, or missing, on this frame only: bool [H, W], a new array. Args: as `flicker`."""
    result = now.copy()
    window = _window(before, now, after)
    if window is not None:
        result[window.slices] = _median(*(region[window.slices] for region in (before, now, after)))[0]
    return result


def _median(before: Region, now: Region, after: Region) -> tuple[Region, int, int]:
    """The running median, how many pixels it changes, and how many are in it or in the shape."""
    dx, dy = _half_way(before, after)
    moved = _moved(before, dx, dy), _moved(after, -dx, -dy)
    one, other = max((before, after), moved, key=_common)  # IoU would rank them alike: the areas are the same
    median = (one & other) | (now & (one | other))
    return median, int((median ^ now).sum()), int((median | now).sum())


def _common(pair: tuple[Region, Region]) -> int:
    """Pixels that both shapes have."""
    return int((pair[0] & pair[1]).sum())


def _half_way(before: Region, after: Region) -> tuple[int, int]:
    """Half the way, in whole pixels (x, y), from the centre of one shape to that of the other; none if one is empty."""
    centres = []
    for region in (before, after):
        moments = cv2.moments(region.view(np.uint8) if region.flags.c_contiguous else region.astype(np.uint8), True)
        if not moments["m00"]:
            return 0, 0
        centres.append((moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]))
    return round((centres[1][0] - centres[0][0]) / 2), round((centres[1][1] - centres[0][1]) / 2)


def _moved(region: Region, dx: int, dy: int) -> Region:
    """What moves in from outside is not part of the shape."""
    if not dx and not dy:
        return region
    height, width = region.shape
    moved = np.zeros_like(region)
    moved[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = region[
        max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)
    ]
    return moved


def _window(*regions: Region) -> Rect | None:
    """Around all the shapes: nothing outside it matters, whatever moves. None where there is no pixel."""
    window = Rect(0, 0, 0, 0)
    for region in regions:
        left, top, width, height = cv2.boundingRect(region.view(np.uint8))
        window = window.union(Rect(left, top, left + width, top + height))
    return None if window.is_empty else window.clipped(Size(*regions[0].shape))
