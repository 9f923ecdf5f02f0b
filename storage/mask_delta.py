"""The difference between two masks of one frame: what undo keeps. Pure values: any thread, no files."""
from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from util.types import IndexMask, Rect, Size

_NOTHING = Rect(0, 0, 0, 0)


def changed_rect(before: IndexMask, after: IndexMask) -> Rect:
    """Smallest rectangle around the pixels that differ; empty when none does. Raises ValueError for other shapes."""
    if before.shape != after.shape:
        raise ValueError(f"masks of {before.shape} and {after.shape} have no difference")
    differs = before != after
    rows = np.flatnonzero(differs.any(axis=1))
    if not len(rows):
        return _NOTHING
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    cols = np.flatnonzero(differs[y0:y1].any(axis=0))
    return Rect(int(cols[0]), y0, int(cols[-1]) + 1, y1)


@dataclass(frozen=True)
class MaskDelta:
    """Turns one mask of a frame into another; exact both ways.

    `rect` is the smallest rectangle around what differs, `before` and `after` are its pixels, zlib-compressed.
    """

    frame: int
    size: Size
    rect: Rect
    before: bytes
    after: bytes

    @property
    def is_empty(self) -> bool:
        return self.rect.is_empty

    @property
    def nbytes(self) -> int:
        """Bytes that keeping this delta costs."""
        return len(self.before) + len(self.after)

    def apply(self, mask: IndexMask) -> IndexMask:
        """`mask` with the change made: a new array [H, W]; the argument is not touched.

        Raises:
            ValueError: `mask` is of another size, or is not the mask that the delta starts from.
        """
        if mask.shape != self.size:
            raise ValueError(f"delta of frame {self.frame} is for {self.size}, the mask is {mask.shape}")
        changed = mask.copy()
        if self.is_empty:
            return changed
        before, after = self.windows()
        window = changed[self.rect.slices]
        if not np.array_equal(window, before):
            raise ValueError(f"delta of frame {self.frame} does not start from this mask")
        window[...] = after
        return changed

    def impose(self, mask: IndexMask) -> IndexMask:
        """`mask` with the pixels of `rect` as they are after the change, whatever they were: a new array [H, W].

        Imposing all deltas of a frame in order, on any of the states they lead through, gives the last state.
        """
        changed = mask.copy()
        if not self.is_empty:
            changed[self.rect.slices] = self._unpack(self.after)
        return changed

    def invert(self) -> MaskDelta:
        """The delta that leads back."""
        return MaskDelta(self.frame, self.size, self.rect, self.after, self.before)

    def windows(self) -> tuple[IndexMask, IndexMask]:
        """What `rect` holds before and after; read-only."""
        return self._unpack(self.before), self._unpack(self.after)

    def _unpack(self, data: bytes) -> IndexMask:
        shape = (self.rect.y1 - self.rect.y0, self.rect.x1 - self.rect.x0)
        if self.is_empty:
            return np.zeros(shape, np.uint8)
        return np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)


def diff(frame: int, before: IndexMask, after: IndexMask) -> MaskDelta:
    """The delta from `before` to `after`, both uint8 [H, W]. Raises ValueError for different shapes."""
    rect = changed_rect(before, after)
    size = Size(*before.shape)
    if rect.is_empty:
        return MaskDelta(frame, size, rect, b"", b"")
    return MaskDelta(frame, size, rect, _pack(before, rect), _pack(after, rect))


def _pack(mask: IndexMask, rect: Rect) -> bytes:
    return zlib.compress(mask[rect.slices].tobytes(), 1)
