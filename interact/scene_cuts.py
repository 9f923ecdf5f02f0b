"""Where a video cuts to another scene: there nothing is left to follow, and a propagation had better stop.

Two frames are compared by their colours alone and by their colours place by place, both at a small size. Motion changes
the second, light changes both a little, a cut changes both much, and much more than the frames before it did.
"""
from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from util.types import ImageU8

THUMB = (48, 27)
"""Width and height."""
BINS = 6
MIN_COLORS, MIN_PLACES = 0.35, 0.10
"""A cut changes more than this share of the colours, and by this much (of 1) on average place by place."""
MIN_RISE = 2.5
"""And so many times more than what the frames before it changed in the median."""
HISTORY = 9


class CutFinder:
    """Is shown the frames of a pass one by one, in its order."""

    def __init__(self) -> None:
        self._last: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._usual: deque[float] = deque(maxlen=HISTORY)

    def is_cut(self, image: ImageU8) -> bool:
        """Whether this frame, uint8 [H, W, 3], belongs to another scene than the one shown before it."""
        thumb = np.asarray(cv2.resize(image, THUMB, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
        cells = np.minimum((thumb * BINS).astype(np.int32), BINS - 1).reshape(-1, 3)
        flat = (cells[:, 0] * BINS + cells[:, 1]) * BINS + cells[:, 2]
        colors = (np.bincount(flat, minlength=BINS**3) / len(flat)).astype(np.float32)
        before, self._last = self._last, (thumb, colors)
        if before is None:
            return False
        places = float(np.abs(thumb - before[0]).mean())
        other = float(np.abs(colors - before[1]).sum()) / 2
        usual = float(np.median(self._usual)) if self._usual else 0.0
        self._usual.append(places)
        return other > MIN_COLORS and places > max(MIN_PLACES, MIN_RISE * usual)
