"""Rows of the table of actions. Objects."""
from __future__ import annotations

from gui.action_spec import ActionSpec

NUM_SELECT_KEYS = 9


def _select_object(number: int) -> ActionSpec:
    return ActionSpec(
        f"object.select_{number}", f"Select object {number}", (str(number),), f"Work on object {number}", "Objects",
        needs=("video",), in_menu=False,
    )


ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("object.add", "Add object", ("N",), "Add an object and select it", "Objects", icon="add",
               needs=("video", "editable")),
    ActionSpec("object.suggest", "Suggest objects", ("Shift+N",),
               "Have a network suggest objects on this frame, to be accepted or dropped one by one", "Objects",
               needs=("video", "editable", "suggesting")),
    ActionSpec("object.delete", "Delete object", ("Ctrl+Delete",),
               "Delete the selected object and its mask on every frame; can be undone", "Objects", icon="delete",
               needs=("video", "editable", "object")),
    ActionSpec("object.rename", "Rename object", ("F2",), "Give the selected object another name", "Objects",
               needs=("video", "object")),
    ActionSpec("object.toggle_visible", "Show or hide object", ("V",),
               "Show or hide the selected object; its mask stays as it is", "Objects", needs=("video", "object")),
    ActionSpec("object.pick", "Select object at the pointer", ("Q",),
               "Work on the object under the pointer; Ctrl and a click do it too", "Objects", needs=("video",)),
    ActionSpec("object.previous", "Select previous object", ("Up",), "Work on the object above in the list", "Objects",
               needs=("video",), separator=True),
    ActionSpec("object.next", "Select next object", ("Down",), "Work on the object below in the list", "Objects",
               needs=("video",)),
    *(_select_object(number) for number in range(1, NUM_SELECT_KEYS + 1)),
)
