"""Rows of the table of actions. Undo, redo and clearing."""
from __future__ import annotations

from gui.action_spec import ActionSpec

ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("edit.undo", "Undo", ("Ctrl+Z",), "Take back the last step", "Edit", icon="undo",
               needs=("video", "editable", "undo")),
    ActionSpec("edit.redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do the step again that was taken back", "Edit",
               icon="redo", needs=("video", "editable", "redo")),
    ActionSpec("edit.copy_previous", "Copy from previous key frame", ("Ctrl+Shift+Left",),
               "Give the selected object the mask of its key frame before this one", "Edit",
               needs=("video", "editable", "object"), separator=True),
    ActionSpec("edit.copy_next", "Copy from next key frame", ("Ctrl+Shift+Right",),
               "Give the selected object the mask of its key frame after this one", "Edit",
               needs=("video", "editable", "object")),
    ActionSpec("edit.clear_frame", "Clear this frame", ("Ctrl+Backspace",),
               "Remove every mask and key mark from this frame", "Edit", needs=("video", "editable")),
    ActionSpec("edit.preferences", "Preferences…", ("Ctrl+,",), "Look, habits and every action's keys", "Edit",
               separator=True),
)
