"""One open video and everything the user does to it. GUI thread; no Qt, no torch.

The session is the only writer of masks, objects, key frames and history. Long work leaves it as a `Job` that the
caller submits: results come back through `Job.apply` on the GUI thread. Its parts, by subject: `session_base` (stores,
signals, recording), `session_objects`, `session_drawing` (pointer), `session_history`.
"""
from __future__ import annotations

from collections.abc import Callable

from inference_core.api import CoreApi, Direction, FrameResult
from interact.commands import Step
from interact.propagation import Propagation
from interact.propagation_order import Order
from interact.session_base import LOCKED_MESSAGE
from interact.session_drawing import Drawing
from interact.session_history import HistoryWalk
from util.errors import AppError
from util.jobs import Job

__all__ = ["LOCKED_MESSAGE", "VideoSession"]


class VideoSession(Drawing, HistoryWalk):
    """See the module. Editing calls made while `is_locked` change nothing and say so through `message`."""

    def propagate_job(
        self,
        core: Callable[[], CoreApi],
        direction: Direction,
    ) -> Job[FrameResult]:
        """The job that carries the objects fixed on the current frame, within the in and out marks.

        Editing is locked from here to its `finish`.

        Args:
            core: called on the worker thread; may load the engine.

        Raises:
            AppError: nothing to propagate on this frame, it lies outside the marks, a propagation or a click is still
                being computed.
        """
        if self.is_locked:
            raise AppError("A propagation is already running.", "Cancel it with Esc first.")
        if self._prompting.is_waiting:
            raise AppError("The last click is still being computed.", "Propagate again in a moment.")
        bounds = self.in_out
        if self.frame not in bounds.frames:
            part = f"{bounds.frames.start} to {bounds.frames.stop - 1}"
            raise AppError(f"This frame lies outside the marked part, frames {part}.", "Go there, or clear the marks.")
        self._leave()
        run = Propagation(self, self.history, self._order(direction), self.confidence)
        job = run.job(core, self._on_propagated)
        self.lock(LOCKED_MESSAGE)
        return job

    def reach(self, direction: Direction) -> int:
        """How many frames a propagation would visit; 0 when it would be refused."""
        if self.frame not in self.in_out.frames:
            return 0
        try:
            return self._order(direction).reach(self, len(self.frames))
        except AppError:
            return 0

    def _order(self, direction: Direction) -> Order:
        bounds = self.in_out
        scenes = self.frames if self.stops_at_cuts else None
        only = self.objects.selected if self.carries_selected_only else None
        return Order(self.frame, direction, bounds.first, bounds.last, scenes, only)

    def _on_propagated(self, step: Step | None, text: str, *, is_failed: bool) -> None:
        self.lock(None)
        if is_failed and step is not None:
            self.history.abort()
            self.steps.roll_back(step, lambda: self.message.emit(text))
            return
        if step is not None:
            self.history.push(step)
            self.workspace.save_confidence(self.confidence)
        self.save()
        self.message.emit(text)

    def close(self) -> None:
        """Finish a drag, write everything, unlock the workspace, close the video. AppError when it can't be written."""
        self.prepare_closing()
        self.write_everything()
        self.frames.close()

    def prepare_closing(self) -> None:
        """The first part of `close`: finish what the user has in hand. `write_everything` or `stay_open` follows."""
        interaction = self._prompting.settled if self._painter is None else None
        self._leave()
        self.workspace.journal.snapshot = lambda: self._snapshot(interaction)
        self._is_whole = not self.is_locked
        self.lock("The masks are being saved.")

    def write_everything(self) -> None:
        """The part of `close` that takes time. Any thread, while nobody uses the session. AppError."""
        if self.workspace.journal.last_number > self._resumed_number:
            # The next session then finds the history at the begin of a file, and the prompts as they are now.
            self.workspace.journal.begin_segment()
            self._resumed_number = self.workspace.journal.last_number
        self._fill_project()
        if self._is_whole:
            self.workspace.project.journal_number = self.workspace.journal.last_number
        self.workspace.close()

    def stay_open(self) -> None:
        """It could not be closed: go on."""
        self.lock(None)
        self.workspace.journal.snapshot = self._snapshot
