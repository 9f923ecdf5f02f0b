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
    ActionSpec("object.set_class", "Class of object", ("Shift+F2",), "Say what kind of thing the selected object is",
               "Objects", needs=("video", "object")),
    ActionSpec("object.set_color", "Colour of object…", ("Ctrl+K",),
               "Give the selected object another colour, here and in exported files", "Objects",
               needs=("video", "editable", "object")),
    ActionSpec("object.toggle_visible", "Show or hide object", ("V",),
               "Show or hide the selected object; its mask stays as it is", "Objects", needs=("video", "object"),
               separator=True),
    ActionSpec("object.solo", "Show object alone", ("Shift+V",),
               "Show the selected object alone, or all again", "Objects", icon="solo", needs=("video", "object")),
    ActionSpec("object.lock", "Lock or unlock object", ("Ctrl+Shift+L",),
               "Protect the selected object on every frame: nothing changes it unasked", "Objects", icon="lock",
               needs=("video", "editable", "object")),
    ActionSpec("frame.lock", "Lock or unlock on this frame", ("Shift+L",),
               "Protect the selected object on this frame: nothing changes it unasked", "Objects",
               needs=("video", "editable", "object")),
    ActionSpec("frame.verify", "Verified on this frame", ("Y",),
               "Note that the selected object is right on this frame, or take it back; it is protected then", "Objects",
               icon="verified", needs=("video", "editable", "object")),
    ActionSpec("frame.verify_all", "All verified on this frame", ("Shift+Y",),
               "Note that every object is right on this frame, or take it back", "Objects",
               needs=("video", "editable", "object")),
    ActionSpec("object.move_up", "Move object up", ("Ctrl+Up",),
               "Put the selected object before the one above it: it wins the pixels that both claim", "Objects",
               needs=("video", "editable", "object"), separator=True),
    ActionSpec("object.move_down", "Move object down", ("Ctrl+Down",),
               "Put the selected object behind the one below it", "Objects", needs=("video", "editable", "object")),
    ActionSpec("object.merge", "Merge with another…", ("Ctrl+J",),
               "Give the selected object's pixels to another object, on the whole video or some frames", "Objects",
               icon="merge", needs=("video", "editable", "object"), separator=True),
    ActionSpec("object.swap", "Swap with another…", ("Ctrl+T",),
               "Let two objects trade their pixels, for example from the frame on where they were mixed up", "Objects",
               icon="swap", needs=("video", "editable", "object")),
    ActionSpec("object.split", "Split off loose parts…", ("Ctrl+D",),
               "Make all connected parts of the selected object but the largest a new object", "Objects",
               icon="split", needs=("video", "editable", "object")),
    ActionSpec("object.split_drawn", "Split by an outline…", ("Ctrl+Shift+D",),
               "Draw around the part of the selected object that becomes a new object", "Objects",
               needs=("video", "editable", "object")),
    ActionSpec("object.delete_range", "Delete on some frames…", ("Ctrl+Shift+Delete",),
               "Remove the selected object's mask and marks from some frames", "Objects",
               needs=("video", "editable", "object")),
    ActionSpec("object.go_to", "Go to object…", ("G",),
               "Select an object by its number, name or class; keys 1 to 9 select the first ones", "Objects",
               needs=("video", "object"), separator=True),
    ActionSpec("object.pick", "Select object at the pointer", ("Q",),
               "Work on the object under the pointer; Ctrl and a click do it too", "Objects", needs=("video",)),
    ActionSpec("object.previous", "Select previous object", ("Up",), "Work on the object above in the list", "Objects",
               needs=("video",)),
    ActionSpec("object.next", "Select next object", ("Down",), "Work on the object below in the list", "Objects",
               needs=("video",)),
    *(_select_object(number) for number in range(1, NUM_SELECT_KEYS + 1)),
)
