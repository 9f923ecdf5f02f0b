"""The window with a video open, worked by a program: what the benchmarks and tools/take_pictures.py stand on."""
from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from PyQt5.QtCore import QEventLoop, Qt, QTimer
from PyQt5.QtWidgets import QApplication

from gui import theme
from gui.engine import BuildCore, build_core
from gui.main_window import MainWindow
from interact.session import VideoSession
from interactive_gui import make_application
from util.config import WINDOW, parse_config

ENGINES = ("light", "static")
BEAT = 2
"""Milliseconds; a timer without a pause would keep a core from the networks."""
LOOK = 5
"""Milliseconds between two looks whether the window has come to rest."""


def measured_application() -> QApplication:
    """The program's application as users have it. Says how busy the machine is, which every time depends on."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    app = make_application()
    theme.apply_theme(app)
    return app


class WindowStage:
    """Args: flags: of `interactive_gui.py`, the video among them. patience: seconds to wait for the window to rest."""

    def __init__(
        self, app: QApplication, flags: Sequence[str], *, build: BuildCore = build_core, patience: float = 600
    ) -> None:
        self.app = app
        self._patience = patience
        self._look = QTimer()
        self._look.start(LOOK)  # wakes `wait`
        self.window = MainWindow(parse_config(WINDOW, list(flags), ENGINES), build=build)
        self.window.resize(1440, 900)
        self.window.show()
        self.wait(lambda: self.window.controller.video is not None)
        self.rest()

    @property
    def session(self) -> VideoSession:
        return self.window.controller.edit.session

    def wait(self, condition: Callable[[], object]) -> None:
        """Let the window work until something holds. SystemExit when it never does."""
        deadline = time.monotonic() + self._patience
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit("the window does not come to rest")
            self.app.processEvents(QEventLoop.AllEvents | QEventLoop.WaitForMoreEvents)

    def pause(self, seconds: float) -> None:
        """Let the window work for so long."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= end)

    def rest(self) -> None:
        """Until no job runs and the frame is on the screen."""
        controller = self.window.controller
        runners = (controller.runner, controller.files, controller.long_edits.runner)
        self.wait(lambda: not any(runner.is_busy() for runner in runners))
        self.wait(lambda: controller.video is None or controller.video.view.is_current)

    def act(self, *action_ids: str) -> None:
        """Trigger actions one by one, each after the one before has come to rest."""
        for action_id in action_ids:
            self.window.actions_by_id[action_id].trigger()
            self.rest()

    def seek(self, frame: int) -> None:
        self.window.controller.edit.seek(frame)
        self.rest()

    def close(self) -> None:
        self.window.close()
        self.wait(lambda: not self.window.isVisible())
        self._look.stop()


@dataclass
class Beats:
    """Milliseconds between two turns of the window's event loop.

    Attributes:
        gaps: by the clock.
        work: the processor time that the window's thread itself took in between; on a machine that is busy with
            something else only this is the program's doing.
    """

    gaps: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Beats]:
    """Take the beats of the event loop while the body lets it run."""
    beats = Beats()
    last = [time.perf_counter(), time.thread_time()]

    def beat() -> None:
        now = [time.perf_counter(), time.thread_time()]
        beats.gaps.append(1000 * (now[0] - last[0]))
        beats.work.append(1000 * (now[1] - last[1]))
        last[:] = now

    timer = QTimer()
    timer.setTimerType(Qt.PreciseTimer)
    timer.timeout.connect(beat)
    timer.start(BEAT)
    try:
        yield beats
        beat()
    finally:
        timer.stop()
