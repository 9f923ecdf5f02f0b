"""Editing that no pointer does: the object list, whole frames, imports."""
from __future__ import annotations

from collections.abc import Mapping

from interact import edits
from interact.session_base import SessionBase
from util.types import IndexMask


class ObjectEditing(SessionBase):
    """One undoable step per call."""

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

    def delete_object(self, object_id: int) -> None:
        """Remove an object, its pixels on every frame and its key marks, as one step. KeyError: unknown id."""
        if self._may_edit():
            self._leave()
            self._record(edits.delete_object(self, object_id))

    def rename_object(self, object_id: int, name: str) -> None:
        """Raises KeyError for an unknown id."""
        if self._may_edit():
            self._record(edits.rename_object(self, object_id, name))

    def clear_frame(self) -> None:
        """Empty the current frame: its objects count as absent here. On an empty frame: forget its key marks."""
        if self._may_edit():
            self._leave()
            step = edits.clear_frame(self, self.frame)
            if step is None:
                self.message.emit(f"Frame {self.frame} has no mask to clear.")
            self._record(step)

    def import_masks(self, masks: Mapping[int, IndexMask]) -> None:
        """Lay masks over whole frames as one step; new ids become objects, the frames key frames.

        Raises:
            ValueError: a mask of another size than the frames, or a frame outside the video.
        """
        if self._may_edit():
            self._leave()
            self._record(edits.import_masks(self, masks))
