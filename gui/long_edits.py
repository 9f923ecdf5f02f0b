"""Edits of many frames: runs them on a thread of their own, shows how far they are, and asks before they change what
is protected. GUI thread.
"""
from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from gui.file_jobs import as_app_error
from gui.job_bar import JobBar
from gui.job_runner import JobRunner
from interact.protection import Question
from interact.session import VideoSession
from util.jobs import CancelToken, Job, Outcome

if TYPE_CHECKING:
    from gui.controller import Controller

# Milliseconds after which a running edit shows its bar: most are over sooner, and a bar that flashes is a nuisance.
SHOW_AFTER = 250


class LongEdits(QObject):
    """The session sees to it that at most one runs. `changed` is emitted when one starts, is told to stop, and ends."""

    changed = pyqtSignal()

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.runner = JobRunner("edits", self)
        self._controller = controller
        self._bar: JobBar = controller.window.edit_bar
        self._job_id: int | None = None
        self._is_cancelled = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOW_AFTER)
        self._timer.timeout.connect(self._bar.show)

    @property
    def can_cancel(self) -> bool:
        """Whether one runs that was not yet told to stop."""
        return self._job_id is not None and not self._is_cancelled

    def attach(self, session: VideoSession) -> None:
        """Do the long edits of a session that was just opened, and put its questions."""
        session.steps.work = self.run
        session.steps.ask = self._ask

    def run(self, job: Job[Any]) -> None:
        """Submit a job of the session."""
        total, done = job.total or 0, 0

        def run(token: CancelToken) -> Generator[Any, None, None]:
            return job.run(token)

        def apply(event: object) -> None:
            nonlocal done
            job.apply(event)
            done = min(done + 1, total)
            self._bar.advance(done, total)

        def finish(outcome: Outcome) -> None:
            self._job_id = None
            self._timer.stop()
            self._bar.end("")
            self._bar.hide()
            try:
                job.finish(outcome)  # may submit the next job
            finally:
                self.changed.emit()
            if outcome.kind == "failed":
                error = as_app_error(outcome.error, f"{job.name} failed, the masks are as before")
                self._controller.window.dialogs.show_error("The edit failed", error)

        self._bar.begin(job.name, job.total)
        self._timer.start()
        self._is_cancelled = False
        self._job_id = self.runner.submit(Job(job.name, job.total, run, apply, finish))
        self.changed.emit()

    def cancel(self) -> None:
        """Stop the edit and take back what it did; says so at once."""
        if self._job_id is not None and not self._is_cancelled:
            self._is_cancelled = True
            self.runner.cancel(self._job_id)
            self._bar.acknowledge_cancel("stopping; taking back what was done…")
            self.changed.emit()

    def _ask(self, question: Question) -> None:
        dialogs = self._controller.window.dialogs
        answered = partial(self._answer, question)
        dialogs.ask_protected(question.text, question.details, answered)

    def _answer(self, question: Question, *, change: bool) -> None:
        answer: Callable[[], None] = question.change if change else question.keep
        answer()
        self.changed.emit()
