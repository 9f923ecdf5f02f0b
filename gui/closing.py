"""Letting go of the open video, and closing the window: jobs end first, then everything is written. GUI thread.

Writing is the files' thread's, so that the window goes on being drawn; until it has ended the session takes no edits.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer

from gui.file_jobs import close_job
from util.errors import AppError

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo


class Closing(QObject):
    """Attributes: has_begun: the window is on its way out; nothing is opened any more."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.has_begun = False
        self._controller = controller
        self._is_over = False
        self._is_saving = False
        self._waiting: list[Callable[[], object]] = []
        for runner in controller.runners:
            runner.finished.connect(self._on_job_finished)

    def let_go(self, then: Callable[[], None], refused: Callable[[], None]) -> None:
        """Close the open video after its jobs have ended, then call `then`; `refused` if it could not be saved."""
        self._cancel_jobs()
        self._call_when_idle(lambda: self._close_video(then, refused))

    def close(self) -> bool:
        """Whether everything is saved and ended. If not yet, the window is closed again as soon as it is."""
        if self._is_over:
            return True
        controller = self._controller
        self.has_begun = True
        controller.opener.abandon()
        close_again = partial(QTimer.singleShot, 0, controller.window.close)
        self._cancel_jobs()
        if self._is_busy:
            controller.show_message("Closing after the step in hand…")
            self._call_when_idle(close_again)
        elif controller.video is not None:
            self._close_video(close_again, self._stay)
        else:
            controller.weights.close()
            self._is_over = all([runner.shutdown() for runner in controller.runners])
        return self._is_over

    @property
    def _is_busy(self) -> bool:
        return any(runner.is_busy() for runner in self._controller.runners)

    def _cancel_jobs(self) -> None:
        """All but the one that saves."""
        for runner in self._controller.runners:
            if not (self._is_saving and runner is self._controller.files):
                runner.cancel()

    def _close_video(self, then: Callable[[], None], refused: Callable[[], None]) -> None:
        controller, video = self._controller, self._controller.video
        if video is None:
            then()
            return
        session = video.session

        def written() -> None:
            self._is_saving = False
            session.frames.close()
            controller.forget(video)
            then()

        def failed(error: AppError) -> None:
            self._is_saving = False
            session.stay_open()
            controller.update_actions()
            refused()
            controller.window.dialogs.confirm(
                "Not everything is saved", str(error),
                "Closing now loses the changes since the last save. Cancel goes back, so that you can mend it.",
                "Close without saving", lambda: self._abandon(video, then),
            )

        video.view.player.stop()
        session.prepare_closing()
        self._is_saving = True
        controller.update_actions()
        controller.show_message("Saving…")
        controller.files.submit(close_job(session, written, failed))

    def _abandon(self, video: OpenVideo, then: Callable[[], None]) -> None:
        """Close although something could not be written."""
        if self._controller.video is video:
            video.session.workspace.abandon()
            video.session.frames.close()
            self._controller.forget(video)
        then()

    def _stay(self) -> None:
        self.has_begun = False

    def _call_when_idle(self, callback: Callable[[], object]) -> None:
        if self._is_busy:
            self._waiting.append(callback)
        else:
            callback()

    def _on_job_finished(self, job_id: int, outcome: object) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            self._call_when_idle(callback)
