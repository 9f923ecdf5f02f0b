"""What each frame's mask was before its last change, for comparing the two. GUI thread; numpy only.

It hears of changes from the store, so strokes, propagations, imports and undo all count. What was not changed since the
video was opened has no version before.
"""
from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from storage.mask_store import MaskStore
from util.types import IndexMask, Rect


@dataclass(frozen=True)
class _Window:
    """The pixels of `rect` before a change, zlib-compressed, and the store's revision after it."""

    rect: Rect
    pixels: bytes
    revision: int


class LastChanges:
    """Keeps the newest change of every frame, the oldest dropped beyond `limit_bytes`. `close` ends it."""

    def __init__(self, masks: MaskStore, limit_bytes: int = 64 << 20) -> None:
        self._masks = masks
        self._limit_bytes = limit_bytes
        self._nbytes = 0
        self._windows: OrderedDict[int, _Window] = OrderedDict()
        masks.replaced.connect(self._on_replaced)

    @property
    def nbytes(self) -> int:
        """Of the pixels kept."""
        return self._nbytes

    def close(self) -> None:
        self._masks.replaced.disconnect(self._on_replaced)

    def before(self, frame: int) -> IndexMask | None:
        """The frame's mask before its last change, uint8 [H, W]; None when none is known.

        Raises AppError when the present mask cannot be read.
        """
        window = self._windows.get(frame)
        if window is None or window.revision != self._masks.revision(frame):
            return None
        mask = self._masks.get(frame).copy()
        shape = (window.rect.y1 - window.rect.y0, window.rect.x1 - window.rect.x0)
        mask[window.rect.slices] = np.frombuffer(zlib.decompress(window.pixels), np.uint8).reshape(shape)
        return mask

    def _on_replaced(self, frame: int, before: IndexMask, rect: Rect) -> None:
        old = self._windows.pop(frame, None)
        self._nbytes -= 0 if old is None else len(old.pixels)
        pixels = zlib.compress(before[rect.slices].tobytes(), 1)
        self._windows[frame] = _Window(rect, pixels, self._masks.revision(frame))
        self._nbytes += len(pixels)
        while self._nbytes > self._limit_bytes:
            self._nbytes -= len(self._windows.popitem(last=False)[1].pixels)
