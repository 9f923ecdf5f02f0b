"""Connects the window's parts, the session and the worker threads. The GUI thread's only place that knows them all.

Two threads work besides the GUI thread: `runner` owns the engine and every predictor, `files` opens, imports and
exports. Both give their results to the GUI thread, the only writer of stores and history.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer

from gui.action_spec import Need
from gui.closing import Closing
from gui.edit_control import EditControl
from gui.encode_ahead import EncodeAhead
from gui.engine import BuildCore, Engine
from gui.engine_control import EngineControl
from gui.export_control import ExportControl
from gui.file_jobs import scan_presence_job
from gui.frame_view import FrameView
from gui.help_control import HelpControl
from gui.import_control import ImportControl
from gui.job_runner import JobRunner
from gui.long_edits import LongEdits
from gui.merge_control import MergeControl
from gui.method_control import MethodControl
from gui.object_control import ObjectControl
from gui.opener import Opener
from gui.panels_view import PanelsView
from gui.propagation_control import PropagationControl
from gui.review_control import ReviewControl
from gui.suggest_control import SuggestControl
from gui.tool_panel import TOOL_HELP
from gui.view_control import ViewControl
from gui.weights_control import WeightsControl
from gui.wiring import connect_parts, make_commands
from interact.session import VideoSession
from util.config import AppConfig
from util.errors import AppError

if TYPE_CHECKING:
    from gui.main_window import MainWindow

# Milliseconds that a message stays in the status bar before the tool's hint comes back.
MESSAGE_TIME = 8000


@dataclass
class OpenVideo:
    """Everything that belongs to the open video and goes with it."""

    session: VideoSession
    engine: Engine
    view: FrameView
    panels: PanelsView
    is_engine_loaded: bool = False


class Controller(QObject):
    """Made by the window, lives as long as it does."""

    def __init__(self, window: MainWindow, config: AppConfig, build: BuildCore) -> None:
        super().__init__(window)
        self.window = window
        self.config = config
        self.video: OpenVideo | None = None
        self.runner = JobRunner("inference", self)
        self.files = JobRunner("files", self)
        self._is_told = False
        self.has_failed_start = False
        """Whether the video of the command line could not be opened, nor any other since."""
        self._message_timer = QTimer(self)
        self._message_timer.setSingleShot(True)
        self._message_timer.setInterval(MESSAGE_TIME)
        self._message_timer.timeout.connect(self.show_hint)
        self.engine = EngineControl(self, config, build)
        self.propagation = PropagationControl(self)
        self.long_edits = LongEdits(self)
        self.closing = Closing(self)
        self.ahead = EncodeAhead(self)
        self.exports = ExportControl(self)
        self.imports = ImportControl(self)
        self.merges = MergeControl(self)
        self.methods = MethodControl(self)
        self.opener = Opener(self)
        self.edit = EditControl(self)
        self.looks = ViewControl(self)
        self.help = HelpControl(self)
        self.objects = ObjectControl(self)
        self.suggest = SuggestControl(self)
        self.review = ReviewControl(self)
        self.weights = WeightsControl(self)
        self._connect()
        self.show_recent()
        window.show_video(None)
        self.update_actions()
        if config.source is not None:
            source = config.source
            # After the window is on the screen, which a zero timer waits for.
            QTimer.singleShot(0, lambda: self.open(source))

    # -- actions

    @property
    def runners(self) -> tuple[JobRunner, ...]:
        """The threads whose work a video may wait for."""
        return self.runner, self.files, self.long_edits.runner

    def cancel_running(self) -> None:
        """Stop the propagation, the long edit or the search for advice that runs."""
        self.propagation.cancel()
        self.long_edits.cancel()
        self.review.advice.cancel()

    def _connect(self) -> None:
        connect_parts(self)
        for action_id, command in make_commands(self).items():
            self.window.actions_by_id.connect(action_id, partial(self.perform, command))
        self.propagation.changed.connect(self.update_actions)
        self.long_edits.changed.connect(self.update_actions)
        self.exports.changed.connect(self.update_actions)
        self.review.advice.changed.connect(self.update_actions)

    def perform(self, command: Callable[[], object]) -> None:
        """Do what an action says; what the user can mend is a dialog."""
        try:
            command()
        except AppError as error:
            self.window.dialogs.show_error("This cannot be done now", error)
        self.update_actions()

    # -- opening

    def open(self, path: Path) -> None:
        """Open a video file or a folder of images."""
        if not self.closing.has_begun:
            self.opener.open(path)

    def is_told(self, path: Path) -> bool:
        """Whether --workspace, --masks and --num_objects are about this video: the one that the command line names, or
        without such a one the first that is opened."""
        if self.config.source is not None:
            return path.resolve() == self.config.source.resolve()
        return not self._is_told

    def adopt(self, session: VideoSession) -> None:
        """Show a session that was just opened and get its engine ready."""
        notice = " ".join(filter(None, (session.workspace.notice, self.engine.begin(session))))
        engine = self.engine.make(session)
        view = FrameView(session, self.window.canvas, self)
        panels = PanelsView(session, view, self.window)
        video = self.video = OpenVideo(session, engine, view, panels)
        session.message.connect(self.show_message)
        session.history.changed.connect(self.update_actions)
        session.objects.changed.connect(self.update_actions)
        session.interaction_changed.connect(self.update_actions)
        session.in_out.changed.connect(self.update_actions)
        session.frame_changed.connect(lambda frame: self.propagation.foretell())
        session.frame_changed.connect(self.ahead.hold)
        session.tool_changed.connect(self.show_hint)
        view.player.playing_changed.connect(self.window.transport.set_playing)
        view.failed.connect(partial(self.window.dialogs.show_error, "A frame cannot be shown"))
        panels.saving.failed.connect(partial(self.window.dialogs.show_error, "Not saved"))
        self.long_edits.attach(session)
        self.edit.begin(video)
        self.looks.begin(video)
        self.review.begin(video)
        self.help.begin()
        self.window.show_video(f"{session.frames.source.path.name} — workspace {session.workspace.folder.name}")
        self.window.canvas.setFocus()
        self.show_hint()
        if notice:
            self.show_message(notice)
        self.has_failed_start = False
        self.engine.load(video)
        failed = partial(self.window.dialogs.show_error, "Some masks cannot be read")
        self.files.submit(scan_presence_job(session.masks, panels.add_presence, failed))
        self._begin_as_told(session)
        self.update_actions()

    def _begin_as_told(self, session: VideoSession) -> None:
        """Follow the flags that are about one video only."""
        if self._is_told or not self.is_told(session.frames.source.path):
            return
        self._is_told = True
        wanted = self.config.num_objects or 0
        if len(session.objects) < wanted:
            for _ in range(len(session.objects), wanted):
                session.add_object()
            session.select_object(session.objects.order[0])
        if self.config.masks is None:
            return
        if session.key_frames:
            self.show_message("The workspace has marked frames already; --masks was not loaded over them.")
        else:
            self.imports.import_masks(self.config.masks)

    def forget(self, video: OpenVideo) -> None:
        """The video was closed."""
        video.view.close()
        video.panels.close()
        self.video = None
        self.suggest.forget()
        self.review.forget()
        self.runner.submit(video.engine.close_job())
        self.window.job_bar.clear()
        self.window.job_bar.memory.hide()
        self.window.top_bar.set_engine("", "")
        self.window.show_video(None)
        self.show_recent()
        self.update_actions()

    # -- saying

    def show_message(self, text: str) -> None:
        """Something that just happened, in the status bar for a while."""
        self.window.hint_label.set_full_text(text)
        self._message_timer.start()

    def show_hint(self) -> None:
        """What the user can do now, when there is nothing else to say."""
        self._message_timer.stop()
        text = ""
        if self.propagation.is_running:
            text = "Esc stops the propagation and keeps what is done. You can look around meanwhile."
        elif self.video is not None:
            session = self.video.session
            text = TOOL_HELP[session.tool.name].hint
            text += " Space plays." if session.region is None else " Outside the local region nothing changes."
        self.window.hint_label.set_full_text(text)

    def show_recent(self) -> None:
        menu, recent = self.window.recent_menu, self.window.settings.recent
        menu.clear()
        for path in recent:
            menu.addAction(str(path).replace("&", "&&")).triggered.connect(
                lambda checked=False, path=path: self.open(path)
            )
        if not recent:
            menu.addAction("Nothing yet").setEnabled(False)
        self.window.start_page.set_recent(recent)

    def update_actions(self) -> None:
        """Grey out what is not possible now; say what undo and redo would do."""
        ready: set[Need] = set()
        video = self.video
        undo = redo = None
        if video is not None:
            session = video.session
            undo, redo = session.history.undo_label, session.history.redo_label
            ready.add("video")
            conditions: dict[Need, bool] = {
                "editable": not session.is_locked,
                "object": session.objects.selected is not None,
                "propagating": any(
                    part.can_cancel for part in (self.propagation, self.long_edits, self.review.advice)
                ),
                "exporting": self.exports.is_running,
                "undo": undo is not None or session.interaction is not None or bool(session.preview_polygon()),
                "redo": redo is not None,
                "region": session.region is not None,
                "pausable": self.propagation.can_cancel,
                "range": session.in_out.is_set,
                "trash": bool(session.trash),
                "advised": self.review.advice.advice is not None,
                "suggesting": not self.suggest.missing,
            }
            ready |= {need for need, holds in conditions.items() if holds}
        actions = self.window.actions_by_id
        actions.update(ready)
        self.suggest.show_state()
        self.propagation.foretell()
        for action_id, word, label in (("edit.undo", "Undo", undo), ("edit.redo", "Redo", redo)):
            told = None if label is None else f"{word} “{label}”"
            actions.set_text(action_id, None if told is None else told.replace("&", "&&"), told)
