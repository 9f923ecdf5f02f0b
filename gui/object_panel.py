"""The list of objects: colour, number, name, class, how much of the video each covers, and its switches. GUI thread.

Holds no state of its own but the rows it was given; everything the user does is announced by a signal.
"""
from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QAbstractListModel, QModelIndex, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QAbstractItemView, QAction, QApplication, QListView, QToolTip, QWidget, QWidgetAction

from gui import theme
from gui.actions import ActionSet
from gui.object_row import CLASS_ROLE, ObjectRow, RowDelegate, RowPart, describe
from gui.opacity_box import OpacityBox
from gui.widgets import ActionButton, heading, panel_layout

VISIBLE_ROWS = 6

CONTEXT_ACTIONS = (
    "object.rename", "object.set_class", "object.set_color", "",
    "object.toggle_visible", "object.solo", "opacity", "object.fainter", "object.stronger", "",
    "object.lock", "object.move_up", "object.move_down", "",
    "frame.lock", "frame.verify", "",
    "object.merge", "object.swap", "object.split", "object.split_drawn", "",
    "object.delete_range", "object.delete", "object.add",
)  # fmt: skip
"""Of the menu on a row; an empty one is a line, `opacity` the slider."""


class ObjectModel(QAbstractListModel):
    """The rows for Qt's list view. `renamed(object id, name)`, `classed(object id, class)` when the user edited one."""

    renamed = pyqtSignal(int, str)
    classed = pyqtSignal(int, str)

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
        if role == CLASS_ROLE:
            return row.category
        if role in (Qt.DisplayRole, Qt.AccessibleTextRole):
            return f"{row.object_id} {row.name}"
        return None

    def setData(self, index: QModelIndex, value: str, role: int = Qt.EditRole) -> bool:  # noqa: N802 - Qt's name
        row = self.rows[index.row()]
        text = str(value).strip()
        if role == CLASS_ROLE and text != row.category:
            self.classed.emit(row.object_id, text)
            return True
        if role == Qt.EditRole and text and text != row.name:
            self.renamed.emit(row.object_id, text)
            return True
        return False

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        return Qt.ItemIsEnabled | Qt.ItemIsSelectable | Qt.ItemIsEditable


class ObjectView(QListView):
    """The list itself. Digits, Space and the arrows stay what they are everywhere else in the window.

    Signals: `part_clicked(row, part)`; `moved(row, place)` when a row was dragged, to a place counted without itself.
    """

    part_clicked = pyqtSignal(int, str)
    moved = pyqtSignal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self._pressed: tuple[int, QPoint] | None = None
        self._gap: int | None = None
        self._part: tuple[int, RowPart] | None = None
        self.delegate = RowDelegate(self)
        self.setItemDelegate(self.delegate)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt would jump to the row that begins with the typed letter; the window's keys mean something else."""
        if self._gap is not None and event.key() == Qt.Key_Escape:
            self._end_drag()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """A switch neither selects its row nor starts a drag."""
        index, is_left = self.indexAt(event.pos()), event.button() == Qt.LeftButton
        self._part = self._part_at(event.pos()) if is_left else None
        if self._part is not None:
            event.accept()
            return
        if is_left and index.isValid():
            self._pressed = index.row(), event.pos()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if self._pressed is None or not event.buttons() & Qt.LeftButton:
            super().mouseMoveEvent(event)
            return
        if self._gap is None and (event.pos() - self._pressed[1]).manhattanLength() < QApplication.startDragDistance():
            return
        self._gap = self._gap_at(event.pos())
        near = min(max(self._gap, 0), self.model().rowCount() - 1)
        self.scrollTo(self.model().index(near, 0))
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        pressed, gap, part = self._pressed, self._gap, self._part
        self._end_drag()
        if part is not None:
            event.accept()
            if part == self._part_at(event.pos()):
                self.part_clicked.emit(*part)
            return
        if pressed is None or gap is None:
            super().mouseReleaseEvent(event)
            return
        place = gap - (gap > pressed[0])
        if place != pressed[0]:
            self.moved.emit(pressed[0], place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """The second of two fast clicks on a switch is a click of its own."""
        index = self.indexAt(event.pos())
        if self._part_at(event.pos()) is not None:
            self.mousePressEvent(event)
        else:
            self.delegate.edits_class = index.isValid() and self.delegate.is_class_line(
                self.visualRect(index), event.pos()
            )
            super().mouseDoubleClickEvent(event)

    def viewportEvent(self, event: QHelpEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QHelpEvent.ToolTip:
            index = self.indexAt(event.pos())
            if index.isValid():
                part = self.delegate.part_at(self.visualRect(index), event.pos())
                QToolTip.showText(event.globalPos(), describe(self.model().rows[index.row()], part), self)
                return True
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        super().paintEvent(event)
        if self._gap is not None:
            count = self.model().rowCount()
            last = self.visualRect(self.model().index(min(self._gap, count - 1), 0))
            y = last.bottom() if self._gap == count else max(last.top(), 1)
            painter = QPainter(self.viewport())
            painter.setPen(QPen(QColor(theme.ACCENT_LIGHT), 2))
            painter.drawLine(0, y, self.viewport().width(), y)

    def _gap_at(self, point: QPoint) -> int:
        """Between which rows a point lies: 0 above the first."""
        for row in range(self.model().rowCount()):
            if point.y() < self.visualRect(self.model().index(row, 0)).center().y():
                return row
        return int(self.model().rowCount())

    def _end_drag(self) -> None:
        self._pressed = self._gap = self._part = None
        self.viewport().update()

    def _part_at(self, point: QPoint) -> tuple[int, RowPart] | None:
        index = self.indexAt(point)
        part = self.delegate.part_at(self.visualRect(index), point) if index.isValid() else None
        return None if part is None else (index.row(), part)


class ObjectPanel(QWidget):
    """The heading, the list and the button that adds.

    Signals: `object_selected(id)`, `renamed(id, name)`, `classed(id, class)`, `part_clicked(id, part)` for
    `gui.object_row.PARTS`, `moved(id, place in the list)`, `opacity_changed(share 0..1)` of the selected object.
    """

    object_selected = pyqtSignal(int)
    renamed = pyqtSignal(int, str)
    classed = pyqtSignal(int, str)
    part_clicked = pyqtSignal(int, str)
    moved = pyqtSignal(int, int)
    opacity_changed = pyqtSignal(float)

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ObjectModel(self)
        self.view = ObjectView()
        self.opacity = OpacityBox()
        self.opacity.changed.connect(self.opacity_changed)
        self.view.setObjectName("objects")
        self.view.setModel(self.model)
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setSelectionMode(QAbstractItemView.SingleSelection)
        self.view.setEditTriggers(QAbstractItemView.DoubleClicked)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.view.setContextMenuPolicy(Qt.ActionsContextMenu)
        for action_id in CONTEXT_ACTIONS:
            self.view.addAction(self._entry(action_id, actions))
        self._add_button = ActionButton(actions["object.add"])
        self._add_button.setProperty("flat", True)
        layout = panel_layout(self)
        layout.addWidget(heading("Objects"))
        layout.addWidget(self.view)
        layout.addWidget(self._add_button)
        self.view.part_clicked.connect(lambda row, part: self.part_clicked.emit(self._id(row), part))
        self.view.moved.connect(lambda row, place: self.moved.emit(self._id(row), place))
        self.model.renamed.connect(self.renamed)
        self.model.classed.connect(self.classed)
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
            self.opacity.show_share(self.model.rows[place].opacity if place >= 0 else 1.0)
        finally:
            self._is_updating = False
        self._fit_height()

    def edit_selected(self, *, is_class: bool) -> None:
        """Open the editor of the name, or of the class, on the selected row."""
        index = self.view.currentIndex()
        if index.isValid():
            self.view.delegate.edits_class = is_class
            self.view.edit(index)

    def _id(self, row: int) -> int:
        return self.model.rows[row].object_id

    def _entry(self, action_id: str, actions: ActionSet) -> QAction:
        """One of `CONTEXT_ACTIONS`."""
        if action_id == "opacity":
            slider = QWidgetAction(self)
            slider.setDefaultWidget(self.opacity)
            return slider
        if action_id:
            return actions[action_id]
        line = QAction(self)
        line.setSeparator(True)
        return line

    def _on_current_row_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if not self._is_updating and current.isValid():
            self.object_selected.emit(self._id(current.row()))

    def _fit_height(self) -> None:
        """As tall as the rows, up to `VISIBLE_ROWS`; beyond that the list scrolls."""
        row = self.view.delegate.height(self.view.font())
        self.view.setFixedHeight(row * min(len(self.model.rows), VISIBLE_ROWS) + 2)
        self.view.setVisible(bool(self.model.rows))
