"""Editing that no pointer does: the object list, marks, whole frames, imports."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from interact import edits, object_plans
from interact.cleaning import Cleaning
from interact.frame_marks import MarkKind
from interact.merging import MergeReport, merge_plan
from interact.objects import SceneObject
from interact.prompts import Polygon
from interact.session_base import SessionBase
from interact.splitting import Splitter, enclosed_part, loose_parts
from interact.suggestions import Suggestion, acceptance
from storage.exchange.other_work import OtherWork
from util.errors import AppError
from util.types import IndexMask


class ObjectEditing(SessionBase):
    """One undoable step per call. Those with `frames` work on this range, None for the whole video; where they take
    long, they are still under way when the call returns (`StepKeeper.work`).
    """

    def select_object(self, object_id: int) -> None:
        """Raises KeyError for an unknown id."""
        if object_id != self.objects.selected:
            self._leave()
            self.objects.select(object_id)

    def add_object(self, name: str | None = None) -> int | None:
        """Append an object and select it; returns its id, None while locked. AppError when all ids are used."""
        if not self._may_edit():
            return None
        self._leave()
        item = self.objects.new(name)
        self._record(edits.change_objects(self, f"add {item.name}", (*self.objects.items, item), item.object_id))
        return item.object_id

    def rename_object(self, object_id: int, name: str) -> None:
        """Raises KeyError for an unknown id."""
        self._alter(replace(self.objects.get(object_id), name=name), "rename")

    def set_category(self, object_id: int, category: str) -> None:
        """Its class; empty for none. Raises KeyError for an unknown id."""
        self._alter(replace(self.objects.get(object_id), category=category), "class of")

    def set_color(self, object_id: int, color: tuple[int, int, int] | None) -> None:
        """RGB, each 0..255; None for the palette's. Raises KeyError for an unknown id."""
        self._alter(replace(self.objects.get(object_id), color=color), "colour of")

    def set_object_locked(self, object_id: int, locked: bool) -> None:
        """Protect an object on every frame, or no longer. Raises KeyError for an unknown id."""
        self._alter(replace(self.objects.get(object_id), is_locked=locked), "lock" if locked else "unlock")

    def move_object(self, object_id: int, place: int) -> None:
        """To a place of the list, 0 for the top: in front of all others where two claim a pixel. KeyError: unknown."""
        item = self.objects.get(object_id)
        if self._may_edit():
            rest = [other for other in self.objects.items if other != item]
            rest.insert(place, item)
            self._record(edits.change_objects(self, f"move {item.name}", rest, self.objects.selected))

    def delete_object(self, object_id: int, frames: range | None = None) -> None:
        """An object's pixels and marks; over the whole video the object too. KeyError: unknown id."""
        if self._may_edit():
            self._leave()
            self.steps.plan(object_plans.delete_plan(self, object_id, self._range(frames)))

    def merge_objects(self, source: int, target: int, frames: range | None = None) -> None:
        """One object's pixels go to another; over the whole video the first object goes. KeyError: unknown id."""
        if self._may_edit():
            self._leave()
            self.steps.plan(object_plans.merge_plan(self, source, target, self._range(frames)))

    def swap_objects(self, first: int, second: int, frames: range | None = None) -> None:
        """Two objects trade their pixels and marks. KeyError: unknown id."""
        if self._may_edit():
            self._leave()
            self.steps.plan(object_plans.swap_plan(self, first, second, self._range(frames)))

    def split_object(self, object_id: int, frames: range | None = None, outline: Polygon | None = None) -> None:
        """Parts of an object become a new object: on this frame, and the same parts on the other frames of the range.

        Args:
            frames: must hold the frame shown.
            outline: what is inside; None for all connected parts but the largest.

        Raises:
            AppError: there is nothing to split on this frame, or no id is left.
        """
        whole = self._range(frames)
        if self.frame not in whole:
            raise ValueError(f"frame {self.frame} is not in {whole}")
        if not self._may_edit():
            return
        self._leave()
        old = self.objects.get(object_id)
        region = self.masks.get(self.frame) == object_id
        part = loose_parts(old.name, region) if outline is None else enclosed_part(old.name, region, outline.points)
        new = replace(self.objects.new(), category=old.category)
        self.steps.plan(object_plans.split_plan(self, new, Splitter(object_id, self.frame, region, part), whole))

    def set_marks(self, kind: MarkKind, object_ids: Collection[int], frames: Collection[int], *, on: bool) -> None:
        """Give or take a mark. A step, unless nothing changes."""
        if self._may_edit():
            self._leave()
            self.steps.plan(edits.marks_plan(self, kind, object_ids, frames, on=on))

    def accept_suggestion(self, suggestion: Suggestion) -> bool:
        """A suggestion on the current frame becomes an object with a key frame here, selected; whether it did.

        Raises:
            AppError: other objects have all its pixels by now, or no id is left.
        """
        if not self._may_edit():
            return False
        self._leave()
        free = suggestion.region & (self.masks.get(self.frame) == 0)
        if not free.any():
            raise AppError("Other objects have all pixels of this suggestion by now.", "Drop it.")
        item = self.objects.new(suggestion.name or None)
        self._record(acceptance(self, self.frame, item, free))
        return item.object_id in self.objects

    def clean_object(self, object_id: int, cleaning: Cleaning, frames: range | None = None) -> None:
        """Fill holes, remove islands, smooth outlines. KeyError: unknown id."""
        if self._may_edit():
            self._leave()
            self.steps.plan(object_plans.cleaning_plan(self, object_id, cleaning, self._range(frames)))

    def mark_absent(self, object_id: int) -> None:
        """An object is absent from this frame up to its next key frame, or to the out mark. KeyError: unknown id."""
        if self._may_edit():
            self._leave()
            ahead = (frame for frame, ids in self.key_frames.items() if object_id in ids and frame > self.frame)
            stop = min(ahead, default=len(self.frames))
            if self.frame in self.in_out.frames:
                stop = min(stop, self.in_out.frames.stop)
            self.steps.plan(object_plans.absence_plan(self, object_id, range(self.frame, stop)))

    def clear_frame(self) -> None:
        """Empty the current frame: its objects count as absent here. On an empty frame: forget its key marks."""
        if self._may_edit():
            self._leave()
            step = edits.clear_frame(self, self.frame)
            if step is None:
                self.message.emit(f"Frame {self.frame} has no mask to clear.")
            self._record(step)

    def import_masks(self, masks: Mapping[int, IndexMask], names: Mapping[int, str] | None = None) -> None:
        """Lay masks over whole frames as one step; new ids become objects, the frames key frames.

        Args:
            masks: asked for one by one, perhaps from another thread.
            names: of new objects, by id.

        Raises:
            ValueError: a mask of another size than the frames, or a frame outside the video.
        """
        if self._may_edit() and masks:
            self._leave()
            self.steps.plan(object_plans.import_plan(self, masks, names or {}))

    def merge_work(self, other: OtherWork, mapping: Mapping[int, int], frames: range) -> MergeReport | None:
        """Take over somebody else's work on a range, around what is protected here. None while locked.

        Args:
            mapping: value in the other masks -> object id; new ids become objects.

        Returns:
            what came of it, complete when the step has been worked out.
        """
        if not mapping or not self._may_edit():
            return None
        self._leave()
        plan, report = merge_plan(self, other, mapping, self._range(frames))
        self.steps.plan(plan)
        return report

    def _alter(self, item: SceneObject, what: str) -> None:
        if self._may_edit():
            self._record(edits.alter_object(self, item, what))

    def _range(self, frames: range | None) -> range:
        """Raises ValueError for a range that is empty or not within the video."""
        whole = range(len(self.frames))
        if frames is None:
            return whole
        if frames.step != 1 or not frames or frames.start < 0 or frames.stop > whole.stop:
            raise ValueError(f"{frames} is no range of frames of {whole}")
        return frames
