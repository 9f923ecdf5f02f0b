"""The version before: holding a key shows the frame's mask as it was before its last change. GUI thread.

What has changed since the video was opened is at hand; what was changed before that is read from the journal.
"""
from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QEvent, QObject
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QApplication

from gui.file_jobs import as_app_error
from interact.older_masks import OlderMasks, Visited, search
from util.jobs import CancelToken, Job, Outcome

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo

NEVER = "No step of the history has changed this frame's mask, so there is no older version to compare it with."
EMPTY = "This frame has no mask, and no step of the history has changed it: there is nothing to compare."


class BeforeControl(QObject):
    """Acts on the controller's open video, if there is one."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._older = OlderMasks()
        self._is_wanted = False
        self._job_id: int | None = None
        controller.window.actions_by_id["view.before"].setAutoRepeat(False)

    def begin(self) -> None:
        """Another video was opened."""
        self._older = OlderMasks()
        self._end()

    def toggle(self) -> None:
        """Show the mask before its last change, until the key is let go or something is pressed."""
        video = self._controller.video
        if video is None:
            return
        if self._is_wanted:
            self._end()
            return
        self._is_wanted = True
        QApplication.instance().installEventFilter(self)
        if not video.view.show_before(True):
            self._search(video)

    def _end(self) -> None:
        self._is_wanted = False
        QApplication.instance().removeEventFilter(self)
        if self._job_id is not None:
            self._controller.files.cancel(self._job_id)
            self._job_id = None
        if self._controller.video is not None:
            self._controller.video.view.show_before(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        kind = event.type()
        is_release = kind == QEvent.KeyRelease and isinstance(event, QKeyEvent) and not event.isAutoRepeat()
        if is_release or kind in (QEvent.MouseButtonPress, QEvent.ApplicationDeactivate, QEvent.WindowDeactivate):
            self._end()
        return False

    # -- what was changed before the video was opened

    def _search(self, video: OpenVideo) -> None:
        session = video.session
        frame = session.frame
        refs = self._older.candidates(frame, session.history.refs_done)

        def run(token: CancelToken) -> Generator[Visited, None, None]:
            return search(frame, refs, session.history.load, token)

        job = Job(
            "Reading the version before", None, run, partial(self._on_visited, video, frame),
            partial(self._on_finished, video, frame),
        )
        self._controller.show_message("Reading the version before from the journal…")
        self._job_id = self._controller.files.submit(job, replace="before")

    def _on_visited(self, video: OpenVideo, frame: int, visited: Visited) -> None:
        self._older.note(visited)
        if visited.delta is None or not self._is_current(video, frame):
            return
        try:
            mask = visited.delta.invert().apply(video.session.masks.get(frame))
        except ValueError:
            self._say(f"The mask is not as “{visited.label}” left it: another program changed it, so the version "
                      "before is not known.")
            return
        video.view.show_older(mask)
        self._controller.show_message(f"Before “{visited.label}”.")
        self._job_id = None

    def _on_finished(self, video: OpenVideo, frame: int, outcome: Outcome) -> None:
        if not self._is_current(video, frame) or self._job_id is None:
            return
        self._job_id = None
        if outcome.kind == "failed":
            self._say(str(as_app_error(outcome.error, "The version before cannot be read")))
        elif outcome.kind == "done":
            self._say(EMPTY if video.session.masks.is_empty(frame) else NEVER)

    def _is_current(self, video: OpenVideo, frame: int) -> bool:
        return self._is_wanted and self._controller.video is video and video.session.frame == frame

    def _say(self, text: str) -> None:
        self._end()
        self._controller.show_message(text)
