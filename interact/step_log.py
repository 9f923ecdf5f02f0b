"""Steps in the journal: written before they take effect, read back when undo has pushed them out of memory. GUI thread.

Records, by the `kind` in their meta:

    step                a whole step
    begin, part, end    one that takes effect bit by bit, as a propagation does; `abort` instead of `end` takes it back
    undo, redo          of the step at an address
    snapshot            what a reader needs who begins here; if it `resets`, what was not saved before it is void
"""
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from interact.baselines import Baseline
from interact.commands import Change, MaskChange, Step
from interact.interaction import Interaction
from interact.objects import SceneObject
from interact.step_codec import CODEC, pack_step, unpack_step
from storage.journal import Address, Beginning, Journal, Meta, Staged
from storage.journal_file import Record
from storage.json_fields import Json
from util.errors import AppError

_REF_BYTES = 256
_HINT = "Steps before it can no longer be undone either; the masks are as they were."


@dataclass(frozen=True)
class StepRef:
    """A step that is in the journal, and what menus and lists say about it.

    Args:
        nbytes: what it costs in memory.
        time: seconds since 1970.
        deleted: the objects that it takes away with all their pixels.
    """

    address: Address
    label: str
    frame: int | None
    nbytes: int
    time: float
    deleted: tuple[SceneObject, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """The history, the newest step last, and what else of a session is not in project.json or the masks."""

    done: tuple[StepRef, ...] = ()
    undone: tuple[StepRef, ...] = ()
    baselines: Mapping[int, Baseline] | None = None
    interaction: Interaction | None = None


def pack_snapshot(snapshot: Snapshot) -> bytes:
    return CODEC.pack(snapshot, Snapshot)


def snapshot_beginning(snapshot: Snapshot, *, resets: bool = False) -> Beginning:
    """A file of the journal that begins with it. Args: resets: what was not saved before it is void."""
    size = sum(baseline.nbytes for baseline in (snapshot.baselines or {}).values())
    refs = len(snapshot.done) + len(snapshot.undone)
    meta: dict[str, Json] = {"kind": "snapshot", "resets": True} if resets else {"kind": "snapshot"}
    return Beginning(meta, partial(pack_snapshot, snapshot), size + refs * _REF_BYTES)


def unpack_snapshot(data: bytes) -> Snapshot:
    """Raises ValueError."""
    snapshot = CODEC.unpack(data, Snapshot)
    assert isinstance(snapshot, Snapshot)
    return snapshot


class StepLog:
    """Writes steps to a journal and reads them back."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._begun: StepRef | None = None

    def write(self, step: Step, staged: Staged | None = None) -> StepRef:
        """A step that is about to take effect, or the one that was begun with all its parts.

        Args: staged: what `stage` made of it.
        """
        if self._begun is not None:
            return self._end(step)
        now = time.time()
        address = self._append("step", step, now) if staged is None else self.journal.append_staged(staged)
        return ref_to(step, address, now)

    def stage(self, step: Step) -> Staged:
        """Any thread, while nothing edits: a large step that may be about to take effect. `write` or `drop` follows."""
        return self.journal.stage(_meta("step", step, time.time()), pack_step(step))

    def drop(self, staged: Staged) -> None:
        """The step will not take effect. Raises AppError."""
        self.journal.drop(staged)

    def begin(self, step: Step) -> None:
        """A step that will grow by parts. Args: step: what it is without them, if it should be broken off."""
        now = time.time()
        address = self._append("begin", step, now)
        self._begun = ref_to(step, address, now)

    def part(self, change: MaskChange) -> None:
        """About to be applied, as part of the step that was begun."""
        self.journal.append({"kind": "part"}, pack_step(Step("", None, (change,))), may_roll=False)

    def abort(self) -> None:
        """The step that was begun is taken back, or had no effect."""
        if self._begun is not None:
            self._begun = None
            self.journal.append({"kind": "abort"}, may_roll=False)

    def _end(self, step: Step) -> StepRef:
        begun, self._begun = self._begun, None
        assert begun is not None
        rest = tuple(change for change in step.changes if not isinstance(change, MaskChange))
        self.journal.append({"kind": "end"}, pack_step(replace(step, changes=rest)), may_roll=False)
        return ref_to(step, begun.address, begun.time)

    def note(self, kind: Literal["undo", "redo"], ref: StepRef) -> None:
        """About to be taken back, or done again."""
        address = ref.address
        meta = {"kind": kind, "segment": address.segment, "offset": address.offset}
        self.journal.append(meta, refers=address)

    def load(self, ref: StepRef) -> Step:
        """The step as it was written. Raises AppError when the journal is damaged there or was deleted."""
        try:
            record = self.journal.read(ref.address)
            return self._load_begun(ref.address, record) if record.meta["kind"] == "begin" else step_of(record)
        except AppError as error:
            raise AppError(f"“{ref.label}” cannot be read back: {error.message}", _HINT) from error

    def _load_begun(self, address: Address, record: Record) -> Step:
        """Without an end (the program was killed), what had been reached."""
        head = step_of(record)
        parts: list[Change] = []
        place = Address(address.segment, address.offset + record.nbytes)
        while place.offset < self.journal.end_of(place.segment):
            record = self.journal.read(place)
            kind = record.meta["kind"]
            if kind != "part":
                head = step_of(record) if kind == "end" else head
                break
            parts += step_of(record).changes
            place = Address(place.segment, place.offset + record.nbytes)
        return replace(head, changes=(*head.changes, *parts))

    def _append(self, kind: str, step: Step, now: float) -> Address:
        return self.journal.append(_meta(kind, step, now), pack_step(step))


def _meta(kind: str, step: Step, now: float) -> Meta:
    return {"kind": kind, "label": step.label, "frame": step.frame, "time": now}


def ref_to(step: Step, address: Address, now: float) -> StepRef:
    return StepRef(address, step.label, step.frame, step.nbytes, now, step.deleted)


def step_of(record: Record) -> Step:
    """The step, or piece of one, in a record. Raises AppError."""
    try:
        return unpack_step(record.body)
    except ValueError as error:
        raise AppError(f"Record {record.number} of the journal holds no step that is known here: {error}.") from error
