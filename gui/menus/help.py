"""Rows of the table of actions. Help."""
from __future__ import annotations

from gui.action_spec import ActionSpec

ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("help.keys", "Keys…", ("?",), "All keys on one page, to be searched", "Help", icon="help"),
    ActionSpec("help.tips", "First steps", ("Shift+F1",), "How to begin, in four sentences", "Help",
               needs=("video",)),
    ActionSpec("help.self_check", "Self-check…", ("Ctrl+F1",),
               "Whether this machine has what the program needs: Qt, device, weights, video formats, disk", "Help"),
    ActionSpec("help.about", "About", ("F1",), "The engine, where the masks are kept, licences", "Help",
               separator=True),
)
