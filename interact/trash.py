"""Deleted objects that can be restored: whatever the history still knows of them. GUI thread, except where said."""
from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

from interact.baselines import baseline_after_edit
from interact.commands import (
    BaselineChange,
    Change,
    MarkChange,
    MaskChange,
    ObjectsChange,
    ProvenanceChange,
    Scene,
    Step,
)
from interact.objects import SceneObject
from interact.sources import source_change
from interact.step_keeper import Plan
from interact.step_log import StepRef
from storage.mask_delta import diff
from storage.provenance import Span
from util.jobs import CancelToken


@dataclass(frozen=True)
class TrashItem:
    """An object that was deleted, and the step that did it."""

    item: SceneObject
    ref: StepRef


def trash(scene: Scene, history: Sequence[StepRef]) -> tuple[TrashItem, ...]:
    """The deleted objects, the latest first. Args: history: the steps in effect, the newest last."""
    found: dict[int, TrashItem] = {}
    for ref in reversed(history):
        for item in ref.deleted:
            if item.object_id not in scene.objects:
                found.setdefault(item.object_id, TrashItem(item, ref))
    return tuple(found.values())


def restore_plan(scene: Scene, item: SceneObject, load: Callable[[], Step]) -> Plan:
    """Give a deleted object back, with its pixels where nothing is now, its marks and its place in the list.

    Args:
        load: the step that deleted it; called on the worker thread.
    """
    label = f"restore {item.name}"

    def run(token: CancelToken) -> Generator[int, None, Step | None]:
        step = load()
        changes: list[Change] = [_listed(scene, item, step.changes)]
        deltas = [change.delta for change in step.changes if isinstance(change, MaskChange)]
        for done, delta in enumerate(deltas, start=1):
            token.check()
            mask = scene.masks.get(delta.frame)
            after = mask.copy()
            window = after[delta.rect.slices]
            before, _ = delta.windows()
            window[(before == item.object_id) & (window == 0)] = item.object_id
            change = diff(delta.frame, mask, after)
            if not change.is_empty:
                baseline = scene.baselines.get(delta.frame)
                changes.append(BaselineChange(delta.frame, baseline, baseline_after_edit(baseline, mask)))
                changes.append(MaskChange(change))
            yield done
        return Step(label, None, (*changes, *_marks(scene, item, step.changes), *_sources(scene, item, step.changes)))

    return Plan(label[:1].upper() + label[1:], len(scene.masks), run, "")


def _listed(scene: Scene, item: SceneObject, deletion: Iterable[Change]) -> ObjectsChange:
    """The list with the object where it was, as far as that can be said."""
    places = [change.before.index(item) for change in deletion if isinstance(change, ObjectsChange)]
    items = list(scene.objects.items)
    items.insert(min(places, default=len(items)), item)
    return ObjectsChange(scene.objects.items, tuple(items), scene.objects.selected, item.object_id)


def _marks(scene: Scene, item: SceneObject, deletion: Iterable[Change]) -> list[Change]:
    changes: list[Change] = []
    for change in deletion:
        if isinstance(change, MarkChange):
            marks, ids = scene.marks[change.kind], frozenset([item.object_id])
            frames = [frame for frame, before in change.before.items() if ids <= before - change.after[frame]]
            before = {frame: marks.on(frame) for frame in frames}
            if before:
                changes.append(MarkChange(change.kind, before, {frame: on | ids for frame, on in before.items()}))
    return changes


def _sources(scene: Scene, item: SceneObject, deletion: Iterable[Change]) -> Sequence[ProvenanceChange]:
    spans: list[Span] = []
    for change in deletion:
        if isinstance(change, ProvenanceChange):
            spans += [span for span in change.before if span.object_id == item.object_id and span.source is not None]
    return source_change(scene, spans)
