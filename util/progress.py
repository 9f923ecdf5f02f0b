"""One line that says how far a long run is: rewritten in place on a terminal, a line now and then in a log file."""
from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

_REDRAW_SECONDS = 0.1
_LOG_SECONDS = 15.0
_WINDOW_SECONDS = 10.0


class ProgressLine:
    """Speed and remaining time come from the last few seconds, so that slow and fast parts both show.

    Args:
        stream: usually stderr.
        total: steps to be done; None while that is not known (it may be set later).
        unit: what a step is called, in the plural.
        clock: seconds; for tests.
    """

    def __init__(
        self, stream: TextIO, total: int | None, unit: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self.total = total
        self._unit = unit
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._marks: deque[tuple[float, int]] = deque([(clock(), 0)])
        self._next = 0.0 if self._is_terminal else clock() + _LOG_SECONDS
        self._width = 0

    def update(self, done: int) -> None:
        """Note that `done` steps are done, and say so unless that was just done."""
        now = self._clock()
        self._marks.append((now, done))
        while len(self._marks) > 2 and self._marks[1][0] < now - _WINDOW_SECONDS:
            self._marks.popleft()
        if now < self._next and (done != self.total or not self._is_terminal):
            return
        self._next = now + (_REDRAW_SECONDS if self._is_terminal else _LOG_SECONDS)
        text = self._text(done)
        if self._is_terminal:
            self._stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def tell(self, text: str) -> None:
        """Write a line of its own; the next update starts below it."""
        self.close()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the line as it is; what is printed next starts on one of its own."""
        if self._width:
            self._stream.write("\n")
            self._stream.flush()
            self._width = 0

    def _text(self, done: int) -> str:
        (then, before), (now, _) = self._marks[0], self._marks[-1]
        share = f"{done} {self._unit}"
        if self.total is not None:
            share = f"{done}/{self.total} {self._unit} ({100 * done // max(self.total, 1)} %)"
        if now <= then or done <= before:
            return share
        speed = (done - before) / (now - then)
        left = "" if self.total is None else f", {format_duration((self.total - done) / speed)} left"
        return f"{share}, {format_speed(speed)} {self._unit}/s{left}"


def format_speed(per_second: float) -> str:
    """`24.3`, or `0.12` where one decimal would say little."""
    return f"{per_second:.1f}" if per_second >= 1 else f"{per_second:.2f}"


def format_duration(seconds: float) -> str:
    """`0:07`, `12:30`, `2:05:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
