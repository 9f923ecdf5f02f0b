"""The history: steps that are in effect, and steps that were taken back. GUI thread."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from interact.commands import Change, MaskChange, Scene, Step
from interact.step_log import StepLog, StepRef
from storage.journal import Staged
from util.observer import Signal


class Command(Protocol):
    """A reversible step; `interact.commands.Step` is one."""

    @property
    def label(self) -> str: ...
    @property
    def frame(self) -> int | None: ...
    @property
    def changes(self) -> Sequence[Change]: ...
    @property
    def nbytes(self) -> int: ...
    def apply(self, scene: Scene) -> None: ...
    def revert(self, scene: Scene) -> None: ...
    def touches(self, frame: int) -> bool: ...


@dataclass
class _Entry:
    """A step in memory, in the journal, or both."""

    label: str
    nbytes: int
    command: Command | None
    ref: StepRef | None


class UndoStack:
    """Steps are kept in memory up to a limit; what goes beyond it stays in the journal and is read back when needed.

    A step goes into the journal before it takes effect: `push`, `step_back` and `step_forward` come first, then the
    step is applied or reverted. Without a journal the oldest steps over the limit are lost; with one, only those that
    the journal's quota drops. `dropped` says so.

    Args:
        limit_bytes: for steps in memory.
        log: the journal; None keeps steps in memory only.
        done, undone: a history that the journal holds already, the newest step last.
    """

    def __init__(
        self,
        limit_bytes: int,
        log: StepLog | None = None,
        done: Iterable[StepRef] = (),
        undone: Iterable[StepRef] = (),
    ) -> None:
        self.changed: Signal[[]] = Signal()
        self.dropped: Signal[[str]] = Signal()
        """Emitted with the label of the newest step that can no longer be undone."""
        self._limit_bytes = limit_bytes
        self._log = log
        self._done = [_Entry(ref.label, ref.nbytes, None, ref) for ref in done]
        self._undone = [_Entry(ref.label, ref.nbytes, None, ref) for ref in undone]
        self._nbytes = 0
        if log is not None:
            log.journal.trimmed.connect(self._forget_before)

    @property
    def nbytes(self) -> int:
        """Of the steps in memory."""
        return self._nbytes

    @property
    def refs_done(self) -> tuple[StepRef, ...]:
        """The steps in effect, the newest last, where they are in the journal."""
        return tuple(_refs(self._done))

    @property
    def refs_undone(self) -> tuple[StepRef, ...]:
        """The steps taken back; the last one is the next to be done again."""
        return tuple(_refs(self._undone))

    @property
    def next_undo(self) -> Command | None:
        """Raises AppError when it is in the journal and cannot be read back."""
        return self._loaded(self._done[-1]) if self._done else None

    @property
    def next_redo(self) -> Command | None:
        """Raises like `next_undo`."""
        return self._loaded(self._undone[-1]) if self._undone else None

    @property
    def undo_label(self) -> str | None:
        return self._done[-1].label if self._done else None

    @property
    def redo_label(self) -> str | None:
        return self._undone[-1].label if self._undone else None

    def load(self, ref: StepRef) -> Step:
        """Any thread: a step of the history, from the journal. Raises AppError when it cannot be read back."""
        if self._log is None:
            raise RuntimeError("a history without a journal has no steps to load")
        return self._log.load(ref)

    def to_load(self, *, undo: bool) -> StepRef | None:
        """Where the next step to undo (or redo) is, if it is in the journal only."""
        entries = self._done if undo else self._undone
        return entries[-1].ref if entries and entries[-1].command is None else None

    def keep(self, ref: StepRef, step: Step) -> None:
        """A step that was read back with `load`."""
        for entry in (*self._done, *self._undone):
            if entry.ref == ref and entry.command is None:
                entry.command = step
                self._nbytes += entry.nbytes

    def begin(self, step: Step) -> None:
        """A step that takes effect bit by bit is about to begin; `push` ends it, or `abort`.

        Args:
            step: what it would be if the program were killed, without its parts.
        """
        if self._log is not None:
            self._log.begin(step)

    def part(self, change: MaskChange) -> None:
        """A part of the step that was begun is about to take effect."""
        if self._log is not None:
            self._log.part(change)

    def abort(self) -> None:
        """The step that was begun is about to be taken back."""
        if self._log is not None:
            self._log.abort()

    def stage(self, step: Step) -> Staged | None:
        """Any thread, while nothing edits: note down a large step ahead, for `push`; or `drop` it."""
        return None if self._log is None else self._log.stage(step)

    def drop(self, staged: Staged | None) -> None:
        """The step will not take effect after all. Raises AppError."""
        if self._log is not None and staged is not None:
            self._log.drop(staged)

    def push(self, command: Command, staged: Staged | None = None) -> None:
        """Add a step that is about to take effect, or that was begun; what was taken back before is gone.

        Args: staged: what `stage` made of it.
        """
        ref = None if self._log is None else self._log.write(cast(Step, command), staged)
        self._nbytes += command.nbytes - _in_memory(self._undone)
        self._undone.clear()
        self._done.append(_Entry(command.label, command.nbytes, command, ref))
        dropped = self._fit()
        self.changed.emit()
        if dropped is not None:
            self.dropped.emit(dropped)

    def step_back(self) -> None:
        """The newest step is about to be reverted. Raises IndexError when there is nothing to undo."""
        self._move(self._done, self._undone)

    def step_forward(self) -> None:
        """The step taken back last is about to be applied. Raises IndexError when there is nothing to redo."""
        self._move(self._undone, self._done)

    def _move(self, source: list[_Entry], target: list[_Entry]) -> None:
        entry = source[-1]
        if self._log is not None and entry.ref is not None:
            self._log.note("undo" if source is self._done else "redo", entry.ref)
        # Looked up again: the note may have begun a new file of the journal, for which the oldest one went.
        if source:
            target.append(source.pop())
        self.changed.emit()

    def _loaded(self, entry: _Entry) -> Command:
        if entry.command is None:
            assert self._log is not None and entry.ref is not None
            entry.command = self._log.load(entry.ref)
            self._nbytes += entry.nbytes
            self._fit()
        return entry.command

    def _fit(self) -> str | None:
        """Let go of the steps that are farthest from the present; returns the label of the newest one lost."""
        dropped = None
        for entries in (self._done, self._undone):
            for entry in entries[:-1]:
                if self._nbytes <= self._limit_bytes:
                    return dropped
                if entry.command is None:
                    continue
                self._nbytes -= entry.nbytes
                if entry.ref is not None:
                    entry.command = None
                else:
                    entries.remove(entry)
                    dropped = entry.label
        return dropped

    def _forget_before(self, segment: int) -> None:
        """The journal's files before `segment` are gone, and with them what can only be reached through them."""
        dropped = None
        for entries in (self._done, self._undone):
            reachable = _since_last_gone(entries, segment)
            gone = entries[: len(entries) - reachable]
            self._nbytes -= _in_memory(gone)
            del entries[: len(gone)]
            if gone and entries is self._done:
                dropped = gone[-1].label
        self.changed.emit()
        if dropped is not None:
            self.dropped.emit(dropped)


def _since_last_gone(entries: list[_Entry], segment: int) -> int:
    """How many of the last entries are all still there."""
    for count, entry in enumerate(reversed(entries)):
        if entry.ref is not None and entry.ref.address.segment < segment:
            return count
    return len(entries)


def _in_memory(entries: Iterable[_Entry]) -> int:
    return sum(entry.nbytes for entry in entries if entry.command is not None)


def _refs(entries: Iterable[_Entry]) -> Iterator[StepRef]:
    return (entry.ref for entry in entries if entry.ref is not None)
