"""Masks that stay as they were when they were first asked for, while the user goes on working. Any one thread."""
from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from storage.mask_io import decode_mask, encode_mask
from util.types import IndexMask


class KeptMasks:
    """Keeps every mask compressed, some kilobytes each.

    An export writes a frame and later compares it with its mask; a change in between is no fault of the file.

    Args:
        source: frame -> uint8 [H, W].
    """

    def __init__(self, source: Callable[[int], IndexMask]) -> None:
        self._source = source
        self._packed: dict[int, bytes] = {}

    def __call__(self, frame: int) -> IndexMask:
        """uint8 [H, W]. Raises what the source raises."""
        packed = self._packed.get(frame)
        if packed is not None:
            return decode_mask(io.BytesIO(packed), Path(f"frame {frame}"))
        mask = self._source(frame)
        self._packed[frame] = encode_mask(mask)
        return mask
