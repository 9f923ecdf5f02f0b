"""Which objects the user fixed on which frames. GUI thread."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from util.observer import Signal


class KeyFrames(Mapping[int, frozenset[int]]):
    """frame -> ids of the objects fixed there, in order of frames; frames without one are absent.

    A fixed object need not have a pixel on the frame: it is then fixed as "absent here".
    """

    def __init__(self, initial: Mapping[int, Iterable[int]]) -> None:
        self.changed: Signal[[]] = Signal()
        self._ids: dict[int, frozenset[int]] = {}
        self._store({frame: frozenset(ids) for frame, ids in initial.items()})

    def __getitem__(self, frame: int) -> frozenset[int]:
        return self._ids[frame]

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def on(self, frame: int) -> frozenset[int]:
        """The objects fixed on `frame`, empty when it is no key frame."""
        return self._ids.get(frame, frozenset())

    def replace(self, frames: Mapping[int, frozenset[int]]) -> None:
        """Set several frames at once; an empty set makes a frame ordinary again."""
        if any(self.on(frame) != ids for frame, ids in frames.items()):
            self._store(frames)
            self.changed.emit()

    def _store(self, frames: Mapping[int, frozenset[int]]) -> None:
        merged = {**self._ids, **frames}
        self._ids = {frame: merged[frame] for frame in sorted(merged) if merged[frame]}
