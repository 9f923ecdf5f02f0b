"""Rows of the table of actions. Help."""
from __future__ import annotations

from gui.action_spec import ActionSpec

ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("help.about", "Keys and about", ("F1",), "All keys, the version and where the masks are kept", "Help"),
)
