"""Marks that the user sets on objects of single frames. GUI thread."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from storage.frame_runs import Runs, runs_by_object
from util.observer import Signal

MarkKind = Literal["key", "locked", "verified"]
"""key: the user fixed the object here. locked: nothing may change it here. verified: the user found it right here."""

MARK_KINDS: tuple[MarkKind, ...] = ("key", "locked", "verified")


class FrameMarks(Mapping[int, frozenset[int]]):
    """One kind of mark: frame -> ids of the objects that carry it there, in order of frames; empty frames are absent.

    A marked object need not have a pixel on the frame: it is then fixed, locked or verified as "absent here".
    """

    def __init__(self, initial: Mapping[int, Iterable[int]] | None = None) -> None:
        self.changed: Signal[[]] = Signal()
        self._ids: dict[int, frozenset[int]] = {}
        self._runs: Runs | None = None
        self._store({frame: frozenset(ids) for frame, ids in (initial or {}).items()})

    def __getitem__(self, frame: int) -> frozenset[int]:
        return self._ids[frame]

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def on(self, frame: int) -> frozenset[int]:
        """The objects marked on `frame`, empty when there are none."""
        return self._ids.get(frame, frozenset())

    @property
    def runs(self) -> Runs:
        """The same by object: what files and the timeline's lanes hold. Do not change it."""
        if self._runs is None:
            self._runs = runs_by_object(self._ids)
        return self._runs

    def replace(self, frames: Mapping[int, frozenset[int]]) -> None:
        """Set several frames at once; an empty set makes a frame ordinary again."""
        if any(self.on(frame) != ids for frame, ids in frames.items()):
            self._store(frames)
            self.changed.emit()

    def _store(self, frames: Mapping[int, frozenset[int]]) -> None:
        merged = {**self._ids, **frames}
        self._ids = {frame: merged[frame] for frame in sorted(merged) if merged[frame]}
        self._runs = None
