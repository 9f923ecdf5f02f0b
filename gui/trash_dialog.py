"""The list of deleted objects, to give one back. GUI thread."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QIcon
from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from gui.object_dialogs import swatch
from gui.widgets import muted, step_of
from interact.trash import TrashItem
from util.palette import object_color


def when(seconds: float, now: float) -> str:
    """`at 14:03`, `yesterday at 14:03` or `on 2026-11-21 at 14:03`."""
    day, hour = time.localtime(seconds), time.strftime("at %H:%M", time.localtime(seconds))
    if day[:3] == time.localtime(now)[:3]:
        return hour
    if day[:3] == time.localtime(now - 86400)[:3]:
        return f"yesterday {hour}"
    return time.strftime(f"on %Y-%m-%d {hour}", day)


class TrashDialog(QDialog):
    """Args: items: the latest first, at least one. quota: what the history may fill. restore: gets an object's id."""

    def __init__(
        self, parent: QWidget, items: Sequence[TrashItem], nbytes: int, quota: int, restore: Callable[[int], None]
    ) -> None:
        super().__init__(parent)
        self.setObjectName("trash")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Restore deleted object")
        step = step_of(self)
        self._restore = restore
        self.list = QListWidget()
        self.list.setObjectName("deleted")
        self.list.setIconSize(QSize(4 * step, 4 * step))
        for entry in items:
            item = entry.item
            kind = f" · {item.category}" if item.category else ""
            row = QListWidgetItem(f"{item.name}{kind} — deleted {when(entry.ref.time, time.time())}")
            row.setIcon(swatch(item.color or object_color(item.object_id), 4 * step))
            row.setData(Qt.UserRole, item.object_id)
            row.setSizeHint(QSize(0, 7 * step))
            self.list.addItem(row)
        self.list.setFixedHeight(min(max(self.list.count(), 3), 8) * 7 * step + 2 * self.list.frameWidth() + step)
        self.list.setCurrentRow(0)
        self.list.itemActivated.connect(lambda row: self._accept())
        note = muted(
            "It comes back on every frame where nothing has taken its place; what other objects cover now stays "
            f"theirs. Deleted objects are kept as long as the undo history has room: "
            f"{max(nbytes / 2**20, 0.1):.1f} MB of {quota / 2**30:.3g} GB are used, the oldest steps go first."
        )
        note.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.Cancel)
        buttons.button(QDialogButtonBox.Cancel).setIcon(QIcon())
        buttons.setStyleSheet("QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }")
        self.restore = buttons.addButton("Restore", QDialogButtonBox.AcceptRole)
        self.restore.setDefault(True)
        self.restore.clicked.connect(self._accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * step, 4 * step, 4 * step, 4 * step)
        layout.setSpacing(3 * step)
        for part in (self.list, note, buttons):
            layout.addWidget(part)
        self.setMinimumWidth(110 * step)

    def _accept(self) -> None:
        object_id = self.list.currentItem().data(Qt.UserRole)
        self.accept()
        self._restore(object_id)
