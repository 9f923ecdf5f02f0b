"""What nothing may change without the user's word, and what to do when a step would.

Protected are objects that are locked, and objects that are locked or verified on single frames. Key frames are the
user's own work in progress: hand tools change them freely, an import asks.
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from interact.commands import BaselineChange, Change, InteractionChange, MarkChange, MaskChange, Scene, Step
from interact.frame_marks import MarkKind
from interact.layering import id_table
from storage.mask_delta import MaskDelta, diff
from util.types import IGNORE

PROTECTING: tuple[MarkKind, ...] = ("locked", "verified")

Injuries = Mapping[int, frozenset[int]]
"""frame -> protected objects that a step would change there."""

_NAMED = 3


@dataclass(frozen=True)
class Question:
    """To be answered exactly once, by calling `change` or `keep`.

    Args:
        text: what is about to happen, and to what.
        details: what the two answers mean.
        change: go through with it.
        keep: leave what is protected as it is.
    """

    text: str
    details: str
    change: Callable[[], None]
    keep: Callable[[], None]


def protected_on(scene: Scene, frame: int, kinds: Collection[MarkKind] = PROTECTING) -> frozenset[int]:
    """The objects that may not change on a frame."""
    return scene.objects.locked.union(*(scene.marks[kind].on(frame) for kind in kinds))


def injuries(scene: Scene, step: Step, kinds: Collection[MarkKind] = PROTECTING) -> dict[int, frozenset[int]]:
    """Which protected objects lose or win pixels, by frame; empty when the step may go ahead."""
    found: dict[int, frozenset[int]] = {}
    for change in step.changes:
        if isinstance(change, MaskChange):
            protected = protected_on(scene, change.delta.frame, kinds)
            hurt = _changed_ids(change.delta) & protected if protected else frozenset()
            if hurt:
                found[change.delta.frame] = found.get(change.delta.frame, frozenset()) | hurt
    return found


def describe(scene: Scene, step: Step, hurt: Injuries, kinds: Collection[MarkKind] = PROTECTING) -> str:
    """A sentence: the step, the objects and how they are protected."""
    by_object: dict[int, list[int]] = {}
    for frame, object_ids in sorted(hurt.items()):
        for object_id in object_ids:
            by_object.setdefault(object_id, []).append(frame)
    names = [f"{scene.objects.name(i)} ({_reason(scene, i, by_object[i], kinds)})" for i in sorted(by_object)]
    listed = ", ".join(names[:_NAMED])
    if len(names) > _NAMED:
        listed += f" and {len(names) - _NAMED} more"
    return f"“{step.label}” would change {listed}."


def without_verified(scene: Scene, step: Step, hurt: Injuries) -> Step:
    """The step when the user allows it: what it changes on these frames has to be verified anew."""
    now: dict[int, frozenset[int]] = {}
    changed = {frame: frozenset[int]() for frame in hurt}
    for change in step.changes:
        if isinstance(change, MarkChange) and change.kind == "verified":
            now.update(change.after)
        if isinstance(change, MaskChange) and change.delta.frame in hurt:
            changed[change.delta.frame] |= _changed_ids(change.delta)
    before = {frame: now.get(frame, scene.marks["verified"].on(frame)) for frame in hurt}
    after = {frame: before[frame] - ids for frame, ids in changed.items() if before[frame] & ids}
    if not after:
        return step
    return replace(step, changes=(*step.changes, MarkChange("verified", {f: before[f] for f in after}, after)))


def spared(scene: Scene, step: Step, hurt: Injuries, kinds: Collection[MarkKind] = PROTECTING) -> Step | None:
    """The step as far as it leaves the protected objects alone; None when nothing of it remains.

    Every protected pixel keeps its value, and no pixel becomes a protected object's.
    """
    lost: set[int] = set()
    pixels: dict[int, MaskChange | None] = {}
    for place, change in enumerate(step.changes):
        if isinstance(change, MaskChange) and change.delta.frame in hurt:
            delta = _spared_delta(scene, change.delta, protected_on(scene, change.delta.frame, kinds))
            pixels[place] = None if delta is None else MaskChange(delta)
            if delta is None:
                lost.add(change.delta.frame)
    changes: list[Change] = []
    for place, change in enumerate(step.changes):
        kept = pixels.get(place, change)
        if isinstance(kept, BaselineChange) and kept.frame in lost:
            continue
        if isinstance(kept, MarkChange):
            kept = _spared_marks(kept, {frame: protected_on(scene, frame, kinds) for frame in hurt}, lost)
        if kept is not None:
            changes.append(kept)
    if not any(isinstance(change, MaskChange) for change in changes):
        return None
    return replace(step, changes=tuple(changes))


def _spared_marks(change: MarkChange, protected: Injuries, lost: Collection[int]) -> MarkChange | None:
    """What is left alone keeps its marks, too. Args: lost: frames on which nothing else changes."""
    rest: dict[int, frozenset[int]] = {}
    for frame, after in change.after.items():
        kept = protected.get(frame, frozenset())
        ids = (after - kept) | (change.before[frame] & kept)
        if frame not in lost and ids != change.before[frame]:
            rest[frame] = ids
    return MarkChange(change.kind, {frame: change.before[frame] for frame in rest}, rest) if rest else None


def has_prompts(step: Step) -> bool:
    """Whether the step is the answer to clicks or scribbles."""
    return any(isinstance(change, InteractionChange) for change in step.changes)


def _reason(scene: Scene, object_id: int, frames: list[int], kinds: Collection[MarkKind]) -> str:
    if object_id in scene.objects.locked:
        return "locked"
    where = f"frame {frames[0]}" if len(frames) == 1 else f"{len(frames)} frames"
    found = [kind for kind in kinds if any(object_id in scene.marks[kind].on(frame) for frame in frames)]
    return f"{' and '.join('marked by hand' if kind == 'key' else kind for kind in found)} on {where}"


def _changed_ids(delta: MaskDelta) -> frozenset[int]:
    before, after = delta.windows()
    changed = before != after
    found = np.bincount(before[changed], minlength=256) + np.bincount(after[changed], minlength=256)
    return frozenset(int(i) for i in np.flatnonzero(found)) - {0, IGNORE}


def _spared_delta(scene: Scene, delta: MaskDelta, protected: frozenset[int]) -> MaskDelta | None:
    is_protected = id_table(protected)
    before = scene.masks.get(delta.frame)
    after = delta.apply(before)
    after = np.where(is_protected[before] | is_protected[after], before, after)
    rest = diff(delta.frame, before, after)
    return None if rest.is_empty else rest
