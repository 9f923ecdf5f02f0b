"""Undo and redo."""
from __future__ import annotations

from interact.session_base import SessionBase
from interact.undo_stack import Command


class HistoryWalk(SessionBase):
    """Walks the steps that the other parts recorded."""

    def undo(self) -> str | None:
        """Take back the last step; returns its label. Goes to the changed frame and says so."""
        if not self._may_edit():
            return None
        if self.tool.step_back():
            self.interaction_changed.emit()
            return "polygon corner"
        waiting = self._prompting.drop_awaited()
        if waiting is not None:
            return waiting.kind
        self._leave()
        step = self.history.next_undo
        if step is None:
            return None
        self._show(step, "Undid")
        self.steps.take_back(step)
        return step.label

    def redo(self) -> str | None:
        """Do the step again that was taken back last; returns its label."""
        if not self._may_edit():
            return None
        step = self.history.next_redo
        if step is None:
            return None
        self._leave()
        self._show(step, "Redid")
        self.steps.do_again(step)
        return step.label

    def _show(self, step: Command, what: str) -> None:
        if step.frame is not None and not step.touches(self.frame) and step.frame != self.frame:
            self.seek(step.frame)
            self.message.emit(f"{what} {step.label} on frame {step.frame}.")
