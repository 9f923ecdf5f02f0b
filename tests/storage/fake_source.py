"""A video that is nothing but numbers: for tests of what is kept about it."""
from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from util.types import ImageU8, Size


@dataclass
class FakeSource:
    """A `FrameSource` whose every field a test may choose."""

    path: Path
    num_frames: int = 12
    size: Size = field(default=Size(9, 13))
    content: str = "content"
    rate: Fraction = Fraction(24)

    @property
    def name(self) -> str:
        return self.path.stem

    def __len__(self) -> int:
        return self.num_frames

    def stem(self, frame: int) -> str:
        return f"{frame:05d}"

    def time(self, frame: int) -> float:
        return float(frame / self.rate)

    def read(self, frame: int) -> ImageU8:
        return np.full((*self.size, 3), frame, np.uint8)

    def fingerprint(self) -> str:
        return self.content

    def close(self) -> None:
        pass
