"""A drop-down list in which some entries are grey, with the reason in their tooltip. GUI thread."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QStandardItem, QStandardItemModel
from PyQt5.QtWidgets import QComboBox, QSizePolicy, QWidget


class ChoiceBox(QComboBox):
    """Signals: `chosen(name)`, by the user; `about_to_open`, when the entries had better be true."""

    chosen = pyqtSignal(str)
    about_to_open = pyqtSignal()

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tooltip = tooltip
        self.setToolTip(tooltip)
        # The canvas keeps the keyboard; the list has it while it is open.
        self.setFocusPolicy(Qt.NoFocus)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))

    def set_entries(self, entries: Sequence[tuple[str, str, str]], missing: Mapping[str, str], current: str) -> None:
        """Replace the entries, without announcing anything.

        Args:
            entries: name, text and tooltip of each.
            missing: why the entries of these names cannot be chosen.
            current: the name of the chosen entry, which may be a missing one.
        """
        model = QStandardItemModel(self)
        for name, text, tooltip in entries:
            item = QStandardItem(text)
            item.setData(name, Qt.UserRole)
            item.setToolTip(missing.get(name, tooltip))
            item.setEnabled(name not in missing)
            model.appendRow(item)
        with QSignalBlocker(self):
            self.setModel(model)
            self.setCurrentIndex(next(i for i, (name, _, _) in enumerate(entries) if name == current))
        self.setToolTip("\n".join(part for part in (self._tooltip, missing.get(current, "")) if part))

    def showPopup(self) -> None:  # noqa: N802 - Qt's name
        self.about_to_open.emit()
        super().showPopup()
