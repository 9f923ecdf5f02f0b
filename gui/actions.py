"""Everything the user can command, as one table: menus, buttons, tooltips and the help text are made from it.

An action's id is its QAction's objectName. What an action needs to be possible (`needs`) is part of the table, so
that one call, `ActionSet.update`, greys out and revives all of them.
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QActionGroup, QWidget

from gui.icons import icon

Need = Literal["video", "editable", "object", "propagating", "exporting", "undo", "redo", "region"]
"""What the window can be ready for: a video is open; masks may be changed (no propagation runs); an object is
selected; a propagation runs; files are being written; there is a step to undo; one to redo; a local region is set."""

MENUS = ("File", "Edit", "View", "Objects", "Tools", "Play", "Propagate", "Help")

NUM_SELECT_KEYS = 9
TOOLS = ("click", "scribble", "brush", "eraser", "polygon", "region")


@dataclass(frozen=True)
class ActionSpec:
    """One row.

    Args:
        action_id: `noun.verb`.
        text: as the menu shows it.
        shortcuts: key sequences; the first one is shown. Empty for an action that is only in the menu.
        tooltip: a sentence for the tooltip, without the shortcut (that is added).
        menu: one of `MENUS`.
        icon: name for `gui.icons.icon`; empty for none.
        group: actions of one group are checkable and exclude each other.
        is_checkable: on/off.
        is_checked: at the start.
        needs: all of these must hold, else the action is grey.
        separator: a line before it in the menu.
        in_menu: False for actions that only have a key.
    """

    action_id: str
    text: str
    shortcuts: tuple[str, ...]
    tooltip: str
    menu: str
    icon: str = ""
    group: str = ""
    is_checkable: bool = False
    is_checked: bool = False
    needs: tuple[Need, ...] = ()
    separator: bool = False
    in_menu: bool = True


def _select_object(number: int) -> ActionSpec:
    return ActionSpec(
        f"object.select_{number}", f"Select object {number}", (str(number),), f"Work on object {number}", "Objects",
        needs=("video",), in_menu=False,
    )


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("file.open_video", "Open video…", ("Ctrl+O",), "Open a video file", "File", icon="open-video"),
    ActionSpec("file.open_folder", "Open folder of images…", ("Ctrl+Shift+O",),
               "Open a folder of images as a video", "File", icon="open-folder"),
    ActionSpec("file.open_recent", "Open recent", (), "Videos and folders opened lately", "File"),
    ActionSpec("file.open_example", "Open the example", (), "Open the example video that comes with the program",
               "File"),
    ActionSpec("file.import_masks", "Import masks…", ("Ctrl+I",),
               "Take masks from a folder of PNG files named like their frames; these frames become key frames",
               "File", needs=("video", "editable"), separator=True),
    ActionSpec("file.export_masks", "Export masks…", ("Ctrl+E",),
               "Write one PNG mask per frame into a folder of your choice", "File", icon="export",
               needs=("video", "editable")),
    ActionSpec("file.export_overlay", "Export overlay video…", ("Ctrl+Shift+E",),
               "Write the video with its masks drawn over it", "File", icon="export", needs=("video", "editable")),
    ActionSpec("file.cancel_export", "Cancel export", (), "Stop the export; nothing half-written is left", "File",
               needs=("exporting",)),
    ActionSpec("file.quit", "Quit", ("Ctrl+Q",), "Save and close the window", "File", separator=True),

    ActionSpec("edit.undo", "Undo", ("Ctrl+Z",), "Take back the last step", "Edit", icon="undo",
               needs=("video", "editable", "undo")),
    ActionSpec("edit.redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do the step again that was taken back", "Edit",
               icon="redo", needs=("video", "editable", "redo")),
    ActionSpec("edit.clear_frame", "Clear this frame", ("Ctrl+Backspace",),
               "Remove every mask and key mark from this frame", "Edit", needs=("video", "editable"),
               separator=True),

    ActionSpec("view.fit", "Fit to window", ("Ctrl+0",), "Show the whole frame", "View", icon="fit",
               needs=("video",)),
    ActionSpec("view.actual_size", "Actual size", ("Ctrl+1",), "One pixel of the video on one pixel of the screen",
               "View", icon="actual-size", needs=("video",)),
    ActionSpec("view.zoom_in", "Zoom in", ("Ctrl++", "Ctrl+="), "Zoom in; the mouse wheel does it at the pointer",
               "View", needs=("video",)),
    ActionSpec("view.zoom_out", "Zoom out", ("Ctrl+-",), "Zoom out; the mouse wheel does it at the pointer", "View",
               needs=("video",)),
    ActionSpec("view.contour", "Contours", ("K",), "Draw a line around every object", "View", is_checkable=True,
               is_checked=True, separator=True),

    ActionSpec("object.add", "Add object", ("N",), "Add an object and select it", "Objects", icon="add",
               needs=("video", "editable")),
    ActionSpec("object.delete", "Delete object", ("Ctrl+Delete",),
               "Delete the selected object and its mask on every frame; can be undone", "Objects", icon="delete",
               needs=("video", "editable", "object")),
    ActionSpec("object.rename", "Rename object", ("F2",), "Give the selected object another name", "Objects",
               needs=("video", "object")),
    ActionSpec("object.toggle_visible", "Show or hide object", ("V",),
               "Show or hide the selected object; its mask stays as it is", "Objects", needs=("video", "object")),
    ActionSpec("object.previous", "Select previous object", ("Up",), "Work on the object above in the list", "Objects",
               needs=("video",), separator=True),
    ActionSpec("object.next", "Select next object", ("Down",), "Work on the object below in the list", "Objects",
               needs=("video",)),
    *(_select_object(number) for number in range(1, NUM_SELECT_KEYS + 1)),

    ActionSpec("tool.click", "Click", ("C",), "Click: left adds to the object, right removes from it", "Tools",
               icon="click", group="tool", is_checkable=True, is_checked=True),
    ActionSpec("tool.scribble", "Scribble", ("S",), "Scribble: left over the object, right over what is not",
               "Tools", icon="scribble", group="tool", is_checkable=True),
    ActionSpec("tool.brush", "Brush", ("D",), "Brush: paint the object, the right button erases", "Tools",
               icon="brush", group="tool", is_checkable=True),
    ActionSpec("tool.eraser", "Eraser", ("E",), "Eraser: rub out the selected object", "Tools", icon="eraser",
               group="tool", is_checkable=True),
    ActionSpec("tool.polygon", "Polygon", ("L",), "Polygon: click the corners, double-click closes it", "Tools",
               icon="polygon", group="tool", is_checkable=True),
    ActionSpec("tool.region", "Local region", ("R",),
               "Local region: drag a rectangle, outside of which prompts and brushes change nothing", "Tools",
               icon="region", group="tool", is_checkable=True),
    ActionSpec("region.leave", "Leave the local region", ("Shift+R",),
               "Let prompts and brushes change the whole frame again; Esc does it too", "Tools",
               needs=("video", "region")),
    ActionSpec("tool.smaller", "Smaller brush", ("[",), "Make brush, eraser and scribble thinner", "Tools",
               separator=True),
    ActionSpec("tool.larger", "Larger brush", ("]",), "Make brush, eraser and scribble thicker", "Tools"),
    ActionSpec("tool.model", "Choose the model…", ("M",),
               "Choose what answers clicks or scribbles; the list is in the tool panel", "Tools", separator=True),
    ActionSpec("weights.show", "Networks and weights…", ("Ctrl+Shift+N",),
               "See which networks' weights are here, and fetch those that are missing", "Tools"),

    ActionSpec("play.toggle", "Play or pause", ("Space",), "Play or pause the video", "Play", icon="play",
               needs=("video",)),
    ActionSpec("frame.previous", "Previous frame", ("Left",), "One frame back", "Play", icon="previous",
               needs=("video",), separator=True),
    ActionSpec("frame.next", "Next frame", ("Right",), "One frame on", "Play", icon="next", needs=("video",)),
    ActionSpec("frame.previous_10", "10 frames back", ("Shift+Left",), "Ten frames back", "Play",
               needs=("video",)),
    ActionSpec("frame.next_10", "10 frames on", ("Shift+Right",), "Ten frames on", "Play", 
               needs=("video",)),
    ActionSpec("frame.first", "First frame", ("Home",), "To the first frame", "Play", icon="first",
               needs=("video",)),
    ActionSpec("frame.last", "Last frame", ("End",), "To the last frame", "Play", icon="last", needs=("video",)),
    ActionSpec("frame.previous_key", "Previous key frame", ("Ctrl+Left",), "Back to the frame you marked before",
               "Play", needs=("video",), separator=True),
    ActionSpec("frame.next_key", "Next key frame", ("Ctrl+Right",), "On to the frame you marked next", "Play",
               needs=("video",)),

    ActionSpec("propagate.backward", "Backward", ("B",),
               "Carry the objects marked on this frame to the frames before it", "Propagate", icon="backward",
               needs=("video", "editable")),
    ActionSpec("propagate.both", "Both", ("P",), "Carry the objects marked on this frame to all frames",
               "Propagate", icon="both", needs=("video", "editable")),
    ActionSpec("propagate.forward", "Forward", ("F",),
               "Carry the objects marked on this frame to the frames after it", "Propagate", icon="forward",
               needs=("video", "editable")),
    ActionSpec("propagate.cancel", "Cancel", ("Esc",),
               "Stop the propagation after the frame in hand; frames already done are kept", "Propagate",
               icon="cancel", needs=("propagating",), separator=True),
    ActionSpec("propagate.follow", "Follow the propagation", ("Ctrl+F",),
               "Show each frame as it is done; moving to a frame yourself stops it for this run", "Propagate",
               is_checkable=True, is_checked=True),

    ActionSpec("help.about", "Keys and about", ("F1",), "All keys, the version and where the masks are kept", "Help"),
)


def tooltip_text(spec: ActionSpec) -> str:
    """The sentence of the tooltip with all shortcuts."""
    keys = ", ".join(QKeySequence(keys).toString(QKeySequence.NativeText) for keys in spec.shortcuts)
    return f"{spec.tooltip} ({keys})" if keys else spec.tooltip


class ActionSet:
    """The QActions of a window, one per row of `ACTIONS`, made as the window's children."""

    def __init__(self, window: QWidget) -> None:
        self.specs = {spec.action_id: spec for spec in ACTIONS}
        self._actions: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        for spec in ACTIONS:
            self._actions[spec.action_id] = self._make(spec, window)

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._actions)

    def connect(self, action_id: str, slot: Callable[[], object]) -> None:
        """Call `slot` without arguments when the action is triggered."""
        self._actions[action_id].triggered.connect(lambda checked=False: slot())

    def update(self, ready: Collection[Need]) -> None:
        """Enable exactly the actions whose needs are all in `ready`."""
        for spec in ACTIONS:
            self._actions[spec.action_id].setEnabled(all(need in ready for need in spec.needs))

    def set_text(self, action_id: str, text: str | None = None, tooltip: str | None = None) -> None:
        """Another text or tooltip sentence (None: the table's), for actions that say what they would do now."""
        spec = self.specs[action_id]
        action = self._actions[action_id]
        action.setText(text or spec.text)
        keys = tooltip_text(spec)[len(spec.tooltip):]
        action.setToolTip((tooltip or spec.tooltip) + keys)

    def _make(self, spec: ActionSpec, window: QWidget) -> QAction:
        action = QAction(spec.text, window)
        action.setObjectName(spec.action_id)
        action.setToolTip(tooltip_text(spec))
        action.setStatusTip("")
        action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
        if spec.icon:
            action.setIcon(icon(spec.icon))
            # Icons are for the buttons; a menu column of them would only repeat the words.
            action.setIconVisibleInMenu(False)
        action.setCheckable(spec.is_checkable)
        action.setChecked(spec.is_checked)
        if spec.group:
            if spec.group not in self._groups:
                self._groups[spec.group] = QActionGroup(window)
            self._groups[spec.group].addAction(action)
        window.addAction(action)
        return action
