"""Several people's work on one video: what somebody else did on some frames and objects is taken over, as one step.

What is protected here (locked, verified, or fixed by hand) stays as it is, and so do all objects that nothing is merged
into, but for pixels that objects above them claim. Key marks, verified marks and sources come along.
"""
from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from interact.commands import Change, MarkChange, MaskChange, ObjectsChange, Scene, Step
from interact.frame_marks import MarkKind
from interact.layering import id_table, lay_region
from interact.object_plans import edit_pixels
from interact.objects import SceneObject, default_name
from interact.protection import PROTECTING, protected_on
from interact.sources import now_text, source_change
from interact.step_keeper import Plan
from storage.exchange.other_work import OtherWork
from storage.frame_runs import Runs, to_runs
from storage.mask_delta import diff
from storage.provenance import Source, Span
from util.jobs import CancelToken
from util.types import IndexMask

KEPT: tuple[MarkKind, ...] = ("key", *PROTECTING)
"""The marks that protect an object on a frame from a merge."""

Ids = frozenset[int]


@dataclass
class MergeReport:
    """What came of a merge; filled while it is worked out. Attributes: kept: frames on which something stayed."""

    label: str
    taken: set[int] = field(default_factory=set)
    changed: int = 0
    kept: set[int] = field(default_factory=set)

    @property
    def text(self) -> str:
        """For the user."""
        kept = ""
        if self.kept:
            kept = f" On {_frames(len(self.kept))} something is locked, verified or marked by hand; it stayed as it is."
        return f"{self.label[:1].upper()}{self.label[1:]}: {_frames(len(self.taken))}, {self.changed} changed.{kept}"


def kept_frames(scene: Scene, object_ids: Ids, frames: range) -> int:
    """On how many frames something of these objects would stay as it is."""
    return sum(bool(protected_on(scene, frame, KEPT) & object_ids) for frame in frames)


def merge_plan(scene: Scene, other: OtherWork, mapping: Mapping[int, int], frames: range) -> tuple[Plan, MergeReport]:
    """Args:
        mapping: value in the other masks -> object id here; ids that are not there become objects.
        frames: of the video.
    """
    return _Merge(scene, other, mapping, frames).plan()


class _Merge:
    """Worked out on a worker thread, while nothing edits."""

    def __init__(self, scene: Scene, other: OtherWork, mapping: Mapping[int, int], frames: range) -> None:
        self._scene = scene
        self._other = other
        mapping = self._mapping = dict(mapping)
        self._frames = frames
        first = {target: value for value, target in reversed(mapping.items())}
        self._new = [_listed(other, first[i], i) for i in sorted(first) if i not in scene.objects]
        self._order = (*scene.objects.order, *(item.object_id for item in self._new))
        self._with_mask = frozenset(other.reader.frames)
        count = len(set(mapping.values()))
        what = f"{count} object{'' if count == 1 else 's'}"
        self.report = MergeReport(f"merge {what} from {other.path.name}")
        self._imported = Source("imported", self.report.label, now_text(), origin=str(other.path))
        self._sources: dict[tuple[int, Source], list[int]] = {}
        self._marks: dict[MarkKind, dict[int, Ids]] = {"key": {}, "verified": {}}

    def plan(self) -> tuple[Plan, MergeReport]:
        title = f"Working out: {self.report.label}"
        plan = Plan(title, len(self._frames), self._run, "Nothing to merge there.", done=lambda: self.report.text)
        return plan, self.report

    def _run(self, token: CancelToken) -> Generator[int, None, Step | None]:
        pixels: list[Change] = []
        for done, frame in enumerate(self._frames, start=1):
            token.check()
            pixels += self._frame(frame)
            yield done
        changes = (*self._head(), *pixels, *self._mark_changes(), *self._source_changes())
        return Step(self.report.label, min(self.report.taken, default=None), changes) if changes else None

    def _frame(self, frame: int) -> tuple[Change, ...]:
        """What changes in the pixels of a frame; notes marks and sources."""
        coming, values = self._coming(frame)
        protected = protected_on(self._scene, frame, KEPT)
        if coming.keys() & protected:
            self.report.kept.add(frame)
        coming = {target: region for target, region in coming.items() if target not in protected}
        if not coming:
            return ()
        self.report.taken.add(frame)
        before = self._scene.masks.get(frame)
        after = before
        for target in reversed(self._order):  # those above win
            if target in coming:
                after = lay_region(after, target, coming[target], self._order)
        spared = id_table(protected)[before]
        if (spared & (after != before)).any():
            self.report.kept.add(frame)
            after = np.where(spared, before, after)
        fixed = self._note(frame, {target: values[target] for target in coming})
        return self._pixels(frame, before, after, is_fixed=fixed)

    def _coming(self, frame: int) -> tuple[dict[int, NDArray[np.bool_]], dict[int, int]]:
        """What the objects are to be on a frame: bool [H, W] by id; and the thing that it is taken from."""
        regions: dict[int, NDArray[np.bool_]] = {}
        values: dict[int, int] = {}
        if frame not in self._with_mask and not self._other.is_project:
            return regions, values
        empty: IndexMask = np.zeros(self._scene.masks.size, np.uint8)
        mask = self._other.reader.mask(frame) if frame in self._with_mask else empty
        counts = np.bincount(mask.ravel(), minlength=256)
        for value, target in self._mapping.items():
            if self._other.covers(frame, value, has_pixels=bool(counts[value])):
                region = np.asarray(mask == value, np.bool_)
                regions[target] = region | regions[target] if target in regions else region
                if counts[value] or target not in values:
                    values[target] = value
        return regions, values

    def _pixels(self, frame: int, before: IndexMask, after: IndexMask, *, is_fixed: bool) -> tuple[Change, ...]:
        delta = diff(frame, before, after)
        if delta.is_empty:
            return ()
        self.report.changed += 1
        return edit_pixels(self._scene, frame, after) if is_fixed else (MaskChange(delta),)

    def _note(self, frame: int, values: Mapping[int, int]) -> bool:
        """Marks and sources of what is taken over; whether any of it was fixed by hand."""
        other = self._other
        for target, value in values.items():
            known = other.source(frame, value)
            source = self._imported if known is None else replace(known, origin=known.origin or str(other.path))
            self._sources.setdefault((target, source), []).append(frame)
        marks: tuple[tuple[MarkKind, Runs], ...] = (("key", other.key), ("verified", other.verified))
        for kind, runs in marks:
            ids = frozenset(target for target, value in values.items() if other.is_marked(runs, frame, value))
            if ids:
                self._marks[kind][frame] = ids
        return frame in self._marks["key"]

    def _head(self) -> tuple[Change, ...]:
        if not self._new or not self.report.taken:
            return ()
        objects = self._scene.objects
        selected = self._new[0].object_id if objects.selected is None else objects.selected
        return (ObjectsChange(objects.items, (*objects.items, *self._new), objects.selected, selected),)

    def _mark_changes(self) -> list[Change]:
        changes: list[Change] = []
        for kind, frames in self._marks.items():
            now = {frame: self._scene.marks[kind].on(frame) for frame in frames}
            after = {frame: now[frame] | ids for frame, ids in frames.items() if not ids <= now[frame]}
            if after:
                changes.append(MarkChange(kind, {frame: now[frame] for frame in after}, after))
        return changes

    def _source_changes(self) -> tuple[Change, ...]:
        spans = [
            Span(target, run, source) for (target, source), frames in self._sources.items() for run in to_runs(frames)
        ]
        return source_change(self._scene, spans)


def _listed(other: OtherWork, value: int, object_id: int) -> SceneObject:
    """A thing of the other work as an object of the list."""
    info = other.objects.get(value)
    if info is not None:
        return SceneObject(object_id, info.name, info.category, info.color)
    label = other.reader.labels.get(value)
    return SceneObject(object_id, label.text if label is not None and label.text else default_name(object_id))


def _frames(count: int) -> str:
    return f"{count} frame{'' if count == 1 else 's'}"
