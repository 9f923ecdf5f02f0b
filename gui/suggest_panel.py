"""The list of suggested objects: accept, rename or drop each of them. GUI thread."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt5.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QFontMetrics, QIcon, QKeyEvent, QPixmap
from PyQt5.QtWidgets import QAbstractItemView, QGridLayout, QListWidget, QListWidgetItem, QPushButton, QWidget

from gui.widgets import heading, muted, panel_layout, step_of

VISIBLE_ROWS = 6
_NUMBER = Qt.UserRole


@dataclass(frozen=True)
class SuggestionRow:
    """What a row shows. `score` 0..1; `color` of its outline, RGB."""

    number: int
    name: str
    score: float
    color: tuple[int, int, int]


class _View(QListWidget):
    """Enter accepts, Delete drops; F2 and a double click rename. Other keys are the window's."""

    accepted = pyqtSignal()
    dropped = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if self.state() == QAbstractItemView.EditingState:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter):
            self.accepted.emit()
        elif event.key() in (Qt.Key_Delete, Qt.Key_Backspace):
            self.dropped.emit()
        elif event.key() in (Qt.Key_Up, Qt.Key_Down, Qt.Key_F2):
            super().keyPressEvent(event)
        else:
            event.ignore()


class SuggestPanel(QWidget):
    """Hidden without suggestions.

    Signals: `selected(number)`, `renamed(number, name)`, `accepted(number)`, `dropped(number)`, `all_accepted()`,
    `all_dropped()`.
    """

    selected = pyqtSignal(int)
    renamed = pyqtSignal(int, str)
    accepted = pyqtSignal(int)
    dropped = pyqtSignal(int)
    all_accepted = pyqtSignal()
    all_dropped = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("suggestions")
        self.view = _View()
        self.view.setObjectName("suggestion_list")
        self.view.setEditTriggers(QAbstractItemView.DoubleClicked | QAbstractItemView.EditKeyPressed)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.accept_button = _button("Accept", "Make it an object with a key frame on this frame (Enter)")
        self.drop_button = _button("Drop", "Take it off the list (Delete)")
        self.accept_all_button = _button("Accept all", "Make all of them objects")
        self.drop_all_button = _button("Drop all", "Close the list")
        self._place = muted()
        layout = panel_layout(self)
        layout.addWidget(heading("Suggestions"))
        layout.addWidget(self._place)
        layout.addWidget(self.view)
        grid = QGridLayout()
        grid.setSpacing(2 * step_of(self))
        buttons = (self.accept_button, self.drop_button, self.accept_all_button, self.drop_all_button)
        for place, button in enumerate(buttons):
            grid.addWidget(button, place // 2, place % 2)
        layout.addLayout(grid)
        self._connect()
        self.hide()

    def _connect(self) -> None:
        self.view.currentItemChanged.connect(lambda now, before: self._tell(self.selected))
        self.view.itemChanged.connect(lambda item: self.renamed.emit(item.data(_NUMBER), item.text()))
        self.view.accepted.connect(lambda: self._tell(self.accepted))
        self.view.dropped.connect(lambda: self._tell(self.dropped))
        self.accept_button.clicked.connect(lambda: self._tell(self.accepted))
        self.drop_button.clicked.connect(lambda: self._tell(self.dropped))
        self.accept_all_button.clicked.connect(lambda: self.all_accepted.emit())
        self.drop_all_button.clicked.connect(lambda: self.all_dropped.emit())

    def _tell(self, signal: pyqtSignal) -> None:
        item = self.view.currentItem()
        if item is not None:
            signal.emit(item.data(_NUMBER))

    def set_rows(self, rows: Sequence[SuggestionRow], selected: int | None, place: str) -> None:
        """Show these, with `selected` (a number) marked; hidden without any. Args: place: where they are."""
        with QSignalBlocker(self.view):
            items = [self.view.item(i) for i in range(self.view.count())]
            # An item that is being renamed must outlive the editor on it.
            if [item.data(_NUMBER) for item in items] != [row.number for row in rows]:
                items = self._make_items(rows)
            for item, row in zip(items, rows, strict=True):
                item.setText(row.name)
                item.setIcon(_swatch(row.color, self.view.iconSize()))
                if row.number == selected:
                    self.view.setCurrentItem(item)
        self._place.setText(place)
        row_height = QFontMetrics(self.view.font()).height() + 2 * step_of(self) + 2
        self.view.setFixedHeight(row_height * min(len(rows), VISIBLE_ROWS) + 2)
        self.setVisible(bool(rows))

    def _make_items(self, rows: Sequence[SuggestionRow]) -> list[QListWidgetItem]:
        self.view.clear()
        side = 3 * step_of(self)
        self.view.setIconSize(QSize(side, side))
        for row in rows:
            item = QListWidgetItem(row.name, self.view)
            item.setData(_NUMBER, row.number)
            item.setFlags(item.flags() | Qt.ItemIsEditable)
            item.setToolTip(f"The network is {row.score:.0%} sure of its pixels. F2 or a double click renames it.")
        return [self.view.item(i) for i in range(self.view.count())]

    def set_editable(self, is_editable: bool) -> None:
        """Whether something may be accepted now."""
        self.accept_button.setEnabled(is_editable)
        self.accept_all_button.setEnabled(is_editable)


def _swatch(color: tuple[int, int, int], size: QSize) -> QIcon:
    picture = QPixmap(size)
    picture.fill(QColor(*color))
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Selected)  # otherwise Qt tints it
    return icon


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setFocusPolicy(Qt.NoFocus)
    return button
