"""Rows of the table of actions. What the canvas shows."""
from __future__ import annotations

from gui.action_spec import ActionSpec

ROWS: tuple[ActionSpec, ...] = (
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
)
