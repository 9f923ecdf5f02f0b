"""Has the engine look at frames while it has nothing else to do, so that a propagation finds that done. GUI thread.

What a network makes of a frame before it knows any mask is the larger part of the light network's work. It is kept in
the workspace (`storage.feature_folder`), up to the budget of `--mem_profile`. Everything else goes first: another job
of the worker, the pointer over the picture (a click may follow, and wants its answer at once), a frame that is sought.
This one ends then after the frame in hand, and comes back when there has been nothing of that for `PAUSE`.
"""
from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer

from gui.engine import Engine
from inference_core.api import KeepsFeatures
from util.jobs import CancelToken, Job, Outcome

if TYPE_CHECKING:
    from gui.controller import Controller

PAUSE = 700
"""Milliseconds."""


def nearest_first(frame: int, count: int) -> Iterator[int]:
    """All frames of a video of `count`, from `frame` outwards."""
    yield frame
    for distance in range(1, max(frame, count - 1 - frame) + 1):
        if frame + distance < count:
            yield frame + distance
        if frame - distance >= 0:
            yield frame - distance


class EncodeAhead(QObject):
    """Goes on until all frames of a video are known to its engine, or the place for them is full."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._runner = controller.runner
        self._through: Engine | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self._begin)
        self._is_held = False
        # Not the timer's own slot: it would take the job's number for an interval.
        self._runner.finished.connect(lambda *_: self._timer.start())
        canvas = controller.window.canvas
        for sign_of_life in (canvas.hovered, canvas.pointer):
            sign_of_life.connect(self.hold)

    def hold(self, *_: object) -> None:
        """The user is about to want something."""
        self._is_held = True
        self._timer.start()

    def _begin(self) -> None:
        video = self._controller.video
        if video is None or not video.engine.keeps_features or video.engine is self._through:
            return
        if not self._runner.is_busy() and not self._controller.closing.has_begun:
            self._is_held = False
            self._runner.submit(self._job(video.engine, video.session.frame, len(video.session.frames)))

    def _job(self, engine: Engine, frame: int, count: int) -> Job[int]:
        is_through = False

        def run(token: CancelToken) -> Generator[int, None, None]:
            nonlocal is_through
            core = engine.get()
            assert isinstance(core, KeepsFeatures)
            with closing(core.encode_ahead(nearest_first(frame, count), token)) as made:
                for done in made:
                    yield done
                    if self._runner.has_waiting or self._is_held:
                        return
            is_through = True

        def finish(outcome: Outcome) -> None:
            if is_through or outcome.kind == "failed":  # a frame that cannot be read is told when it is needed
                self._through = engine

        return Job("Looking at frames ahead", None, run, lambda done: None, finish)
