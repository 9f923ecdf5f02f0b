"""Hold a tool's key to use the tool, let go to have the one before back; a short press keeps it. GUI thread."""
from __future__ import annotations

import time
from collections.abc import Callable

from PyQt5.QtGui import QKeySequence

from gui.actions import ActionSet

HOLD_SECONDS = 0.35
"""A key held longer than this was meant for holding."""


class HeldTool:
    """Hears of keys and tools; calls `set_tool` with the name of the tool to go back to."""

    def __init__(self, actions: ActionSet, set_tool: Callable[[str], None]) -> None:
        self._actions = actions
        self._set_tool = set_tool
        self._down: dict[int, float] = {}
        self._held: tuple[int, str] | None = None

    def key_pressed(self, key: int) -> None:
        """A key without modifiers went down, before it acts as a shortcut."""
        self._down.setdefault(key, time.monotonic())

    def key_released(self, key: int) -> None:
        since = self._down.pop(key, None)
        if self._held is None or self._held[0] != key:
            return
        before, self._held = self._held[1], None
        if since is not None and time.monotonic() - since >= HOLD_SECONDS:
            self._set_tool(before)

    def forget(self) -> None:
        """The keyboard went elsewhere: what is let go there is not heard of."""
        self._down.clear()
        self._held = None

    def chosen(self, name: str, before: str) -> None:
        """The user chose a tool, by its key, its button or the menu."""
        key = QKeySequence(self._actions[f"tool.{name}"].shortcut())[0]
        if name == before:
            return
        self._held = (key, before) if key in self._down else None
