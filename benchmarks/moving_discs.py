"""A video of any length that is never stored: discs wander over a texture, each frame is drawn when it is asked for."""
from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from util.types import ImageU8, IndexMask, Size


class MovingDiscs:
    """A `storage.frame_source.FrameSource`; the same numbers give the same frames.

    Args:
        num_objects: discs, each of its own colour; disc n has the object id n.
    """

    def __init__(self, num_frames: int, size: Size, num_objects: int) -> None:
        self.path, self.name = Path("moving-discs.mp4"), "moving-discs"
        self.size = size
        self.rate = Fraction(25)
        self._num_frames = num_frames
        rng = np.random.default_rng(0)
        coarse = rng.integers(60, 200, (9, 16, 3), np.uint8)
        self._ground = cv2.resize(coarse, (size.width, size.height), interpolation=cv2.INTER_CUBIC)
        self._colours = rng.integers(0, 256, (num_objects, 3))
        self._speeds = rng.uniform(0.002, 0.01, (num_objects, 2))
        self._phases = rng.uniform(0, 2 * np.pi, (num_objects, 2))

    def __len__(self) -> int:
        return self._num_frames

    def stem(self, frame: int) -> str:
        return f"{frame:05d}"

    def time(self, frame: int) -> float:
        return float(frame / self.rate)

    def read(self, frame: int) -> ImageU8:
        if not 0 <= frame < self._num_frames:
            raise IndexError(f"frame {frame} of {self._num_frames}")
        picture = self._ground.copy()
        for centre, colour in zip(self._centres(frame), self._colours.tolist(), strict=True):
            cv2.circle(picture, centre, self._radius, colour, -1, cv2.LINE_AA)
        return picture

    def mask(self, frame: int) -> IndexMask:
        """uint8 [H, W]; where discs overlap, the one with the larger id lies in front."""
        mask = np.zeros(self.size, np.uint8)
        for object_id, centre in enumerate(self._centres(frame), 1):
            cv2.circle(mask, centre, self._radius, object_id, -1)
        return mask

    @property
    def _radius(self) -> int:
        return max(3, min(self.size) // 9)

    def _centres(self, frame: int) -> list[tuple[int, int]]:
        """(x, y) in whole pixels, always inside the picture."""
        places = 0.5 + 0.35 * np.sin(self._phases + frame * self._speeds * 2 * np.pi)
        return [(int(x * self.size.width), int(y * self.size.height)) for x, y in places]

    def walk(self, frame: int, keep: int = 1) -> Generator[tuple[int, ImageU8 | None], None, None]:
        yield frame, self.read(frame)

    def fingerprint(self) -> str:
        return f"{self.name}-{self._num_frames}-{self.size}"

    def close(self) -> None:
        """Nothing is open."""
