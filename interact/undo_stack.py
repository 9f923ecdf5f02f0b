"""The history: steps that are in effect, and steps that were taken back. GUI thread."""
from __future__ import annotations

from typing import Protocol

from interact.commands import Change, Scene
from util.observer import Signal


class Command(Protocol):
    """A reversible step; `interact.commands.Step` is one."""

    @property
    def label(self) -> str: ...
    @property
    def frame(self) -> int | None: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def changes(self) -> tuple[Change, ...]: ...
    def apply(self, scene: Scene) -> None: ...
    def revert(self, scene: Scene) -> None: ...
    def touches(self, frame: int) -> bool: ...


class UndoStack:
    """Limited by memory, not by a number of steps.

    Over the limit the oldest steps go, never the newest one, and `dropped` says so. Whoever calls `step_back` or
    `step_forward` has reverted or applied the step just before.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.changed: Signal[[]] = Signal()
        self.dropped: Signal[[str]] = Signal()
        """Emitted with the label of the newest step that can no longer be undone."""
        self._limit_bytes = limit_bytes
        self._done: list[Command] = []
        self._undone: list[Command] = []
        self._nbytes = 0

    @property
    def nbytes(self) -> int:
        return self._nbytes

    @property
    def next_undo(self) -> Command | None:
        return self._done[-1] if self._done else None

    @property
    def next_redo(self) -> Command | None:
        return self._undone[-1] if self._undone else None

    @property
    def undo_label(self) -> str | None:
        return self._done[-1].label if self._done else None

    @property
    def redo_label(self) -> str | None:
        return self._undone[-1].label if self._undone else None

    def push(self, command: Command) -> None:
        """Add a step that is already in effect; what was taken back before is gone."""
        self._nbytes += command.nbytes - sum(step.nbytes for step in self._undone)
        self._undone.clear()
        self._done.append(command)
        dropped = None
        while self._nbytes > self._limit_bytes and len(self._done) > 1:
            dropped = self._done.pop(0)
            self._nbytes -= dropped.nbytes
        self.changed.emit()
        if dropped is not None:
            self.dropped.emit(dropped.label)

    def step_back(self) -> None:
        """Raises IndexError when there is nothing to undo."""
        self._undone.append(self._done.pop())
        self.changed.emit()

    def step_forward(self) -> None:
        """Raises IndexError when there is nothing to redo."""
        self._done.append(self._undone.pop())
        self.changed.emit()
