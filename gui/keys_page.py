"""The page of the preferences on which keys are given to actions and taken away. GUI thread."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QHBoxLayout, QKeySequenceEdit, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.action_tree import ActionTree, shown_keys
from gui.actions import ActionSet
from gui.icons import icon
from gui.key_map import KeyMap, normal
from gui.widgets import muted, step_of
from util.errors import AppError

HINT = "Select an action, then press a new key in the field below. An action may have several keys."


class KeysPage(QWidget):
    """The list of actions; below it the keys of the selected one, each to be removed, and a field for another one.

    A key that is another action's is named before anything happens, and can be taken over.
    """

    def __init__(self, actions: ActionSet, key_map: KeyMap) -> None:
        super().__init__()
        step = step_of(self)
        self._keys = key_map
        self.tree = ActionTree(actions)
        self.editor = QKeySequenceEdit()
        self.editor.setObjectName("key_editor")
        self.note = QLabel(HINT)
        self.note.setWordWrap(True)
        self.add_button = self._button("Add", "The selected action gets this key besides those it has")
        self.set_button = self._button("Use only this", "The selected action gets this key, and no other")
        self.take_button = self._button("Take it over", "The other action loses this key, the selected one gets it")
        self.clear_button = self._button("No key", "The selected action stays in its menu, without a key")
        self.reset_button = self._button("Reset", "The selected action gets its usual keys again")
        self.reset_all_button = self._button("Reset all", "Every action gets its usual keys again")
        self.chips: list[QToolButton] = []
        self._chip_row = QHBoxLayout()
        self._chip_row.setSpacing(step)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2 * step, 0, 0)
        layout.setSpacing(2 * step)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.note)
        layout.addLayout(self._chip_row)
        layout.addLayout(self._edit_row())
        self._connect()
        self._show_current()

    def _edit_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for part in (self.editor, self.add_button, self.set_button, self.take_button, self.clear_button,
                     self.reset_button):
            row.addWidget(part)
        row.addStretch(1)
        row.addWidget(self.reset_all_button)
        return row

    def _connect(self) -> None:
        self.tree.currentItemChanged.connect(lambda *items: self._show_current())
        self.editor.keySequenceChanged.connect(lambda keys: self._show_owner())
        self.add_button.clicked.connect(lambda: self._change_to(lambda now, key: (*now, key)))
        self.set_button.clicked.connect(lambda: self._change_to(lambda now, key: (key,)))
        self.take_button.clicked.connect(self._take)
        self.clear_button.clicked.connect(lambda: self._act(lambda action_id: self._keys.set(action_id, ())))
        self.reset_button.clicked.connect(lambda: self._act(self._keys.reset))
        self.reset_all_button.clicked.connect(lambda: self._say(self._keys.reset_all))

    def _button(self, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.setAutoDefault(False)
        return button

    # -- what is shown

    def _show_current(self) -> None:
        """The selected action's keys, and an empty field."""
        action_id = self.tree.current_id
        parts = (self.editor, self.add_button, self.set_button, self.clear_button, self.reset_button)
        for part in parts:
            part.setEnabled(action_id is not None)
        self.editor.clear()
        self._show_chips(action_id)
        self._show_owner()

    def _show_chips(self, action_id: str | None) -> None:
        while self._chip_row.count():
            item = self._chip_row.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.chips = []
        keys = () if action_id is None else self._keys.keys(action_id)
        self._chip_row.addWidget(muted("Keys:" if keys else "This action has no key." if action_id else " "))
        for key in keys:
            chip = QToolButton()
            chip.setText(f"{shown_keys([key])} ")
            chip.setIcon(icon("cancel"))
            chip.setLayoutDirection(Qt.RightToLeft)  # the cross behind the key
            chip.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
            chip.setToolTip(f"Take {shown_keys([key])} away from this action")
            chip.clicked.connect(partial(self._remove, key))
            self._chip_row.addWidget(chip)
            self.chips.append(chip)
        self._chip_row.addStretch(1)

    @property
    def _typed(self) -> str:
        """The key in the field; empty for none. The field takes up to four one after another, a shortcut is one."""
        sequence = self.editor.keySequence()
        return "" if sequence.isEmpty() else QKeySequence(sequence[0]).toString(QKeySequence.PortableText)

    def _show_owner(self) -> None:
        """Say at once whose a key is."""
        owner = self._keys.owner(self._typed) if self._typed else None
        is_others = owner is not None and owner.action_id != self.tree.current_id
        self.take_button.setVisible(is_others)
        if owner is not None and is_others:
            self._note(f"{shown_keys([self._typed])} is “{owner.text.rstrip('…')}” already.", is_warning=True)
        elif self._typed:
            self._note("This key is free." if owner is None else "This action has this key.")
        else:
            self._note(HINT)

    def _note(self, text: str, *, is_warning: bool = False) -> None:
        self.note.setStyleSheet(f"color: {theme.WARNING};" if is_warning else "")
        self.note.setText(text)

    # -- what is done

    def _act(self, change: Callable[[str], None]) -> None:
        """To the selected action."""
        action_id = self.tree.current_id
        if action_id is not None:
            self._say(partial(change, action_id))

    def _change_to(self, new: Callable[[tuple[str, ...], str], tuple[str, ...]]) -> None:
        """Other keys for the selected action. Args: new: of those it has and the one in the field."""
        key, action_id = self._typed, self.tree.current_id
        if key and action_id is not None:
            now = tuple(other for other in self._keys.keys(action_id) if normal(other) != key)
            self._say(lambda: self._keys.set(action_id, new(now, key)))

    def _remove(self, key: str, checked: bool = False) -> None:
        def change(action_id: str) -> None:
            self._keys.set(action_id, tuple(other for other in self._keys.keys(action_id) if other != key))

        self._act(change)

    def _take(self) -> None:
        """The key in the field, from the action that has it."""
        key = self._typed
        self._act(lambda action_id: self._keys.take(action_id, key))

    def _say(self, change: Callable[[], object]) -> None:
        """Do it, and say what came of it."""
        try:
            change()
        except AppError as error:
            self._note(str(error), is_warning=True)
            return
        self.tree.refresh()
        self._show_current()
        self._note("Done.")
