"""What every editing operation changes, as a `Step` that is not yet applied. Nothing here writes.

An edit of an object's pixels fixes the object on that frame; objects that merely lose pixels to it are not fixed.
A result of None means that the operation would change nothing.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from interact.baselines import baseline_after_edit
from interact.commands import (
    BaselineChange,
    Change,
    InteractionChange,
    MarkChange,
    MaskChange,
    ObjectsChange,
    Scene,
    Step,
)
from interact.interaction import Interaction
from interact.layering import lay_region
from interact.objects import SceneObject, default_name
from interact.painter import Painter, paint
from interact.prompting import Region
from interact.prompts import Polygon
from storage.mask_delta import diff
from util.raster import polygon
from util.types import IGNORE, IndexMask, Rect, Size


def apply_prediction(
    scene: Scene, interaction: Interaction, previous: Interaction | None, region: Region
) -> Step | None:
    """A predictor's answer laid over the mask from before the interaction. `previous`: what undo brings back."""
    after = lay_region(interaction.base_mask, interaction.object_id, region, scene.objects.order)
    return _step(
        f"{interaction.kind} on {scene.objects.name(interaction.object_id)}",
        interaction.frame,
        (
            *_pixels(scene, interaction.frame, after),
            *_fixing(scene, {interaction.frame: [interaction.object_id]}),
            InteractionChange(previous, interaction),
        ),
    )


def brush_stroke(scene: Scene, frame: int, painter: Painter) -> Step | None:
    label = f"{'erase' if painter.erase else 'paint'} {scene.objects.name(painter.object_id)}"
    return _object_edit(scene, label, frame, painter.object_id, painter.mask)


def fill_polygon(
    scene: Scene, frame: int, object_id: int, outline: Polygon, within: Rect | None = None
) -> Step | None:
    """Args: within: the only part that may change; None for all of it."""
    after = scene.masks.get(frame).copy()
    paint(after, polygon(outline.points, Size(*after.shape)).within(within), object_id, erase=False)
    return _object_edit(scene, f"polygon on {scene.objects.name(object_id)}", frame, object_id, after)


def clear_frame(scene: Scene, frame: int) -> Step | None:
    """Remove all pixels and fix the objects that had some as absent; on an empty frame, forget the key marks."""
    pixels = _pixels(scene, frame, np.zeros_like(scene.masks.get(frame)))
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


def rename_object(scene: Scene, object_id: int, name: str) -> Step | None:
    """Raises KeyError for an unknown id."""
    old = scene.objects.name(object_id)
    items = [replace(i, name=name) if i.object_id == object_id else i for i in scene.objects.items]
    return change_objects(scene, f"rename {old}", items, scene.objects.selected)


def delete_object(scene: Scene, object_id: int) -> Step | None:
    """Raises KeyError for an unknown id."""
    name = scene.objects.name(object_id)
    pixels: list[Change] = []
    for frame in scene.masks.frames():
        if object_id in scene.masks.object_ids(frame):
            mask = scene.masks.get(frame)
            pixels.append(MaskChange(diff(frame, mask, np.where(mask == object_id, np.uint8(0), mask))))
    keys = {frame: ids - {object_id} for frame, ids in scene.key_frames.items() if object_id in ids}
    order = scene.objects.order
    rest = [item for item in scene.objects.items if item.object_id != object_id]
    selected = scene.objects.selected
    if selected == object_id:
        selected = rest[min(order.index(object_id), len(rest) - 1)].object_id if rest else None
    return change_objects(scene, f"delete {name}", rest, selected, (*pixels, *_keys(scene, keys)))


def import_masks(scene: Scene, masks: Mapping[int, IndexMask]) -> Step | None:
    """Raises ValueError through `diff` for a mask of another size."""
    changes: list[Change] = []
    fixed: dict[int, frozenset[int]] = {}
    known = set(scene.objects.order)
    new: list[SceneObject] = []
    for frame, mask in sorted(masks.items()):
        ids = frozenset(int(i) for i in np.unique(mask)) - {0, IGNORE}
        new += [SceneObject(i, default_name(i)) for i in sorted(ids - known)]
        known |= ids
        fixed[frame] = ids | scene.masks.object_ids(frame)
        changes += _pixels(scene, frame, mask)
    changes += _fixing(scene, fixed)
    if new:
        objects = scene.objects
        selected = new[0].object_id if objects.selected is None else objects.selected
        items = (*objects.items, *new)
        changes.insert(0, ObjectsChange(objects.items, items, objects.selected, selected))
    label = f"import {len(masks)} mask{'' if len(masks) == 1 else 's'}"
    return _step(label, min(masks, default=None), changes)


def _object_edit(scene: Scene, label: str, frame: int, object_id: int, after: IndexMask) -> Step | None:
    """A stroke that changes no pixel is no edit and fixes nothing."""
    pixels = _pixels(scene, frame, after)
    return _step(label, frame, (*pixels, *_fixing(scene, {frame: [object_id]})) if pixels else ())


def _step(label: str, frame: int | None, changes: Sequence[Change]) -> Step | None:
    return Step(label, frame, tuple(changes)) if changes else None


def _pixels(scene: Scene, frame: int, after: IndexMask) -> tuple[Change, ...]:
    before = scene.masks.get(frame)
    delta = diff(frame, before, after)
    if delta.is_empty:
        return ()
    baseline = scene.baselines.get(frame)
    return BaselineChange(frame, baseline, baseline_after_edit(baseline, before)), MaskChange(delta)


def _fixing(scene: Scene, objects: Mapping[int, Iterable[int]]) -> tuple[Change, ...]:
    """Fix objects on frames, besides those that are fixed there already."""
    return _keys(scene, {frame: scene.key_frames.on(frame) | frozenset(ids) for frame, ids in objects.items()})


def _keys(scene: Scene, after: Mapping[int, frozenset[int]]) -> tuple[Change, ...]:
    changed = {frame: ids for frame, ids in after.items() if ids != scene.key_frames.on(frame)}
    if not changed:
        return ()
    return (MarkChange("key", {frame: scene.key_frames.on(frame) for frame in changed}, changed),)
