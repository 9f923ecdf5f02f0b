"""What every editing operation changes, as a `Step` that is not yet applied. Nothing here writes.

An edit of an object's pixels fixes the object on that frame; objects that merely lose pixels to it are not fixed.
A result of None means that the operation would change nothing.
"""
from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence

import numpy as np

from interact.commands import (
    Change,
    InteractionChange,
    MarkChange,
    ObjectsChange,
    Scene,
    Step,
)
from interact.frame_marks import MarkKind
from interact.interaction import Interaction
from interact.layering import lay_region
from interact.object_plans import edit_pixels
from interact.objects import SceneObject
from interact.painter import Painter, paint
from interact.prompting import Region
from interact.step_keeper import Plan
from util.jobs import CancelToken
from util.raster import Patch
from util.types import IndexMask

_VERBS: Mapping[MarkKind, str] = {"key": "fix", "locked": "lock", "verified": "verify"}


def apply_prediction(
    scene: Scene, interaction: Interaction, previous: Interaction | None, region: Region
) -> Step | None:
    """A predictor's answer laid over the mask from before the interaction. `previous`: what undo brings back."""
    after = lay_region(interaction.base_mask, interaction.object_id, region, scene.objects.order)
    return _step(
        f"{interaction.kind} on {scene.objects.name(interaction.object_id)}",
        interaction.frame,
        (
            *edit_pixels(scene, interaction.frame, after),
            *_fixing(scene, {interaction.frame: [interaction.object_id]}),
            InteractionChange(previous, interaction),
        ),
    )


def brush_stroke(scene: Scene, frame: int, painter: Painter) -> Step | None:
    label = f"{'erase' if painter.erase else 'paint'} {scene.objects.name(painter.object_id)}"
    return _object_edit(scene, label, frame, painter.object_id, painter.mask)


def paint_patch(
    scene: Scene, frame: int, object_id: int, patch: Patch, what: str, *, erase: bool, keeps_others: bool
) -> Step | None:
    """An area taken by an object, or given up. Args: what: the tool, for the label. keeps_others: see `paint`."""
    after = scene.masks.get(frame).copy()
    paint(after, patch, object_id, erase=erase, keeps_others=keeps_others)
    label = f"{f'erase by {what} on' if erase else f'{what} on'} {scene.objects.name(object_id)}"
    return _object_edit(scene, label, frame, object_id, after)


def copy_mask(scene: Scene, frame: int, object_id: int, source: int) -> Step | None:
    """An object as it is on another frame; where it lies already, only its key mark is new."""
    shape = np.asarray(scene.masks.get(source) == object_id, np.bool_)
    after = lay_region(scene.masks.get(frame), object_id, shape, scene.objects.order)
    label = f"copy {scene.objects.name(object_id)} from frame {source}"
    return _step(label, frame, (*edit_pixels(scene, frame, after), *_fixing(scene, {frame: [object_id]})))


def clear_frame(scene: Scene, frame: int) -> Step | None:
    """Remove all pixels and fix the objects that had some as absent; on an empty frame, forget the key marks."""
    pixels = edit_pixels(scene, frame, np.zeros_like(scene.masks.get(frame)))
    if pixels:
        present = scene.masks.object_ids(frame)
        return _step(f"clear frame {frame}", frame, (*pixels, *_fixing(scene, {frame: present})))
    keys = scene.key_frames.on(frame)
    return _step(f"free frame {frame}", frame, _keys(scene, {frame: frozenset()}) if keys else ())


def change_objects(
    scene: Scene, label: str, items: Sequence[SceneObject], selected: int | None, others: Iterable[Change] = ()
) -> Step | None:
    """Another object list, and `others` with it."""
    objects = scene.objects
    if tuple(items) == objects.items and selected == objects.selected:
        return None
    change = ObjectsChange(objects.items, tuple(items), objects.selected, selected)
    return _step(label, None, (change, *others))


def alter_object(scene: Scene, item: SceneObject, what: str) -> Step | None:
    """Another name, class, colour or lock for the object of this id. Args: what: the step's label, before the name."""
    old = scene.objects.get(item.object_id)
    items = [item if other.object_id == item.object_id else other for other in scene.objects.items]
    return change_objects(scene, f"{what} {old.name}", items, scene.objects.selected)


def marks_plan(
    scene: Scene, kind: MarkKind, object_ids: Collection[int], frames: Collection[int], *, on: bool
) -> Plan:
    """Give objects a mark on frames, or take it from them."""

    def run(token: CancelToken) -> Generator[int, None, Step | None]:
        step = _set_marks(scene, kind, object_ids, frames, on=on)
        token.check()
        yield len(frames)
        return step

    verb = _VERBS[kind] if on else f"un{_VERBS[kind]}"
    return Plan(f"{verb.capitalize()} on {len(frames)} frames", len(frames), run, f"Nothing to {verb} there.")


def _set_marks(
    scene: Scene, kind: MarkKind, object_ids: Collection[int], frames: Iterable[int], *, on: bool
) -> Step | None:
    marks, ids = scene.marks[kind], frozenset(object_ids)
    before = {frame: marks.on(frame) for frame in frames}
    after = {f: now | ids if on else now - ids for f, now in before.items() if (ids - now if on else ids & now)}
    if not after:
        return None
    who = scene.objects.name(min(ids)) if len(ids) == 1 else f"{len(ids)} objects"
    where = f"frame {min(after)}" if len(after) == 1 else f"{len(after)} frames"
    verb = _VERBS[kind] if on else f"un{_VERBS[kind]}"
    return Step(f"{verb} {who} on {where}", min(after), (MarkChange(kind, {f: before[f] for f in after}, after),))


def _object_edit(scene: Scene, label: str, frame: int, object_id: int, after: IndexMask) -> Step | None:
    """A stroke that changes no pixel is no edit and fixes nothing."""
    pixels = edit_pixels(scene, frame, after)
    return _step(label, frame, (*pixels, *_fixing(scene, {frame: [object_id]})) if pixels else ())


def _step(label: str, frame: int | None, changes: Sequence[Change]) -> Step | None:
    return Step(label, frame, tuple(changes)) if changes else None


def _fixing(scene: Scene, objects: Mapping[int, Iterable[int]]) -> tuple[Change, ...]:
    """Fix objects on frames, besides those that are fixed there already."""
    return _keys(scene, {frame: scene.key_frames.on(frame) | frozenset(ids) for frame, ids in objects.items()})


def _keys(scene: Scene, after: Mapping[int, frozenset[int]]) -> tuple[Change, ...]:
    changed = {frame: ids for frame, ids in after.items() if ids != scene.key_frames.on(frame)}
    if not changed:
        return ()
    return (MarkChange("key", {frame: scene.key_frames.on(frame) for frame in changed}, changed),)
