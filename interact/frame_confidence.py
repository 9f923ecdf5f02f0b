"""The quality that propagations left of every mask (`ObjectMeasure.quality`). GUI thread.

A value belongs to the source of its mask (`storage.provenance`): once the mask comes from elsewhere, by hand, by
another propagation or by undo, the value no longer counts, and redo makes it count again.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from inference_core.confidence import SUSPECT_BELOW
from storage.confidence_file import Confidences, Noted, Origin
from storage.provenance import Provenance, Source
from util.observer import Signal


def origin_of(source: Source) -> Origin:
    return Origin(source.time, source.action, -1 if source.anchor is None else source.anchor)


class FrameConfidence:
    """Args: provenance: of the masks, as it is at every moment."""

    def __init__(self, provenance: Provenance, num_frames: int) -> None:
        self.changed: Signal[[]] = Signal()
        self._provenance = provenance
        self._num_frames = num_frames
        self._origins: list[Origin] = []
        self._values: dict[int, Confidences] = {}
        self._places: dict[int, NDArray[np.int32]] = {}  # in `_origins`, by object and frame; -1 for none
        self._running: dict[int, Confidences] = {}

    def note(self, frame: int, values: Mapping[int, float]) -> None:
        """What the running propagation says of a frame, by object id."""
        for object_id, value in values.items():
            if object_id not in self._running:
                self._running[object_id] = self._unknown()
            self._running[object_id][frame] = value
        if values:
            self.changed.emit()

    def settle(self, source: Source | None) -> None:
        """The propagation has ended: its masks have this source from now on. None: they were taken back."""
        running, self._running = self._running, {}
        if source is not None:
            for object_id, values in running.items():
                self._put(Noted(object_id, origin_of(source), 0, values))
        if running:
            self.changed.emit()

    def on(self, frame: int, object_id: int) -> float | None:
        """0..1; None where the mask was not carried here, or nobody knows."""
        value = float(self.values(object_id)[frame])
        return None if np.isnan(value) else value

    def values(self, object_id: int) -> Confidences:
        """Of every frame; a new array."""
        found = self._unknown()
        known, places = self._values.get(object_id), self._places.get(object_id)
        if known is not None and places is not None:
            for span in self._provenance.of(object_id):
                origin = None if span.source is None else origin_of(span.source)
                if origin in self._origins:
                    part = slice(span.frames.start, span.frames.stop)
                    found[part] = np.where(places[part] == self._origins.index(origin), known[part], np.nan)
        running = self._running.get(object_id)
        return found if running is None else np.where(np.isnan(running), found, running)

    # -- for the file

    def __iter__(self) -> Iterator[Noted]:
        """All that is settled, whether it counts at the moment or not."""
        for object_id in sorted(self._values):
            for place, origin in enumerate(self._origins):
                own = np.where(self._places[object_id] == place, self._values[object_id], np.nan)
                frames = np.flatnonzero(~np.isnan(own))
                if len(frames):
                    yield Noted(object_id, origin, int(frames[0]), own[frames[0] : frames[-1] + 1])

    def restore(self, notes: Iterable[Noted]) -> None:
        """What an earlier session knew, of the frames that the video has."""
        for note in notes:
            self._put(note)
        self.changed.emit()

    def _put(self, note: Noted) -> None:
        if note.origin not in self._origins:
            self._origins.append(note.origin)
        if note.object_id not in self._values:
            self._values[note.object_id] = self._unknown()
            self._places[note.object_id] = np.full(self._num_frames, -1, np.int32)
        is_known = ~np.isnan(note.values)
        part = slice(note.first, note.first + len(note.values))
        self._values[note.object_id][part][is_known] = note.values[is_known]
        self._places[note.object_id][part][is_known] = self._origins.index(note.origin)

    def _unknown(self) -> Confidences:
        return np.full(self._num_frames, np.nan, np.float32)


def is_suspect(values: Confidences) -> NDArray[np.bool_]:
    """bool [T]: the rule. A mask is suspect where the engine carried it and its quality is below the limit."""
    with np.errstate(invalid="ignore"):
        return np.asarray(values < SUSPECT_BELOW, np.bool_)
