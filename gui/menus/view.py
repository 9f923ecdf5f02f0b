"""Rows of the table of actions. What the canvas shows."""
from __future__ import annotations

from gui.action_spec import ActionSpec


def _mode(name: str, text: str, key: str, tooltip: str, *, icon: str = "", separator: bool = False) -> ActionSpec:
    return ActionSpec(f"view.mode_{name}", text, (key,), tooltip, "View", icon=icon, group="view_mode",
                      is_checkable=True, is_checked=name == "overlay", separator=separator)


ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("view.fit", "Fit to window", ("Ctrl+0",), "Show the whole frame", "View", icon="fit",
               needs=("video",)),
    ActionSpec("view.actual_size", "Actual size", ("Ctrl+1",), "One pixel of the video on one pixel of the screen",
               "View", icon="actual-size", needs=("video",)),
    ActionSpec("view.zoom_in", "Zoom in", ("Ctrl++", "Ctrl+="), "Zoom in; the mouse wheel does it at the pointer",
               "View", needs=("video",)),
    ActionSpec("view.zoom_out", "Zoom out", ("Ctrl+-",), "Zoom out; the mouse wheel does it at the pointer", "View",
               needs=("video",)),
    ActionSpec("view.minimap", "Minimap", ("Shift+M",), "While zoomed in, show the whole frame in a corner", "View",
               is_checkable=True, is_checked=True),
    _mode("overlay", "Masks over the frame", "F5", "Show the masks as colours over the frame", icon="eye",
          separator=True),
    _mode("contour", "Contours only", "F6", "Show the frame with a line around every object"),
    _mode("mask", "Masks only", "F7", "Show the masks alone, on black"),
    _mode("cutout", "Cut-out", "F8", "Show what is inside the masks, on plain ground"),
    _mode("side", "Side by side", "F9", "Show the frame without masks beside the one with them"),
    ActionSpec("view.next_mode", "Next way of showing", ("W",), "Go through the ways of showing masks, one by one",
               "View"),
    ActionSpec("view.contour", "Contours", ("K",), "Draw a line around every object", "View", is_checkable=True,
               is_checked=True, separator=True),
    ActionSpec("view.before", "Version before", ("T",),
               "While held, show this frame's mask as it was before its last change", "View", needs=("video",)),
    ActionSpec("view.brighter", "Brighter", ("Alt+PgUp",), "Show the picture brighter; masks and exports do not change",
               "View", needs=("video",), separator=True),
    ActionSpec("view.darker", "Darker", ("Alt+PgDown",), "Show the picture darker; masks and exports do not change",
               "View", needs=("video",)),
    ActionSpec("view.more_contrast", "More contrast", ("Alt+]",),
               "Show the picture with more contrast; masks and exports do not change", "View", needs=("video",)),
    ActionSpec("view.less_contrast", "Less contrast", ("Alt+[",),
               "Show the picture with less contrast; masks and exports do not change", "View", needs=("video",)),
    ActionSpec("view.reset_levels", "Reset brightness and contrast", ("Alt+0",), "Show the picture as it is", "View",
               needs=("video",)),
)
