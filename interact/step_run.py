"""Carries a step out or takes it back, frame by frame, so that a step over a whole video is a job like any other.

All or nothing: when it is cancelled or fails, what was already done is undone before the job ends.
"""
from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from interact.commands import Change, MaskChange, Scene
from interact.undo_stack import Command
from util.jobs import Cancelled, CancelToken, Job, Outcome


@dataclass(frozen=True)
class StepEvent:
    """One change to make (`back`: to take back) now."""

    change: Change
    back: bool


class StepRun:
    """Made on the GUI thread, on which nothing else may edit until the job has finished."""

    def __init__(self, scene: Scene, step: Command, *, back: bool) -> None:
        self._scene = scene
        self._step = step
        self._back = back
        self._made: list[StepEvent] = []

    def at_once(self) -> None:
        """Do all of it now; for a step of few pixels. When a change fails (AppError: a mask cannot be read; ValueError:
        it is not the one that the step knows), none is made."""
        try:
            for change in reversed(self._step.changes) if self._back else self._step.changes:
                self._apply(StepEvent(change, self._back))
        except BaseException:
            while self._made:
                _make(self._scene, _opposite(self._made.pop()))
            raise

    def job(self, name: str, finished: Callable[[Outcome], None]) -> Job[StepEvent]:
        """Args: finished: called at the end; the step is in effect if, and only if, the outcome is "done"."""

        def finish(outcome: Outcome) -> None:
            if outcome.kind != "done":
                while self._made:
                    _make(self._scene, _opposite(self._made.pop()))
            finished(outcome)

        return Job(name, len(self._step.changes), self._run, self._apply, finish)

    def _run(self, token: CancelToken) -> Generator[StepEvent, None, None]:
        """Worker thread. Decodes the masks ahead of the changes that need them."""
        changes = reversed(self._step.changes) if self._back else self._step.changes
        given: list[StepEvent] = []
        try:
            for change in changes:
                token.check()
                if isinstance(change, MaskChange):
                    self._scene.masks.get(change.delta.frame)
                given.append(StepEvent(change, self._back))
                yield given[-1]
        except Cancelled:
            for event in reversed(given):
                yield _opposite(event)
            raise

    def _apply(self, event: StepEvent) -> None:
        _make(self._scene, event)
        if event.back == self._back:
            self._made.append(event)
        else:
            self._made.pop()


def _make(scene: Scene, event: StepEvent) -> None:
    if event.back:
        event.change.revert(scene)
    else:
        event.change.apply(scene)


def _opposite(event: StepEvent) -> StepEvent:
    return StepEvent(event.change, not event.back)
