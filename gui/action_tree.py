"""All actions by menu with their keys, to be searched: what cheat sheet and preferences list. GUI thread."""
from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QBrush, QColor, QKeySequence
from PyQt5.QtWidgets import QTreeWidget, QTreeWidgetItem, QWidget

from gui import theme
from gui.action_spec import MENUS
from gui.actions import ACTIONS, ActionSet
from gui.widgets import step_of

_ID = Qt.UserRole
COLUMNS = ("Action", "Keys", "What it does")


def shown_keys(keys: Sequence[str]) -> str:
    """As this desktop writes them."""
    return ", ".join(QKeySequence(key).toString(QKeySequence.NativeText) for key in keys)


class ActionTree(QTreeWidget):
    """One heading per menu. `more` adds rows that are no actions: heading -> (what, keys, explanation)."""

    def __init__(
        self, actions: ActionSet, more: dict[str, Sequence[tuple[str, str, str]]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._rows: list[QTreeWidgetItem] = []
        self.setHeaderLabels(COLUMNS)
        self.setIndentation(3 * step_of(self))
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(False)
        for menu in MENUS:
            specs = [spec for spec in ACTIONS if spec.menu == menu]
            self._add_group(menu, [(spec.text.rstrip("…"), spec.action_id, spec.tooltip) for spec in specs])
        for name, rows in (more or {}).items():
            group = self._heading(name)
            for cells in rows:
                self._rows.append(QTreeWidgetItem(group, list(cells)))
        self.refresh()
        self.expandAll()
        for column in range(2):
            self.resizeColumnToContents(column)

    def _heading(self, name: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem(self, [name])
        group.setFlags(Qt.ItemIsEnabled)
        font = self.font()
        font.setBold(True)
        group.setFont(0, font)
        return group

    def _add_group(self, name: str, rows: Sequence[tuple[str, str, str]]) -> None:
        group = self._heading(name)
        for text, action_id, tooltip in rows:
            item = QTreeWidgetItem(group, [text, "", tooltip])
            item.setData(0, _ID, action_id)
            item.setToolTip(2, tooltip)
            self._rows.append(item)

    def refresh(self) -> None:
        """Show the keys that are in use now; those of the user's own choice stand out."""
        for item in self._rows:
            action_id = item.data(0, _ID)
            if action_id is None:
                continue
            keys = self._actions.keys(action_id)
            is_own = keys != self._actions.specs[action_id].shortcuts
            item.setText(1, shown_keys(keys) or "—")
            item.setForeground(1, QBrush(QColor(theme.ACCENT_LIGHT if is_own else theme.TEXT)))
            item.setForeground(2, QBrush(QColor(theme.TEXT_MUTED)))

    @property
    def current_id(self) -> str | None:
        """The action that is selected."""
        item = self.currentItem()
        return None if item is None else item.data(0, _ID)

    def select(self, action_id: str) -> None:
        self.setCurrentItem(next(item for item in self._rows if item.data(0, _ID) == action_id))

    def filter(self, text: str) -> int:
        """Show only the rows that hold every word of `text` in some column; returns how many are left."""
        words = text.lower().split()
        left = 0
        for item in self._rows:
            row = " ".join(item.text(column) for column in range(3)).lower()
            is_hit = all(word in row for word in words)
            item.setHidden(not is_hit)
            left += is_hit
        for index in range(self.topLevelItemCount()):
            group = self.topLevelItem(index)
            if group is not None:
                group.setHidden(all(group.child(row).isHidden() for row in range(group.childCount())))
        return left

    def shown(self) -> list[str]:
        """The texts of the rows that are not filtered out."""
        return [item.text(0) for item in self._rows if not item.isHidden()]
