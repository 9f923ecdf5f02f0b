"""Adds to a step where the masks that it makes come from. Reads only: a worker may do it while nothing edits."""
from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from inference_core.api import WEIGHTS_SETTING, CoreApi
from interact.commands import (
    InteractionChange,
    MarkChange,
    MaskChange,
    ObjectsChange,
    ProvenanceChange,
    Scene,
    Step,
)
from interact.interaction import Interaction
from interact.objects import SceneObject
from interact.prompts import Box, Click, Hint, Stroke
from storage.frame_runs import to_runs
from storage.mask_delta import MaskDelta
from storage.provenance import GivenPrompt, Source, SourceKind, Span
from util.types import IGNORE

Ids = frozenset[int]


def now_text() -> str:
    """UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def with_sources(scene: Scene, step: Step, kind: SourceKind = "hand", *, is_planned: bool = False) -> Step:
    """The step with the source of every mask that it makes, in place of any that it names already.

    Args:
        is_planned: an operation on whole objects or frames, so that what loses pixels to it is its work, too; a brush
            leaves the source of what it merely cuts into.
    """
    kept = tuple(change for change in step.changes if not isinstance(change, ProvenanceChange))
    source = Source(kind, step.label, now_text())
    frames: dict[int, set[int]] = {}
    passed_on: set[int] = set()
    keys = _keys_after(kept)
    for change in kept:
        if isinstance(change, MaskChange):
            gained, lost = _changed(change.delta)
            passed_on |= lost if gained else set()
            fixed = keys.get(change.delta.frame, scene.key_frames.on(change.delta.frame))
            for object_id in gained | (lost if is_planned else lost & fixed):
                frames.setdefault(object_id, set()).add(change.delta.frame)
    gone = _gone(kept)
    prompts = _prompts(kept)
    for frame, object_id in prompts:
        frames.setdefault(object_id, set()).add(frame)  # also where the answer changed no pixel
    after: list[Span] = []
    for object_id in sorted(set(frames) - set(gone)):
        runs = to_runs(sorted(frames[object_id]))
        after += [Span(object_id, run, _with_prompts(scene, source, prompts, object_id, run)) for run in runs]
    for object_id in gone:
        after += [Span(object_id, span.frames, None) for span in scene.provenance.of(object_id)]
    deleted = tuple(item for object_id, item in gone.items() if object_id not in passed_on)
    return replace(step, changes=(*kept, *source_change(scene, after)), deleted=deleted)


def source_change(scene: Scene, after: Iterable[Span]) -> tuple[ProvenanceChange, ...]:
    """The change that gives these stretches their sources; nothing when they have them."""
    after = tuple(after)
    before: list[Span] = []
    is_new = False
    for span in after:
        pieces = scene.provenance.cut(span.object_id, span.frames)
        is_new |= any(piece.source != span.source for piece in pieces)
        before += pieces
    return (ProvenanceChange(tuple(before), after),) if is_new else ()


def engine_source(core: CoreApi, anchor: int) -> Source:
    """Of what an engine computes. Worker thread."""
    settings = dict(core.settings)
    weights = str(settings.pop(WEIGHTS_SETTING, ""))
    return Source("propagated", "", now_text(), anchor, core.engine, weights, tuple(sorted(settings.items())))


def given(prompts: Iterable[Hint]) -> tuple[GivenPrompt, ...]:
    """Prompts as the project file keeps them."""
    return tuple(_given(prompt) for prompt in prompts)


def _given(prompt: Hint) -> GivenPrompt:
    match prompt:
        case Click():
            return GivenPrompt("click", prompt.positive, ((prompt.x, prompt.y),))
        case Box():
            return GivenPrompt("box", prompt.positive, ((prompt.x0, prompt.y0), (prompt.x1, prompt.y1)))
        case Stroke():
            points = tuple((point.x, point.y) for point in prompt.points)
            return GivenPrompt("stroke", prompt.positive, points, prompt.width)


def _changed(delta: MaskDelta) -> tuple[set[int], set[int]]:
    """The objects that win pixels and those that lose some."""
    before, after = delta.windows()
    changed = before != after
    nobody = {0, IGNORE}
    return {int(i) for i in np.unique(after[changed])} - nobody, {int(i) for i in np.unique(before[changed])} - nobody


def _keys_after(changes: Collection[object]) -> dict[int, Ids]:
    """The frames whose key marks change, with what is fixed there then."""
    keys: dict[int, Ids] = {}
    for change in changes:
        if isinstance(change, MarkChange) and change.kind == "key":
            keys.update(change.after)
    return keys


def _gone(changes: Collection[object]) -> dict[int, SceneObject]:
    """The objects that the changes take from the list."""
    gone: dict[int, SceneObject] = {}
    for change in changes:
        if isinstance(change, ObjectsChange):
            kept = {item.object_id for item in change.after}
            gone |= {item.object_id: item for item in change.before if item.object_id not in kept}
    return gone


def _prompts(changes: Collection[object]) -> Mapping[tuple[int, int], Interaction]:
    """(frame, object) -> the prompts that the step answers."""
    return {
        (change.after.frame, change.after.object_id): change.after
        for change in changes
        if isinstance(change, InteractionChange) and change.after is not None
    }


def _with_prompts(
    scene: Scene, source: Source, prompts: Mapping[tuple[int, int], Interaction], object_id: int, frames: range
) -> Source:
    """The prompts of an object on one frame outlive strokes of the brush on it."""
    if len(frames) != 1 or source.kind != "hand":
        return source
    interaction = prompts.get((frames.start, object_id))
    if interaction is not None:
        return replace(source, prompts=given(interaction.prompts))
    old = scene.provenance.on(frames.start, object_id)
    return replace(source, prompts=old.prompts) if old is not None else source
