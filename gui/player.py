"""The clock of playing: which frame is due now. Frames that cannot be shown in time are left out, never queued."""
from __future__ import annotations

import bisect
import time
from collections.abc import Callable, Sequence

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

# Milliseconds between two looks at the clock; half a frame at 60 frames/s.
TICK = 8
RATE_SECONDS = 0.5
"""How often the rate reached is told."""


class Player(QObject):
    """Plays at the source's own pace, by the times of its frames (which may be uneven).

    `due(frame)` is emitted when it is time for another frame, `playing_changed(bool)` at start and end. A frame is only
    due while `is_ready` says that the frame before it has reached the screen. At the end it stops. While `is_looping`
    it plays the frames of `set_bounds` again and again instead, beginning with the first of them.
    `rate_changed(frames per second, frames left out since the start)` tells what reaches the screen.
    """

    due = pyqtSignal(int)
    playing_changed = pyqtSignal(bool)
    rate_changed = pyqtSignal(float, int)

    def __init__(self, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._times: Sequence[float] = ()
        self._is_ready: Callable[[], bool] = lambda: True
        self._frame = 0
        self._started = 0.0
        self.is_looping = False
        self._bounds: range | None = None
        self._left_out = 0
        self._shown = 0
        self._counted_from = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.PreciseTimer)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self.tick)

    @property
    def is_playing(self) -> bool:
        return self._timer.isActive()

    def set_bounds(self, frames: range | None) -> None:
        """What a loop keeps to, also one that plays already; None for the whole video."""
        self._bounds = frames

    @property
    def _range(self) -> range:
        """The frames that are played."""
        whole = range(len(self._times))
        return self._bounds if self.is_looping and self._bounds else whole

    def set_video(self, times: Sequence[float], is_ready: Callable[[], bool]) -> None:
        """Args: times: seconds from the first frame, ascending, one per frame."""
        self.stop()
        self._times = times
        self._is_ready = is_ready

    def start(self, frame: int) -> None:
        """Play from `frame`; from the first of the frames to be played if it is the last or not one of them."""
        if len(self._times) < 2:
            return
        played = self._range
        self._frame = frame if frame in played[:-1] else played[0]
        self._begin_at(self._frame)
        self._left_out = 0
        self._timer.start()
        self.playing_changed.emit(True)
        if self._frame != frame:
            self.due.emit(self._frame)

    def stop(self) -> None:
        if self.is_playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def tick(self) -> None:
        """Announce the frame that is due, if it is another one and the screen is ready for it; stop at the end."""
        if not self._is_ready():
            return
        last = self._range[-1]
        if self._frame == last and not self.is_looping:
            self.stop()
            return
        elapsed = self._clock() - self._started
        frame = max(min(bisect.bisect_right(self._times, elapsed) - 1, last), 0)
        if self._frame not in self._range:  # the marks were set while it played beyond them
            self._again()
        elif frame > self._frame:
            self._left_out += frame - self._frame - 1
            self._show(frame)
            if frame == last and not self.is_looping:
                self.stop()
        elif frame == last and elapsed >= self._times[last] + self._duration(last):
            self._again()

    def _again(self) -> None:
        first = self._range[0]
        self._begin_at(first)
        self._show(first)

    def _begin_at(self, frame: int) -> None:
        """From now on this frame is due."""
        now = self._clock()
        self._started = now - self._times[frame]
        self._shown, self._counted_from = 0, now

    def _duration(self, frame: int) -> float:
        """Seconds that a frame stays; the last one as long as the one before it."""
        frame = min(frame, len(self._times) - 2)
        return self._times[frame + 1] - self._times[frame]

    def _show(self, frame: int) -> None:
        self._frame = frame
        self._shown += 1
        self.due.emit(frame)
        seconds = self._clock() - self._counted_from
        if seconds >= RATE_SECONDS:
            self.rate_changed.emit(self._shown / seconds, self._left_out)
            self._shown, self._counted_from = 0, self._clock()
