"""How much every mask flickers, by object and frame, and which of that has still to be measured. GUI thread.

Measured by `util.flicker` from the masks alone, so it is known for hand-made and imported masks as well. A value is
void as soon as the mask of its frame or of a neighbour changes.
"""
from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.mask_store import MaskStore
from util.errors import AppError
from util.flicker import FLICKER_ABOVE, flicker
from util.jobs import CancelToken
from util.observer import Signal
from util.types import Rect

Flickers = NDArray[np.float32]
"""float32 [T]: 0..1 per frame, NaN where none is known."""


@dataclass(frozen=True)
class Measured:
    """One frame. Args: revisions: of the masks it was measured from. values: by object id."""

    frame: int
    revisions: tuple[int, int, int]
    values: Mapping[int, float]


class FrameFlicker:
    """Args: masks: whose changes it hears of."""

    def __init__(self, masks: MaskStore) -> None:
        self.changed: Signal[[]] = Signal()
        self._masks = masks
        self._last = len(masks) - 1
        self._values: dict[int, Flickers] = {}
        self._waiting: set[int] = set()
        for frame in masks.frames():
            self._outdate(frame)
        masks.changed.connect(self._on_mask_changed)

    @property
    def waiting(self) -> list[int]:
        """The frames that are to be measured. The first and the last of the video never are: one neighbour lacks."""
        return sorted(self._waiting)

    def take(self, measured: Measured) -> None:
        """What was measured on another thread; it does not count if a mask has changed meanwhile."""
        if measured.frame not in self._waiting or measured.revisions != revisions(self._masks, measured.frame):
            return
        self._waiting.discard(measured.frame)
        for object_id in measured.values.keys() - self._values.keys():
            self._values[object_id] = np.full(self._last + 1, np.nan, np.float32)
        for object_id, values in self._values.items():
            values[measured.frame] = measured.values.get(object_id, np.nan)
        self.changed.emit()

    def values(self, object_id: int, known: NDArray[np.bool_]) -> Flickers:
        """Of every frame; a new array. Args: known: bool [T], where the object's mask is more than not yet made.

        A frame counts only where it and both neighbours are known: beside what was never marked nor propagated, the
        object does not flicker, it is only not there yet.
        """
        found = self._values.get(object_id)
        result = np.full(self._last + 1, np.nan, np.float32)
        if found is not None and self._last >= 2:
            inner = known[:-2] & known[1:-1] & known[2:]
            result[1:-1][inner] = found[1:-1][inner]
        return result

    def _on_mask_changed(self, frame: int, rect: Rect) -> None:
        self._outdate(frame)

    def _outdate(self, frame: int) -> None:
        self._waiting |= {near for near in (frame - 1, frame, frame + 1) if 0 < near < self._last}


def revisions(masks: MaskStore, frame: int) -> tuple[int, int, int]:
    """Any thread: of a frame's mask and its neighbours'."""
    return masks.revision(frame - 1), masks.revision(frame), masks.revision(frame + 1)


def measure(masks: MaskStore, frames: Sequence[int], token: CancelToken) -> Generator[Measured, None, None]:
    """Any thread: the flicker of every object on some frames. A mask that cannot be read has none."""
    for frame in frames:
        token.check()
        stamp = revisions(masks, frame)
        near = (frame - 1, frame, frame + 1)
        values: dict[int, float] = {}
        try:
            ids = frozenset[int]().union(*(masks.object_ids(other) for other in near))
            shown = [masks.get(other) for other in near] if ids else []
        except AppError:
            ids = frozenset()  # told when the frame is shown
        for object_id in ids:
            before, now, after = (np.asarray(mask == object_id, np.bool_) for mask in shown)
            values[object_id] = flicker(before, now, after)
        yield Measured(frame, stamp, values)


def is_flickering(values: Flickers) -> NDArray[np.bool_]:
    """bool [T]: the rule. What is not known does not flicker."""
    with np.errstate(invalid="ignore"):
        return np.asarray(values > FLICKER_ABOVE, np.bool_)
