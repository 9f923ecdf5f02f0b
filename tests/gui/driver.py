"""Works the real window as a person would: mouse and keys, waiting for what appears. For tests/gui."""
from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.dialogs import Dialogs
from gui.engine import BuildCore
from gui.export_dialog import ExportDialog
from gui.main_window import MainWindow
from gui.recovery_dialog import Decided
from inference_core.api import ExistingMask, FrameReader, FrameResult, KeyFrame, MemoryReport, PropagationRequest
from interact.session import VideoSession
from util.config import WINDOW, AppConfig, parse_config
from util.errors import AppError
from util.jobs import CancelToken
from util.types import IndexMask

# Milliseconds; generous, for machines that are busy with something else. A passing test does not wait that long.
TIMEOUT = 20_000


@dataclass
class FakeDialogs(Dialogs):
    """Answers questions as told beforehand and keeps what was said."""

    video: Path | None = None
    folder: Path | None = None
    save: Path | None = None
    masks: Path | None = None
    says_yes: bool = True
    recovers: bool | None = True
    unsaved: list[str] = field(default_factory=list)
    errors: list[AppError] = field(default_factory=list)
    defects: list[BaseException] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def show_error(self, title: str, error: AppError) -> None:
        assert isinstance(error, AppError)
        self.errors.append(error)

    def show_defect(self, error: BaseException) -> None:
        self.defects.append(error)

    def show_about(self, title: str, text: str) -> None:
        self.texts.append(text)

    def ask_video(self, folder: Path) -> Path | None:
        return self.video

    def ask_folder(self, title: str, folder: Path) -> Path | None:
        return self.folder

    def ask_masks(self, folder: Path) -> Path | None:
        return self.masks

    def ask_save_video(self, path: Path) -> Path | None:
        return self.save

    def ask_recovery(self, name: str, unsaved: Sequence[str], decided: Decided) -> None:
        self.unsaved.extend(unsaved)
        decided(self.recovers)

    def confirm(self, title: str, text: str, details: str, yes: str, on_yes: Callable[[], None]) -> None:
        self.questions.append(text)
        if self.says_yes:
            on_yes()

    def ask_protected(self, text: str, details: str, answered: Callable[..., None]) -> None:
        self.questions.append(text)
        answered(change=self.says_yes)


class Gate:
    """What the steps of a fake job pass one by one: open for all, or for a counted few."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._is_open = True
        self._allowed = 0

    def open(self) -> None:
        with self._condition:
            self._is_open = True
            self._condition.notify_all()

    def close(self) -> None:
        with self._condition:
            self._is_open = False

    def allow(self, steps: int = 1) -> None:
        """Let some more steps through a closed gate."""
        with self._condition:
            self._allowed += steps
            self._condition.notify_all()

    def take(self, timeout: float) -> bool:
        """Pass, if that is possible within `timeout` seconds."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._is_open or self._allowed > 0, timeout):
                return False
            self._allowed -= not self._is_open
            return True


@dataclass
class FakeCore:
    """Copies the objects of the anchor to the other frames; each frame has to pass the gate. No torch."""

    frames: FrameReader
    existing: ExistingMask
    gate: Gate
    step_error: Exception | None = None
    engine: str = "fake"
    device: str = "cpu (float32)"
    settings: Mapping[str, str | int | float] = field(default_factory=lambda: {"mem_every": 5})
    keys: tuple[KeyFrame, ...] = ()
    threads: set[str] = field(default_factory=set)
    is_closed: bool = False

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        self.threads.add(threading.current_thread().name)
        self.keys = tuple(key_frames)

    def plan(self, request: PropagationRequest) -> int:
        return len(self._route(request))

    def _route(self, request: PropagationRequest) -> list[int]:
        last = len(self.frames) - 1 if request.last is None else request.last
        on = list(range(request.anchor + 1, last + 1)) if request.direction != "backward" else []
        back = list(range(request.anchor - 1, request.first - 1, -1)) if request.direction != "forward" else []
        return on + back

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        fixed = {key.frame: key.object_ids for key in self.keys}
        anchor = next(key for key in self.keys if key.frame == request.anchor)
        route = self._route(request)
        for done, frame in enumerate(route, 1):
            token.check()
            while not self.gate.take(0.005):
                token.check()
            if self.step_error is not None:
                raise self.step_error
            yield FrameResult(frame, self._carried(anchor, frame, fixed.get(frame, frozenset())), done, len(route))

    def _carried(self, anchor: KeyFrame, frame: int, barriers: frozenset[int]) -> IndexMask:
        mask = self.existing(frame).copy()
        for object_id in anchor.object_ids - barriers:
            mask[mask == object_id] = 0
            mask[(anchor.mask == object_id) & (mask == 0)] = object_id
        return mask

    def memory(self) -> MemoryReport:
        return MemoryReport(len(self.keys), 2, 3 << 20)

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.is_closed = True


class FakeBuilder:
    """Builds `FakeCore`s and keeps them for the test."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.load = threading.Event()
        self.load.set()
        self.error: Exception | None = None
        self.step_error: Exception | None = None
        self.cores: list[FakeCore] = []

    def __call__(self, config: AppConfig, frames: FrameReader, existing: ExistingMask) -> FakeCore:
        self.load.wait(TIMEOUT / 1000)
        if self.error is not None:
            raise self.error
        self.cores.append(FakeCore(frames, existing, self.gate, self.step_error))
        return self.cores[-1]


class Driver:
    """One window. `finish` must be called at the end of a test (qtbot would not wait for its jobs)."""

    def __init__(self, qtbot: QtBot, argv: Sequence[str], build: BuildCore, *, resize: bool = True) -> None:
        self._qtbot = qtbot
        self._threads_before = set(threading.enumerate())
        config = parse_config(WINDOW, list(argv), ("light", "stcn", "static"))
        self.window = MainWindow(config, build=build)
        self.dialogs = FakeDialogs(self.window)
        self.window.dialogs = self.dialogs
        if resize:
            self.window.resize(1200, 800)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.activate()  # without a window manager nobody else does it

    @property
    def session(self) -> VideoSession:
        video = self.window.controller.video
        assert video is not None
        return video.session

    def wait(self, condition: Callable[[], object]) -> None:
        self._qtbot.waitUntil(lambda: bool(condition()), timeout=TIMEOUT)

    def wait_open(self) -> None:
        """Until a video is open and its frame on the screen."""
        controller = self.window.controller
        self.wait(lambda: controller.video is not None and controller.video.view.is_current)

    def wait_idle(self) -> None:
        """Until no job runs and the frame is on the screen."""
        controller = self.window.controller
        self.wait(lambda: not controller.runner.is_busy() and not controller.files.is_busy())
        self.wait(lambda: not controller.long_edits.runner.is_busy())
        self.wait(lambda: controller.video is None or controller.video.view.is_current)

    def open(self, path: Path) -> None:
        self.window.controller.open(path)
        self.wait_open()

    def trigger(self, action_id: str) -> None:
        action = self.window.actions_by_id[action_id]
        assert action.isEnabled(), f"{action_id} is grey"
        action.trigger()

    def export(self, target: Path, name: str = "index-png") -> ExportDialog:
        """Fill in the export dialog and press its button; an answer that it asks for is given by `dialogs`."""
        self.trigger("file.export_masks")
        dialog = self.window.controller.exports.dialog
        assert dialog is not None and dialog.isVisible()
        dialog.choose(name)
        dialog.set_target(target)
        QTest.mouseClick(dialog.start, Qt.LeftButton)
        return dialog

    def is_enabled(self, action_id: str) -> bool:
        return self.window.actions_by_id[action_id].isEnabled()

    def activate(self) -> None:
        """Make the window the active one, which keys need to act as shortcuts, whatever the X server says late."""
        QApplication.processEvents()
        QApplication.setActiveWindow(self.window)

    def mask(self, frame: int | None = None) -> IndexMask:
        return self.session.masks.get(self.session.frame if frame is None else frame)

    # -- the mouse, as raw events: QTest's moves do not carry held buttons

    def click(self, x: float, y: float, button: Qt.MouseButton = Qt.LeftButton) -> None:
        self.drag([(x, y)], button)

    def drag(self, points: Sequence[tuple[float, float]], button: Qt.MouseButton = Qt.LeftButton) -> None:
        """Press at the first point (image pixels), move along, release at the last."""
        self.mouse(QEvent.MouseButtonPress, points[0], button, button)
        for point in points[1:]:
            self.mouse(QEvent.MouseMove, point, Qt.NoButton, button)
        self.mouse(QEvent.MouseButtonRelease, points[-1], button, Qt.NoButton)

    def double_click(self, x: float, y: float) -> None:
        self.click(x, y)
        self.mouse(QEvent.MouseButtonDblClick, (x, y), Qt.LeftButton, Qt.LeftButton)
        self.mouse(QEvent.MouseButtonRelease, (x, y), Qt.LeftButton, Qt.NoButton)

    def mouse(
        self, kind: QEvent.Type, point: tuple[float, float], button: Qt.MouseButton, held: Qt.MouseButton
    ) -> None:
        canvas = self.window.canvas
        place = canvas.image_to_widget(*point)
        send_mouse(canvas, kind, place, button, held)

    def close(self) -> None:
        """Close the window and wait until it is gone, with its threads."""
        self.window.close()
        self.wait(lambda: not self.window.isVisible())
        left = {thread.name for thread in threading.enumerate() if thread not in self._threads_before}
        assert not left & {"inference", "files", "display-loader"}, f"still running: {left}"

    def finish(self) -> None:
        """Close the window unless the test did, and let go of it."""
        self.dialogs.says_yes = True
        if self.window.isVisible():
            self.close()
        self.window.deleteLater()
        assert self.dialogs.defects == []


def send_mouse(
    widget: QWidget, kind: QEvent.Type, place: QPointF, button: Qt.MouseButton, held: Qt.MouseButton
) -> None:
    globally = QPointF(widget.mapToGlobal(QPoint(0, 0))) + place
    QApplication.sendEvent(widget, QMouseEvent(kind, place, globally, button, Qt.MouseButtons(held), Qt.NoModifier))


def area(mask: IndexMask, object_id: int) -> int:
    """Pixels of an object."""
    return int(np.count_nonzero(mask == object_id))
