"""An index mask in a few kilobytes: what the history and the interactions keep of a frame."""
from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from util.types import IndexMask, Size


@dataclass(frozen=True)
class PackedMask:
    """A deflated index mask; equal masks are equal values."""

    size: Size
    data: bytes

    @classmethod
    def pack(cls, mask: IndexMask) -> PackedMask:
        """Args: mask: uint8 [H, W]; copied."""
        return cls(Size(*mask.shape), zlib.compress(mask.tobytes(), level=1))

    def unpack(self) -> IndexMask:
        """A read-only uint8 [H, W]."""
        return np.frombuffer(zlib.decompress(self.data), np.uint8).reshape(self.size)

    @property
    def nbytes(self) -> int:
        return len(self.data)
