"""The one way by which a step takes effect: asks before it changes what is protected, runs long ones as jobs,
remembers and saves them. GUI thread, except where said.
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from interact.commands import MarkChange, MaskChange, ProvenanceChange, Scene, Step
from interact.frame_marks import MarkKind
from interact.protection import (
    PROTECTING,
    Injuries,
    Question,
    describe,
    has_prompts,
    injuries,
    spared,
    without_verified,
)
from interact.sources import with_sources
from interact.step_log import StepRef
from interact.step_run import StepRun
from interact.undo_stack import Command, UndoStack
from storage.journal import Staged
from storage.provenance import SourceKind
from util.errors import AppError
from util.jobs import CancelToken, Job, Outcome, run_inline
from util.observer import Signal

STOPPED = "Stopped: nothing was changed."
_FEW_MARKS = 200
"""Frames whose marks are noted down without a job; at 30 µs a frame."""


Said = Callable[[], str] | None
"""What to say when a step has taken effect."""


class Owner(Scene, Protocol):
    """What is needed of a session."""

    history: UndoStack

    @property
    def message(self) -> Signal[[str]]: ...
    def lock(self, why: str | None) -> None: ...
    def save(self) -> None: ...


@dataclass(frozen=True)
class Plan:
    """A step that takes long to work out.

    Args:
        name: what the progress bar says.
        total: frames to look at.
        run: for the worker thread; yields after every frame and returns the step, None when nothing would change.
        nothing: what to say then.
        done: what to say when the step has taken effect; None for nothing.
        kinds, may_spare, origin: as in `StepKeeper.record`.
    """

    name: str
    total: int
    run: Callable[[CancelToken], Generator[int, None, Step | None]]
    nothing: str
    done: Callable[[], str] | None = None
    kinds: tuple[MarkKind, ...] = PROTECTING
    may_spare: bool = False
    origin: SourceKind = "hand"


@dataclass(frozen=True)
class _Checked:
    """A step as it may be done.

    Args:
        step: with all that it brings along when the user allows it.
        hurt: what of the protected it would change.
        part: what is left of it without that.
        text: the question in words.
    """

    step: Step
    hurt: Injuries
    part: Step | None
    text: str


def _num_frames(step: Command) -> int:
    return len({change.delta.frame for change in step.changes if isinstance(change, MaskChange)})


def _num_marked(step: Step) -> int:
    return sum(len(change.after) for change in step.changes if isinstance(change, MarkChange))


def _title(step: Step) -> str:
    return step.label[:1].upper() + step.label[1:]


def _nothing() -> None:
    """For what has no consequence."""


def run_at_once(job: Job[Any]) -> None:
    """Run a job in the calling thread; raises what it fails with."""
    outcome = run_inline(job)
    if outcome.error is not None:
        raise outcome.error


class StepKeeper:
    """See the module.

    Attributes:
        work: gets the jobs; the window gives them to a worker thread. Nothing may edit until a job has finished, and
            the session is locked that long.
        ask: puts a question to the user; None where there is nobody to ask, and protected masks are refused.
        short_pixels: pixels of masks that may be changed without a job; at 2.3 ms per frame of 720p.
    """

    def __init__(self, owner: Owner) -> None:
        self.work: Callable[[Job[Any]], object] = run_at_once
        self.ask: Callable[[Question], None] | None = None
        self.short_pixels = 4 * 1280 * 720
        self._owner = owner

    def record(
        self,
        step: Step | None,
        kinds: Collection[MarkKind] = PROTECTING,
        *,
        may_spare: bool = True,
        origin: SourceKind = "hand",
    ) -> None:
        """Carry a new step out and remember it. None: nothing changed.

        Args:
            kinds: the marks that protect an object from this step.
            may_spare: whether a part of the step makes sense; otherwise "keep" means that nothing is done.
            origin: where the masks that it makes come from, unless the step says so.

        Raises:
            AppError: it would change what is protected, and there is nobody to ask.
        """
        if step is not None:
            self._settle(self._check(step, kinds, may_spare=may_spare, origin=origin))

    def plan(self, plan: Plan) -> None:
        """Work a step out and `record` it."""
        found: list[_Checked] = []

        def run(token: CancelToken) -> Generator[int, None, None]:
            step = yield from plan.run(token)
            if step is not None:
                found.append(self._check(
                    step, plan.kinds, may_spare=plan.may_spare, origin=plan.origin, is_planned=True
                ))

        def finish(outcome: Outcome) -> None:
            self._owner.lock(None)
            if outcome.kind == "cancelled":
                self._owner.message.emit(STOPPED)
            elif outcome.kind == "done" and not found:
                self._owner.message.emit(plan.nothing)
            elif outcome.kind == "done":
                self._settle(found[0], plan.done)

        job = Job(plan.name, plan.total, run, _ignore, finish)
        self._owner.lock(f"{plan.name}; cancel it with Esc to edit.")
        (run_at_once if self._is_short(plan.total) else self.work)(job)

    def _check(
        self,
        step: Step,
        kinds: Collection[MarkKind],
        *,
        may_spare: bool,
        origin: SourceKind,
        is_planned: bool = False,
    ) -> _Checked:
        """Any thread, while nothing edits."""
        owner = self._owner
        if not _names_sources(step):
            step = with_sources(owner, step, origin, is_planned=is_planned)
        hurt = injuries(owner, step, kinds)
        part = spared(owner, step, hurt, kinds) if hurt and may_spare else None
        if part is not None:
            part = with_sources(owner, part, origin, is_planned=is_planned)
        if not hurt:
            return _Checked(step, hurt, None, "")
        return _Checked(without_verified(owner, step, hurt), hurt, part, describe(owner, step, hurt, kinds))

    def _settle(self, checked: _Checked, done: Said = None) -> None:
        if checked.hurt:
            self._ask(checked, done)
        else:
            self._begin(checked.step, done)

    def load(self, ref: StepRef, then: Callable[[], None]) -> None:
        """Read a step of the history back from the journal, then call `then`. AppError when it cannot be read."""
        history, found = self._owner.history, list[Step]()

        def run(token: CancelToken) -> Generator[int, None, None]:
            found.append(history.load(ref))
            token.check()
            yield 1

        def finish(outcome: Outcome) -> None:
            self._owner.lock(None)
            if outcome.kind == "done":
                history.keep(ref, found[0])
                then()
            elif outcome.kind == "cancelled":
                self._owner.message.emit(STOPPED)

        self._owner.lock(f"Reading back: {ref.label}; cancel it with Esc to edit.")
        self.work(Job(f"Reading back: {ref.label}", None, run, _ignore, finish))

    def take_back(self, step: Command) -> None:
        """Undo: the newest step in the history."""
        history = self._owner.history
        history.step_back()
        self._carry_out(step, back=True, name=f"Undoing {step.label}", undone=history.step_forward)

    def do_again(self, step: Command) -> None:
        """Redo: the step in the history that was taken back last."""
        history = self._owner.history
        history.step_forward()
        self._carry_out(step, back=False, name=f"Redoing {step.label}", undone=history.step_back)

    def roll_back(self, step: Step, done: Callable[[], None]) -> None:
        """Take back a step that never came into the history."""
        self._carry_out(step, back=True, name=f"Taking back {step.label}", done=done)

    def _begin(self, step: Step, done: Said) -> None:
        """The worker thread writes a long step to the journal, too, as far as it can before the step counts."""
        if self._is_short(_num_frames(step)) and _num_marked(step) <= _FEW_MARKS:
            self._push(step, None, done)
            return
        history, staged = self._owner.history, list[Staged | None]()

        def run(token: CancelToken) -> Generator[int, None, None]:
            staged.append(history.stage(step))
            token.check()
            yield 1

        def finish(outcome: Outcome) -> None:
            self._owner.lock(None)
            if outcome.kind == "done":
                self._push(step, staged[0], done)
                return
            if staged:
                history.drop(staged[0])
            if outcome.kind == "cancelled":
                self._owner.message.emit(STOPPED)

        self._owner.lock(f"{_title(step)}; cancel it with Esc to edit.")
        self.work(Job(f"Noting down: {step.label}", None, run, _ignore, finish))

    def _push(self, step: Step, staged: Staged | None, done: Said) -> None:
        history = self._owner.history
        history.push(step, staged)
        say = _nothing if done is None else lambda: self._owner.message.emit(done())
        self._carry_out(step, back=False, name=_title(step), done=say, undone=history.step_back)

    def _carry_out(
        self,
        step: Command,
        *,
        back: bool,
        name: str,
        done: Callable[[], None] = _nothing,
        undone: Callable[[], None] = _nothing,
    ) -> None:
        """Exactly one of `done` and `undone` is called: whether the step went through. The history comes first, since
        it writes the journal, from which a killed program takes up what it had begun."""
        owner, run = self._owner, StepRun(self._owner, step, back=back)

        def finished(outcome: Outcome) -> None:
            owner.lock(None)
            if outcome.kind == "done":
                done()
            else:
                undone()
            owner.save()
            if outcome.kind == "cancelled":
                owner.message.emit(STOPPED)

        if self._is_short(_num_frames(step)):
            try:
                run.at_once()
            except BaseException:
                undone()
                raise
            done()
            owner.save()
        else:
            owner.lock(f"{name}; cancel it with Esc to edit.")
            self.work(run.job(name, finished))

    def _ask(self, checked: _Checked, done: Said) -> None:
        owner, step, part = self._owner, checked.step, checked.part
        if self.ask is None:
            raise AppError(checked.text, "Nothing was changed. Take the lock or the mark away first.")

        def change() -> None:
            owner.lock(None)
            self._begin(step, done)

        def keep() -> None:
            owner.lock(None)
            if part is not None:
                self._begin(part, done)
            elif has_prompts(step):
                owner.set_interaction(None)

        rest = "“Keep” does the rest of it around them." if part is not None else "“Keep” leaves everything as it is."
        owner.lock("There is a question to answer first.")
        self.ask(Question(
            checked.text, f"{rest} What is changed anyway has to be verified anew; undo brings it back.", change, keep
        ))

    def _is_short(self, num_frames: int) -> bool:
        size = self._owner.masks.size
        return num_frames <= 1 or num_frames * size.height * size.width <= self.short_pixels


def _ignore(done: int) -> None:
    """Frames that were looked at; the window counts them."""


def _names_sources(step: Step) -> bool:
    return any(isinstance(change, ProvenanceChange) for change in step.changes)
