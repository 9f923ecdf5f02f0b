"""Rows of the table of actions. Undo, redo and clearing."""
from __future__ import annotations

from gui.action_spec import ActionSpec

ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("edit.undo", "Undo", ("Ctrl+Z",), "Take back the last step", "Edit", icon="undo",
               needs=("video", "editable", "undo")),
    ActionSpec("edit.redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do the step again that was taken back", "Edit",
               icon="redo", needs=("video", "editable", "redo")),
    ActionSpec("edit.clear_frame", "Clear this frame", ("Ctrl+Backspace",),
               "Remove every mask and key mark from this frame", "Edit", needs=("video", "editable"),
               separator=True),
)
