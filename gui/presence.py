"""Which objects have pixels on which frames: what the timeline's lanes and the list's percentages are drawn from."""
from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray


class PresenceIndex:
    """One row of T flags per object that was ever seen; a row costs T bytes."""

    def __init__(self, num_frames: int) -> None:
        self._num_frames = num_frames
        self._rows: dict[int, NDArray[np.bool_]] = {}
        self._ids: dict[int, frozenset[int]] = {}

    def put(self, frame: int, object_ids: frozenset[int]) -> bool:
        """Note what is on a frame; whether that is news."""
        before = self._ids.get(frame, frozenset())
        if object_ids == before:
            return False
        for object_id in object_ids - before:
            if object_id not in self._rows:
                self._rows[object_id] = np.zeros(self._num_frames, np.bool_)
            self._rows[object_id][frame] = True
        for object_id in before - object_ids:
            self._rows[object_id][frame] = False
        self._ids[frame] = object_ids
        return True

    def runs(self, object_id: int) -> Iterator[range]:
        """The unbroken stretches of frames on which the object has pixels, ascending."""
        row = self._rows.get(object_id)
        if row is None:
            return
        edges = np.flatnonzero(np.diff(row.astype(np.int8), prepend=0, append=0))
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            yield range(int(first), int(last))

    def coverage(self, object_id: int, fixed: Collection[int]) -> float:
        """Share of the frames, 0..1, on which the object has pixels or is fixed (and so known to be absent)."""
        row = self._rows.get(object_id)
        if row is None:
            return len(fixed) / self._num_frames
        covered = int(row.sum()) + sum(1 for frame in fixed if not row[frame])
        return covered / self._num_frames
