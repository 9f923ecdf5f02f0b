"""Undo, redo and the trash."""
from __future__ import annotations

from functools import partial

from interact.session_base import SessionBase
from interact.trash import TrashItem, restore_plan, trash
from interact.undo_stack import Command

QUICKLY_LOADED = 1 << 18
"""Bytes of a step that are read back from the journal without a job."""


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
        return self._walk(undo=True)

    def redo(self) -> str | None:
        """Do the step again that was taken back last; returns its label."""
        if not self._may_edit():
            return None
        if self.history.redo_label is not None:
            self._leave()
        return self._walk(undo=False)

    def _walk(self, *, undo: bool) -> str | None:
        history = self.history
        label = history.undo_label if undo else history.redo_label
        ref = history.to_load(undo=undo)
        if ref is not None and ref.nbytes > QUICKLY_LOADED:
            self.steps.load(ref, partial(self._walk_loaded, undo=undo))
        elif label is not None:
            self._walk_loaded(undo=undo)
        return label

    def _walk_loaded(self, *, undo: bool) -> None:
        step = self.history.next_undo if undo else self.history.next_redo
        assert step is not None
        self._show(step, "Undid" if undo else "Redid")
        (self.steps.take_back if undo else self.steps.do_again)(step)

    @property
    def trash(self) -> tuple[TrashItem, ...]:
        """The deleted objects that can be restored, the latest first."""
        return trash(self, self.history.refs_done)

    def restore_object(self, object_id: int) -> None:
        """Give a deleted object back, with its pixels where nothing is now. KeyError: it is not in the trash."""
        found = next((item for item in self.trash if item.item.object_id == object_id), None)
        if found is None:
            raise KeyError(object_id)
        if self._may_edit():
            self._leave()
            self.steps.plan(restore_plan(self, found.item, partial(self.history.load, found.ref)))

    def _show(self, step: Command, what: str) -> None:
        if step.frame is not None and not step.touches(self.frame) and step.frame != self.frame:
            self.seek(step.frame)
            self.message.emit(f"{what} {step.label} on frame {step.frame}.")
