"""Small stand-ins for what surrounds the core."""
from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from util.types import ImageU8, Size


class ArrayFrames:
    """Frames from an array uint8 [T, H, W, 3]."""

    def __init__(self, frames: np.ndarray) -> None:
        self._frames = frames
        self.prefetched: list[int] = []

    @property
    def size(self) -> Size:
        return Size(*self._frames.shape[1:3])

    def __len__(self) -> int:
        return len(self._frames)

    def get(self, frame: int) -> ImageU8:
        return self._frames[frame]

    def prefetch(self, frames: Iterable[int]) -> None:
        self.prefetched.extend(frames)
