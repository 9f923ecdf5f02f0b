"""What the journal says when a workspace is opened: the history, and the actions that were not saved any more.

The project file names the last record whose effect is in it and in the masks. What follows in the journal was cut off
by a crash: some of its masks may be on disk and others not. Whatever they hold, imposing the records in order leads to
the state after the last of them, and imposing them backwards to the state that the project file speaks of
(redo and undo by value: Gray and Reuter, Transaction Processing, 1992, chapter 10).
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from interact.baselines import Baseline
from interact.commands import BaselineChange, InteractionChange, MaskChange, Scene, Step
from interact.interaction import Interaction
from interact.step_log import Snapshot, StepLog, StepRef, ref_to, snapshot_beginning, step_of, unpack_snapshot
from storage.journal import Address, Journal
from storage.journal_file import Record
from storage.mask_store import MaskStore
from storage.workspace import Workspace
from util.errors import AppError


@dataclass(frozen=True)
class Effect:
    """A step, or a part of one, that was carried out (`back`: taken back)."""

    step: Step
    back: bool = False


class HistoryReader:
    """Follows the records of a journal and knows at any time what the history was."""

    def __init__(self, log: StepLog) -> None:
        self._log = log
        self._done: list[StepRef] = []
        self._undone: list[StepRef] = []
        self._baselines: dict[int, Baseline] = {}
        self._interaction: Interaction | None = None
        self._begun: tuple[Address, float, Step] | None = None
        self._parts: list[Step] = []

    @property
    def state(self) -> Snapshot:
        return Snapshot(tuple(self._done), tuple(self._undone), dict(self._baselines), self._interaction)

    def read(self, address: Address, record: Record) -> list[Effect]:
        """Take one more record; returns what it did. Raises AppError for one that cannot be understood."""
        kind = record.meta["kind"]
        effects = self.close() if self._begun is not None and kind not in ("part", "end", "abort") else []
        if kind == "snapshot":
            self._take(record)
        elif kind == "step":
            step = step_of(record)
            effects.append(self._push(step, ref_to(step, address, _time(record))))
        elif kind in ("undo", "redo"):
            effects += self._walk(back=kind == "undo", record=record)
        elif kind == "begin":
            self._begun, self._parts = (address, _time(record), step_of(record)), []
        elif kind == "part":
            self._parts.append(step_of(record))
            effects.append(Effect(self._parts[-1]))
        elif kind == "end":
            effects += self.close(step_of(record))
        elif kind == "abort":
            effects += [Effect(part, back=True) for part in reversed(self._parts)]
            self._begun = None
        else:
            raise AppError(f"The journal has a record of an unknown kind: {kind}.", "Update the program.")
        return effects

    def close(self, end: Step | None = None) -> list[Effect]:
        """The step that was begun is as long as its parts; without `end` it was cut off."""
        if self._begun is None:
            return []
        address, time, head = self._begun
        self._begun = None
        head = end or head
        pixels = tuple(change for part in self._parts for change in part.changes)
        whole = replace(head, changes=(*head.changes, *pixels))
        self._push(whole, ref_to(whole, address, time))
        return [Effect(head)]

    def _take(self, record: Record) -> None:
        snapshot = unpack_snapshot(record.body)
        first = self._log.journal.first_segment
        self._done, self._undone = _still_there(snapshot.done, first), _still_there(snapshot.undone, first)
        self._baselines, self._interaction = dict(snapshot.baselines or {}), snapshot.interaction

    def _push(self, step: Step, ref: StepRef) -> Effect:
        self._done.append(ref)
        self._undone.clear()
        effect = Effect(step)
        self._follow(effect)
        return effect

    def _walk(self, *, back: bool, record: Record) -> list[Effect]:
        address = Address(_whole(record, "segment"), _whole(record, "offset"))
        source, target = (self._done, self._undone) if back else (self._undone, self._done)
        if not source or source[-1].address != address:
            raise AppError(f"Record {record.number} of the journal does not fit the history.", "")
        effect = Effect(self._log.load(source[-1]), back)
        target.append(source.pop())
        self._follow(effect)
        return [effect]

    def _follow(self, effect: Effect) -> None:
        self._interaction = None
        for change in effect.step.changes:
            if isinstance(change, BaselineChange):
                value = change.before if effect.back else change.after
                self._baselines.pop(change.frame, None)
                if value is not None:
                    self._baselines[change.frame] = value
            elif isinstance(change, InteractionChange):
                self._interaction = change.before if effect.back else change.after


class Opening:
    """Made once per opened workspace, by the thread that opens it, which also calls `settle`; then the session's.

    Attributes:
        workspace: as given.
        log: for the session to go on with.
        state: the history and what belongs to it; after `settle`, of the state that was chosen.
        unsaved: labels of the actions that the masks and the project file may lack, in order.
        notices: what the user should know.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._journal: Journal = workspace.journal
        self.log = StepLog(self._journal)
        self.state = Snapshot()
        self.unsaved: list[str] = []
        self.notices = [self._journal.notice] if self._journal.notice else []
        self._effects: list[Effect] = []
        self._saved_state = Snapshot()
        self._scene_effects: Sequence[Effect] = ()
        self._is_settled = False
        saved_id, number = workspace.project.journal_id, workspace.project.journal_number
        if saved_id and self._journal.journal_id not in ("", saved_id):
            self._start_anew("The undo history in the workspace belongs to another state of it and was set aside.")
            return
        start = self._journal.start_of(number + 1)
        if start is None or number > self._journal.last_number:
            if number:
                self._start_anew("The undo history is missing or cut short: steps before now cannot be undone.")
            return
        try:
            self._read(start, number)
        except AppError as error:
            self._start_anew(f"{error.message} Steps before now cannot be undone.")

    @property
    def settled_number(self) -> int:
        """The last record of the journal before the session goes on."""
        return self._journal.last_number

    @property
    def frame(self) -> int | None:
        """Where the last of the recovered actions was."""
        frames = [effect.step.frame for effect in self._scene_effects if effect.step.frame is not None]
        return frames[-1] if frames else None

    def settle(self, *, recover: bool) -> None:
        """Bring the masks to the state after the last action, or back to the one that was saved.

        Raises:
            AppError: the state that was saved cannot be written.
        """
        if self._is_settled:
            return
        self._is_settled = True
        masks = self.workspace.masks
        if recover:
            self._impose(masks, ((effect, effect.back) for effect in self._effects))
            self._scene_effects = self._effects
            return
        self.state = self._saved_state
        if self._effects:
            self._impose(masks, ((effect, not effect.back) for effect in reversed(self._effects)))
            masks.flush()
            self._journal.snapshot = lambda: snapshot_beginning(self.state, resets=True)
            self._journal.begin_segment()

    def replay(self, scene: Scene) -> None:
        """Bring objects and marks to the state that the masks are in. GUI thread, after `settle`."""
        for effect in self._scene_effects:
            changes = reversed(effect.step.changes) if effect.back else effect.step.changes
            for change in changes:
                if isinstance(change, MaskChange | BaselineChange | InteractionChange):
                    continue  # the masks are there already, the others in `state`
                if effect.back:
                    change.revert(scene)
                else:
                    change.apply(scene)

    def _read(self, start: Address, number: int) -> None:
        reader = HistoryReader(self.log)
        is_saved_read = False
        for address, record in self._journal.records_from(start):
            if record.number > number and not is_saved_read:
                is_saved_read = True
                self._saved_state = reader.state
            effects = reader.read(address, record)
            if record.meta.get("resets"):
                self._effects, self.unsaved, self._saved_state = [], [], reader.state
            elif is_saved_read:
                self._effects += effects
                label = _label(record, reader)
                if label:
                    self.unsaved.append(label)
        if not is_saved_read:
            self._saved_state = reader.state
        self._effects += reader.close()
        self.state = reader.state

    def _impose(self, masks: MaskStore, effects: Iterable[tuple[Effect, bool]]) -> None:
        failed: list[str] = []
        for effect, back in effects:
            changes = reversed(effect.step.changes) if back else effect.step.changes
            for change in changes:
                if isinstance(change, MaskChange):
                    delta = change.delta.invert() if back else change.delta
                    try:
                        masks.set(delta.frame, delta.impose(masks.get(delta.frame)))
                    except AppError as error:
                        failed.append(str(error))
        self.notices += list(dict.fromkeys(failed))

    def _start_anew(self, notice: str) -> None:
        """Raises AppError when the project file, which names the journal, cannot be written."""
        project = self.workspace.project
        self._journal.set_aside()
        project.journal_id, project.journal_number = "", 0
        self.workspace.save()
        self.workspace.flush()
        self.log = StepLog(self._journal)
        self.state = self._saved_state = Snapshot()
        self._effects, self.unsaved = [], []
        self.notices.append(notice)


def _still_there(refs: Sequence[StepRef], first_segment: int) -> list[StepRef]:
    """The newest steps, as far back as the journal's files are all there."""
    kept: list[StepRef] = []
    for ref in reversed(refs):
        if ref.address.segment < first_segment:
            break
        kept.insert(0, ref)
    return kept


def _label(record: Record, reader: HistoryReader) -> str:
    kind = record.meta["kind"]
    if kind in ("step", "begin"):
        return str(record.meta.get("label", ""))
    state = reader.state
    if kind == "undo":
        return f"undo {state.undone[-1].label}"
    return f"redo {state.done[-1].label}" if kind == "redo" else ""


def _time(record: Record) -> float:
    value = record.meta.get("time")
    return float(value) if isinstance(value, int | float) else 0.0


def _whole(record: Record, name: str) -> int:
    value = record.meta.get(name)
    if not isinstance(value, int):
        raise AppError(f"Record {record.number} of the journal lacks {name}.", "")
    return value
