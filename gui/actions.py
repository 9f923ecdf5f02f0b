"""Everything the user can command, as one table: menus, buttons, tooltips and the help text are made from it.

An action's id is its QAction's objectName. What an action needs to be possible (`needs`) is part of the table, so
that one call, `ActionSet.update`, greys out and revives all of them.
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QActionGroup, QWidget

from gui.action_spec import ActionSpec, Need, keys_text
from gui.icons import icon
from gui.menus import edit, file, help, objects, play, propagate, review, tools, view

ACTIONS: tuple[ActionSpec, ...] = (
    *file.ROWS, *edit.ROWS, *view.ROWS, *objects.ROWS, *tools.ROWS, *play.ROWS, *propagate.ROWS,
    *review.ROWS, *help.ROWS,
)  # fmt: skip


class ActionSet:
    """The QActions of a window, one per row of `ACTIONS`, made as the window's children."""

    def __init__(self, window: QWidget) -> None:
        self.specs = {spec.action_id: spec for spec in ACTIONS}
        self._actions: dict[str, QAction] = {}
        self._keys = {spec.action_id: spec.shortcuts for spec in ACTIONS}
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

    def keys(self, action_id: str) -> tuple[str, ...]:
        """The keys in use now, as the table writes them."""
        return self._keys[action_id]

    def set_keys(self, action_id: str, keys: tuple[str, ...]) -> None:
        """Other keys than the table's (`gui.key_map` sees to it that none means two things)."""
        before = keys_text(self._keys[action_id])
        self._keys[action_id] = keys
        action = self._actions[action_id]
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setToolTip(action.toolTip().removesuffix(before) + keys_text(keys))

    def trigger_key(self, key: str) -> None:
        """Do what a key says that did not come as a shortcut."""
        for action_id, keys in self._keys.items():
            if key in keys:
                self._actions[action_id].trigger()

    def set_text(self, action_id: str, text: str | None = None, tooltip: str | None = None) -> None:
        """Another text or tooltip sentence (None: the table's), for actions that say what they would do now."""
        spec = self.specs[action_id]
        action = self._actions[action_id]
        action.setText(text or spec.text)
        action.setToolTip((tooltip or spec.tooltip) + keys_text(self._keys[action_id]))

    def _make(self, spec: ActionSpec, window: QWidget) -> QAction:
        action = QAction(spec.text, window)
        action.setObjectName(spec.action_id)
        action.setToolTip(spec.tooltip + keys_text(spec.shortcuts))
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
