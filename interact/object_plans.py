"""Edits of objects over many frames, as plans: delete, merge, swap, split, import. Nothing here writes.

A plan is made on the GUI thread and worked out on a worker thread, while nothing may edit. Its frames are a range:
outside it no pixel and no mark changes. An object leaves the list only when the range is the whole video.
"""
from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from interact.baselines import Baseline, baseline_after_edit
from interact.cleaning import Cleaning
from interact.commands import BaselineChange, Change, MarkChange, MaskChange, ObjectsChange, Scene, Step
from interact.frame_marks import MARK_KINDS
from interact.objects import ObjectList, SceneObject, default_name
from interact.packed_mask import PackedMask
from interact.protection import PROTECTING
from interact.splitting import Splitter
from interact.step_keeper import Plan
from storage.mask_delta import diff
from util.jobs import CancelToken
from util.types import IGNORE, IndexMask

Recolor = Callable[[IndexMask], IndexMask]
"""uint8 [H, W] -> the same with other ids; a new array."""

Ids = frozenset[int]


@dataclass(frozen=True)
class _Remap:
    """What happens to ids on every frame of a range: pixels by `recolor(frame)`, marks by `mark`."""

    involved: Ids
    recolor: Callable[[int], Recolor]
    mark: Callable[[Ids], Ids]


def delete_plan(scene: Scene, object_id: int, frames: range) -> Plan:
    """An object's pixels and marks go. Raises KeyError for an unknown id."""
    name = scene.objects.name(object_id)
    remap = _Remap(frozenset([object_id]), _always(_table({object_id: 0})), lambda ids: ids - {object_id})
    label = f"delete {name}{_where(scene, frames)}"
    return _plan(scene, label, frames, remap, _without(scene, object_id) if _is_all(scene, frames) else ())


def merge_plan(scene: Scene, source: int, target: int, frames: range) -> Plan:
    """One object's pixels and marks become another's. Raises KeyError for an unknown id, ValueError for twice one."""
    names = scene.objects.name(source), scene.objects.name(target)
    if source == target:
        raise ValueError("an object cannot be merged with itself")

    def mark(ids: Ids) -> Ids:
        return ids - {source} | {target} if source in ids else ids

    remap = _Remap(frozenset([source]), _always(_table({source: target})), mark)
    label = f"merge {names[0]} into {names[1]}{_where(scene, frames)}"
    return _plan(scene, label, frames, remap, _without(scene, source, target) if _is_all(scene, frames) else ())


def swap_plan(scene: Scene, first: int, second: int, frames: range) -> Plan:
    """Two objects trade pixels and marks. Raises KeyError for an unknown id, ValueError for twice the same."""
    names = scene.objects.name(first), scene.objects.name(second)
    if first == second:
        raise ValueError("an object cannot be swapped with itself")
    other = {first: second, second: first}

    def mark(ids: Ids) -> Ids:
        return frozenset(other.get(i, i) for i in ids)

    remap = _Remap(frozenset(other), _always(_table(other)), mark)
    return _plan(scene, f"swap {names[0]} and {names[1]}{_where(scene, frames)}", frames, remap, ())


def split_plan(scene: Scene, item: SceneObject, splitter: Splitter, frames: range) -> Plan:
    """Parts of an object become the new object `item`, below it in the list.

    Args:
        splitter: knows the parts on its own frame, which is in `frames`, and follows them from there.
    """
    source, new, anchor = splitter.object_id, item.object_id, splitter.frame
    objects, keys = scene.objects, scene.key_frames
    label = f"split {objects.name(source)}{_where(scene, frames)}"
    place = objects.order.index(source) + 1
    head = _list_change(objects, (*objects.items[:place], item, *objects.items[place:]), new)

    def run(token: CancelToken) -> Generator[int, None, Step | None]:
        changes: list[Change] = [*head]
        fixed: dict[int, Ids] = {}
        order = [*range(anchor, frames.stop), *range(anchor - 1, frames.start - 1, -1)]
        for done, frame in enumerate(order, start=1):
            token.check()
            if source in scene.masks.object_ids(frame):
                before = scene.masks.get(frame)
                part = splitter.part(frame, before == source)

                def recolor(mask: IndexMask, part: np.ndarray = part) -> IndexMask:
                    return np.where(part & (mask == source), np.uint8(new), mask)

                changes += _pixels(scene, frame, before, recolor(before), recolor)
                if part.any() and (frame == anchor or source in keys.on(frame)):
                    fixed[frame] = keys.on(frame) | {new, source}
            yield done
        return Step(label, anchor, (*changes, *_marks(scene, fixed)))

    return Plan(_title(label), len(frames), run, "")


def cleaning_plan(scene: Scene, object_id: int, cleaning: Cleaning, frames: range) -> Plan:
    """An object's mask without flicker, holes, islands and ragged outlines; its marks stay. KeyError: unknown id."""
    label = f"clean up {scene.objects.name(object_id)}{_where(scene, frames)}"
    remap = _Remap(frozenset([object_id]), partial(_cleaner, scene, object_id, cleaning), lambda ids: ids)
    plan = _plan(scene, label, frames, remap, (), reach=1 if cleaning.steady else 0)
    return replace(plan, nothing="Nothing to clean up there.", may_spare=True)


def cleaned(scene: Scene, object_id: int, cleaning: Cleaning, frame: int) -> IndexMask:
    """What `cleaning_plan` would make of one frame: uint8 [H, W]. Any thread."""
    return _cleaner(scene, object_id, cleaning, frame)(scene.masks.get(frame))


def _cleaner(scene: Scene, object_id: int, cleaning: Cleaning, frame: int) -> Recolor:
    """Key frames are as the user made them, so they are not steadied; nor are the first and the last frame."""
    is_inside = 0 < frame < len(scene.masks) - 1 and object_id not in scene.key_frames.on(frame)
    masks = scene.masks
    beside = (masks.get(frame - 1), masks.get(frame + 1)) if cleaning.steady and is_inside else None
    return lambda mask: cleaning.apply(mask, object_id, beside)


def absence_plan(scene: Scene, object_id: int, frames: range) -> Plan:
    """An object is absent: its pixels go, the first frame becomes a key frame without it, all of them are verified.

    Not every frame becomes a key frame: the engine would have to remember all of them. Raises KeyError: unknown id.
    """
    name, first = scene.objects.name(object_id), frames.start
    label = f"{name} is absent{_where(scene, frames)}"
    recolor = _table({object_id: 0})
    verified = scene.marks["verified"]
    unverified = {frame: verified.on(frame) for frame in frames if object_id not in verified.on(frame)}

    def run(token: CancelToken) -> Generator[int, None, Step | None]:
        changes: list[Change] = []
        for done, frame in enumerate(frames, start=1):
            token.check()
            if object_id in scene.masks.object_ids(frame):
                before = scene.masks.get(frame)
                after = recolor(before)
                changes += edit_pixels(scene, frame, after) if frame == first else _pixels(
                    scene, frame, before, after, recolor
                )
            yield done
        changes += _marks(scene, {first: scene.key_frames.on(first) | {object_id}})
        if unverified:
            after_marks = {frame: ids | {object_id} for frame, ids in unverified.items()}
            changes.append(MarkChange("verified", unverified, after_marks))
        return Step(label, first, tuple(changes)) if changes else None

    return Plan(_title(label), len(frames), run, f"{name} is known to be absent there.")


def import_plan(scene: Scene, masks: Mapping[int, IndexMask], names: Mapping[int, str]) -> Plan:
    """Masks laid over whole frames; new ids become objects, the frames key frames. Key frames are protected from it.

    Working it out asks for one mask after the other, and raises ValueError for one of another size.

    Args:
        names: of new objects, by id; the others are called by their number.
    """
    objects = scene.objects
    label = f"import {len(masks)} mask{'' if len(masks) == 1 else 's'}"

    def run(token: CancelToken) -> Generator[int, None, Step | None]:
        pixels: list[Change] = []
        fixed: dict[int, Ids] = {}
        found: set[int] = set()
        for done, frame in enumerate(sorted(masks), start=1):
            token.check()
            mask = masks[frame]
            ids = frozenset(int(i) for i in np.flatnonzero(np.bincount(mask.ravel(), minlength=256))) - {0, IGNORE}
            found |= ids
            fixed[frame] = ids | scene.masks.object_ids(frame) | scene.key_frames.on(frame)
            pixels += edit_pixels(scene, frame, mask)
            yield done
        new = [SceneObject(i, names.get(i) or default_name(i)) for i in sorted(found - set(objects.order))]
        selected = new[0].object_id if new and objects.selected is None else objects.selected
        head = _list_change(objects, (*objects.items, *new), selected) if new else ()
        changes = (*head, *pixels, *_marks(scene, fixed))
        return Step(label, min(masks), changes) if changes else None

    return Plan(
        _title(label), len(masks), run, "These masks are there already.", kinds=("key", *PROTECTING), may_spare=True,
        origin="imported",
    )


def edit_pixels(scene: Scene, frame: int, after: IndexMask) -> tuple[Change, ...]:
    """Another mask for a frame, as a correction by hand: the first one since the last propagation keeps what was."""
    before = scene.masks.get(frame)
    delta = diff(frame, before, after)
    if delta.is_empty:
        return ()
    baseline = scene.baselines.get(frame)
    return BaselineChange(frame, baseline, baseline_after_edit(baseline, before)), MaskChange(delta)


def _plan(
    scene: Scene, label: str, frames: range, remap: _Remap, head: Sequence[Change], *, reach: int = 0
) -> Plan:
    """Args: reach: how many frames away an object may be to change the pixels of a frame."""
    candidates = sorted({near for frame in scene.masks.frames() for near in _around(frame, reach) if near in frames})
    num_frames = len(scene.masks)
    marks: list[Change] = []
    for kind in MARK_KINDS:
        now = {frame: ids for frame, ids in scene.marks[kind].items() if frame in frames}
        after = {frame: remap.mark(ids) for frame, ids in now.items() if remap.mark(ids) != ids}
        if after:
            marks.append(MarkChange(kind, {frame: now[frame] for frame in after}, after))

    def run(token: CancelToken) -> Generator[int, None, Step | None]:
        changes: list[Change] = []
        first = None
        for done, frame in enumerate(candidates, start=1):
            token.check()
            near = (other for other in _around(frame, reach) if 0 <= other < num_frames)
            if any(remap.involved & scene.masks.object_ids(other) for other in near):
                before = scene.masks.get(frame)
                recolor = remap.recolor(frame)
                changes += _pixels(scene, frame, before, recolor(before), recolor)
                first = frame if first is None else first
            yield done
        everything = (*head, *changes, *marks)
        return Step(label, None if head else first, everything) if everything else None

    nothing = "Nothing to do: the object has no pixels and no marks there."
    return Plan(_title(label), len(candidates), run, nothing)


def _pixels(
    scene: Scene, frame: int, before: IndexMask, after: IndexMask, recolor: Recolor
) -> tuple[Change, ...]:
    """Other ids on a frame. What a correction is compared with changes alike: it is no correction by itself."""
    delta = diff(frame, before, after)
    if delta.is_empty:
        return ()
    old = scene.baselines.get(frame)
    if old is None:
        return (MaskChange(delta),)
    new: Baseline = replace(old, mask=PackedMask.pack(recolor(old.mask.unpack())))
    return BaselineChange(frame, old, new), MaskChange(delta)


def _marks(scene: Scene, fixed: Mapping[int, Ids]) -> tuple[Change, ...]:
    keys = scene.key_frames
    after = {frame: ids for frame, ids in sorted(fixed.items()) if ids != keys.on(frame)}
    return (MarkChange("key", {frame: keys.on(frame) for frame in after}, after),) if after else ()


def _table(ids: Mapping[int, int]) -> Recolor:
    table = np.arange(256, dtype=np.uint8)
    for old, new in ids.items():
        table[old] = new
    return lambda mask: table[mask]


def _around(frame: int, reach: int) -> range:
    return range(frame - reach, frame + reach + 1)


def _always(recolor: Recolor) -> Callable[[int], Recolor]:
    """The same on every frame."""
    return lambda frame: recolor


def _without(scene: Scene, object_id: int, select: int | None = None) -> tuple[Change, ...]:
    """The list without an object; `select`, or its neighbour when it was selected, is the selected one then."""
    objects = scene.objects
    rest = tuple(item for item in objects.items if item.object_id != object_id)
    selected = objects.selected if select is None else select
    if selected == object_id:
        place = min(objects.order.index(object_id), len(rest) - 1)
        selected = rest[place].object_id if rest else None
    return _list_change(objects, rest, selected)


def _list_change(objects: ObjectList, items: Iterable[SceneObject], selected: int | None) -> tuple[Change, ...]:
    return (ObjectsChange(objects.items, tuple(items), objects.selected, selected),)


def _is_all(scene: Scene, frames: range) -> bool:
    return len(frames) == len(scene.masks)


def _where(scene: Scene, frames: range) -> str:
    if _is_all(scene, frames):
        return ""
    if len(frames) == 1:
        return f" on frame {frames.start}"
    return f" on frames {frames.start} to {frames.stop - 1}"


def _title(label: str) -> str:
    return f"Working out: {label}"
