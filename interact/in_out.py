"""The in and out marks: the part of the video that propagation, review and export keep to."""
from __future__ import annotations

from util.observer import Signal


class InOut:
    """Two optional frames, both included. Outside them results stay as they are. GUI thread.

    Args:
        num_frames: of the video.
    """

    def __init__(self, num_frames: int) -> None:
        self.changed: Signal[[]] = Signal()
        self.first: int | None = None
        self.last: int | None = None
        self._num_frames = num_frames

    @property
    def is_set(self) -> bool:
        return self.first is not None or self.last is not None

    @property
    def frames(self) -> range:
        """The frames between the marks; a mark that is not set is the video's own end."""
        first = 0 if self.first is None else self.first
        return range(first, (self._num_frames - 1 if self.last is None else self.last) + 1)

    def set_first(self, frame: int) -> None:
        """Begin here. An out mark before it is forgotten."""
        self._set(frame, None if self.last is not None and self.last < frame else self.last)

    def set_last(self, frame: int) -> None:
        """End here. An in mark behind it is forgotten."""
        self._set(None if self.first is not None and self.first > frame else self.first, frame)

    def clear(self) -> None:
        self._set(None, None)

    def _set(self, first: int | None, last: int | None) -> None:
        if (first, last) != (self.first, self.last):
            self.first, self.last = first, last
            self.changed.emit()
