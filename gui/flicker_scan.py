"""Has the flicker of masks measured, a little at a time, whenever they have not changed for a moment. GUI thread."""
from __future__ import annotations

from collections.abc import Generator

from PyQt5.QtCore import QObject, QTimer

from gui.job_runner import JobRunner
from interact.frame_flicker import Measured, measure
from interact.session import VideoSession
from util.jobs import CancelToken, Job, Outcome
from util.types import Rect

PAUSE = 400
"""Milliseconds without a change before anything is measured."""
BREATH = 20
"""Milliseconds between two batches, in which other jobs of the thread get their turn."""
BATCH = 16
"""Frames at a time: some tenths of a second."""


class FlickerScan(QObject):
    """One per open video. Args: runner: of the thread that reads files; `close` before the session ends."""

    def __init__(self, session: VideoSession, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = runner
        self._is_running = False
        self._is_closed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._go_on)
        session.mask_changed.connect(self._on_mask_changed)
        self._timer.start(PAUSE)

    def close(self) -> None:
        self._is_closed = True
        self._timer.stop()
        self._session.mask_changed.disconnect(self._on_mask_changed)
        self.deleteLater()

    def _on_mask_changed(self, frame: int, rect: Rect) -> None:
        self._timer.start(PAUSE)

    def _go_on(self) -> None:
        session = self._session
        if session.is_locked:  # a propagation or a long edit has the cores, and goes on changing masks
            self._timer.start(PAUSE)
            return
        # From the frame shown on: what the user looks at is known first.
        frames = sorted(session.flicker.waiting, key=lambda frame: (abs(frame - session.frame), frame))[:BATCH]
        if not frames or self._is_running:
            return
        self._is_running = True

        def run(token: CancelToken) -> Generator[Measured, None, None]:
            return measure(session.masks, sorted(frames), token)

        self._runner.submit(Job("Measuring flicker", len(frames), run, session.flicker.take, self._on_finished))

    def _on_finished(self, outcome: Outcome) -> None:
        self._is_running = False
        if not self._is_closed and outcome.kind == "done" and not self._timer.isActive():
            self._timer.start(BREATH)
