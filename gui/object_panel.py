"""The list of objects: colour, number, name, how much of the video it covers, shown or hidden. GUI thread.

Holds no state of its own but the rows it was given; everything the user does is announced by a signal.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PyQt5.QtCore import QAbstractListModel, QEvent, QModelIndex, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QAction,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from gui import theme
from gui.icons import icon
from gui.widgets import ActionButton, heading, panel_layout, step_of

VISIBLE_ROWS = 8


def format_share(share: float) -> str:
    """`64 %`; never 0 % for something and never 100 % for less than everything."""
    if 0 < share < 0.01:
        return "<1 %"
    return f"{math.floor(share * 100 + 1e-9)} %"


@dataclass(frozen=True)
class ObjectRow:
    """One line of the list.

    Args:
        coverage: share of the video's frames, 0..1, on which the object has a mask or is marked absent.
        is_key: the object is fixed by the user on the frame shown.
    """

    object_id: int
    name: str
    color: tuple[int, int, int]
    is_visible: bool = True
    coverage: float = 0.0
    is_key: bool = False


class ObjectModel(QAbstractListModel):
    """The rows for Qt's list view. `renamed(object id, name)` when the user has edited a name."""

    renamed = pyqtSignal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[ObjectRow, ...] = ()

    def set_rows(self, rows: Sequence[ObjectRow]) -> None:
        new = tuple(rows)
        if [row.object_id for row in new] == [row.object_id for row in self.rows]:
            changed = [place for place, row in enumerate(new) if row != self.rows[place]]
            self.rows = new
            for place in changed:
                self.dataChanged.emit(self.index(place), self.index(place))
            return
        self.beginResetModel()
        self.rows = new
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        return len(self.rows)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> str | None:
        row = self.rows[index.row()]
        if role == Qt.EditRole:
            return row.name
        if role in (Qt.DisplayRole, Qt.AccessibleTextRole):
            return f"{row.object_id} {row.name}"
        if role == Qt.ToolTipRole:
            key = f"Key {row.object_id} selects it. " if row.object_id < 10 else ""
            return f"{key}On {format_share(row.coverage)} of the frames. Double-click renames it, the eye hides it."
        return None

    def setData(self, index: QModelIndex, value: str, role: int = Qt.EditRole) -> bool:  # noqa: N802 - Qt's name
        row = self.rows[index.row()]
        name = str(value).strip()
        if role != Qt.EditRole or not name or name == row.name:
            return False
        self.renamed.emit(row.object_id, name)
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        return Qt.ItemIsEnabled | Qt.ItemIsSelectable | Qt.ItemIsEditable


class RowDelegate(QStyledItemDelegate):
    """Paints a row; a click on the eye is `eye_clicked(row)`."""

    eye_clicked = pyqtSignal(int)

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._step = step_of(view)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802 - Qt's name
        return QSize(0, QFontMetrics(option.font).height() + 2 * self._step + 2)

    def _eye(self, area: QRect) -> QRect:
        side = area.height()
        return QRect(area.right() - side - self._step, area.top(), side, side)

    def _name(self, area: QRect) -> QRect:
        return area.adjusted(7 * self._step, 0, -area.height() - 15 * self._step, 0)

    def updateEditorGeometry(  # noqa: N802 - Qt's name
        self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        editor.setGeometry(self._name(option.rect))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        row = index.model().rows[index.row()]
        area, step = option.rect, self._step
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        is_selected = bool(option.state & QStyle.State_Selected)
        if is_selected or option.state & QStyle.State_MouseOver:
            painter.setPen(Qt.NoPen)
            painter.setBrush(QColor(theme.ROW_SELECTED if is_selected else theme.LANE))
            painter.drawRoundedRect(area, step, step)
        side = 3 * step
        swatch = QRectF(area.left() + 2 * step, area.center().y() - side / 2 + 0.5, side, side)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(*row.color))
        painter.drawRoundedRect(swatch, step * 0.75, step * 0.75)
        text = QColor(theme.TEXT_STRONG if is_selected else theme.TEXT)
        painter.setPen(text if row.is_visible else QColor(theme.TEXT_DISABLED))
        name = self._name(area)
        shown = QFontMetrics(option.font).elidedText(f"{row.object_id}  {row.name}", Qt.ElideRight, name.width())
        painter.setFont(option.font)
        painter.drawText(name, Qt.AlignLeft | Qt.AlignVCenter, shown)
        painter.setPen(QColor(theme.TEXT_MUTED))
        share = QRect(name.right(), area.top(), self._eye(area).left() - name.right() - step, area.height())
        mark = "◆ " if row.is_key else ""
        painter.drawText(share, Qt.AlignRight | Qt.AlignVCenter, f"{mark}{format_share(row.coverage)}")
        eye = self._eye(area).adjusted(step, step, -step, -step)
        icon("eye" if row.is_visible else "eye-off").paint(painter, eye)
        painter.restore()

    def editorEvent(  # noqa: N802 - Qt's name
        self, event: QEvent, model: QAbstractListModel, option: QStyleOptionViewItem, index: QModelIndex
    ) -> bool:
        is_mouse = isinstance(event, QMouseEvent) and event.button() == Qt.LeftButton
        if is_mouse and self._eye(option.rect).contains(event.pos()):
            if event.type() == QEvent.MouseButtonRelease:
                self.eye_clicked.emit(index.row())
            return True
        return super().editorEvent(event, model, option, index)


class ObjectView(QListView):
    """The list itself. Digits, Space and the arrows stay what they are everywhere else in the window."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt would jump to the row that begins with the typed letter; the window's keys mean something else."""
        event.ignore()


class ObjectPanel(QWidget):
    """The heading, the list and the button that adds.

    Signals: `object_selected(id)`, `renamed(id, name)`, `visibility_toggled(id)`.
    """

    object_selected = pyqtSignal(int)
    renamed = pyqtSignal(int, str)
    visibility_toggled = pyqtSignal(int)

    def __init__(self, add: QAction, delete: QAction, rename: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ObjectModel(self)
        self.view = ObjectView()
        self.view.setObjectName("objects")
        self.view.setModel(self.model)
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setSelectionMode(QAbstractItemView.SingleSelection)
        self.view.setEditTriggers(QAbstractItemView.DoubleClicked)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.view.setContextMenuPolicy(Qt.ActionsContextMenu)
        self.view.addActions([rename, delete, add])
        delegate = RowDelegate(self.view)
        self.view.setItemDelegate(delegate)
        self._add_button = ActionButton(add)
        self._add_button.setProperty("flat", True)
        layout = panel_layout(self)
        layout.addWidget(heading("Objects"))
        layout.addWidget(self.view)
        layout.addWidget(self._add_button)
        delegate.eye_clicked.connect(lambda row: self.visibility_toggled.emit(self.model.rows[row].object_id))
        self.model.renamed.connect(self.renamed)
        self.view.selectionModel().currentRowChanged.connect(self._on_current_row_changed)
        self._is_updating = False
        self._fit_height()

    def set_rows(self, rows: Sequence[ObjectRow], selected: int | None) -> None:
        """Show these objects, from the top of the overlap order down, with `selected` (an id) marked."""
        self._is_updating = True
        try:
            self.model.set_rows(rows)
            places = {row.object_id: place for place, row in enumerate(self.model.rows)}
            place = places.get(selected, -1) if selected is not None else -1
            self.view.setCurrentIndex(self.model.index(place) if place >= 0 else QModelIndex())
        finally:
            self._is_updating = False
        self._fit_height()

    def rename_selected(self) -> None:
        """Open the editor on the selected row."""
        index = self.view.currentIndex()
        if index.isValid():
            self.view.edit(index)

    def _on_current_row_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if not self._is_updating and current.isValid():
            self.object_selected.emit(self.model.rows[current.row()].object_id)

    def _fit_height(self) -> None:
        """As tall as the rows, up to `VISIBLE_ROWS`; beyond that the list scrolls."""
        row = QFontMetrics(self.view.font()).height() + 2 * step_of(self) + 2
        self.view.setFixedHeight(row * min(len(self.model.rows), VISIBLE_ROWS) + 2)
        self.view.setVisible(bool(self.model.rows))
