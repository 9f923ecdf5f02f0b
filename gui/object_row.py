"""How a row of the object list looks and what its parts do when clicked. GUI thread."""
from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from PyQt5.QtCore import QAbstractListModel, QModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter, QPen
from PyQt5.QtWidgets import QCompleter, QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from gui import theme
from gui.icons import icon
from gui.widgets import step_of

CLASS_ROLE = Qt.UserRole + 1
"""The class of a row, as EditRole is its name."""

RowPart = Literal["swatch", "solo", "lock", "eye"]
PARTS: tuple[RowPart, ...] = ("swatch", "solo", "lock", "eye")


@dataclass(frozen=True)
class ObjectRow:
    """One line of the list.

    Args:
        color: RGB 0..255, as on screen.
        coverage: share of the video's frames, 0..1, on which the object has a mask or is marked absent.
        is_drawn: whether its mask is shown; False when it is hidden or another object is shown alone.
        opacity: share, 0..1, of the usual one.
        is_key, is_held, is_verified: the object is fixed by the user, locked, or verified on the frame shown.
    """

    object_id: int
    name: str
    color: tuple[int, int, int]
    is_visible: bool = True
    coverage: float = 0.0
    is_key: bool = False
    category: str = ""
    is_solo: bool = False
    is_locked: bool = False
    is_held: bool = False
    is_verified: bool = False
    is_drawn: bool = True
    opacity: float = 1.0


def format_share(share: float) -> str:
    """`64 %`; never 0 % for something and never 100 % for less than everything."""
    if 0 < share < 0.01:
        return "<1 %"
    return f"{math.floor(share * 100 + 1e-9)} %"


def describe(row: ObjectRow, part: RowPart | None) -> str:
    """The tooltip of a row, or of a part of it."""
    match part:
        case "swatch":
            return "Click chooses another colour."
        case "solo":
            return "Shown alone; click shows the others too." if row.is_solo else "Click shows this object alone."
        case "lock":
            return "Locked: nothing changes it unasked. Click unlocks it." if row.is_locked else "Click locks it."
        case "eye":
            return "Click hides it." if row.is_visible else "Click shows it."
    key = f"Key {row.object_id} selects it" if row.object_id < 10 else f"G {row.object_id} Enter selects it"
    states = [text for holds, text in (
        (row.is_key, "key frame"), (row.is_held, "locked on this frame"), (row.is_verified, "verified on this frame")
    ) if holds]
    here = f" {', '.join(states).capitalize()}." if states else ""
    here += f" Drawn with {format_share(row.opacity)} of the opacity." if row.opacity < 1 else ""
    return (
        f"{key}. On {format_share(row.coverage)} of the frames.{here} Double-click edits name or class, "
        "dragging changes who is in front."
    )


class RowDelegate(QStyledItemDelegate):
    """Paints two lines: id and name with the switches, and the class with the states on this frame."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._step = step_of(view)
        self.edits_class = False
        """What the next editor is for: the class, or else the name."""

    def height(self, font: QFont) -> int:
        return 2 * QFontMetrics(font).height() + 3 * self._step

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802 - Qt's name
        return QSize(0, self.height(option.font))

    # -- where things are

    def area(self, part: RowPart, row: QRect) -> QRect:
        """The clickable area of a part."""
        step, half = self._step, row.height() // 2
        if part == "swatch":
            return QRect(row.left(), row.top(), 7 * step, row.height())
        places = {"eye": 1, "lock": 2, "solo": 3}
        side = 5 * step
        return QRect(row.right() - places[part] * side - step, row.top(), side, half + step)

    def part_at(self, row: QRect, point: QPoint) -> RowPart | None:
        return next((part for part in PARTS if self.area(part, row).contains(point)), None)

    def line(self, row: QRect, *, is_class: bool) -> QRect:
        """Where name or class stand."""
        step, half = self._step, (row.height() - self._step) // 2
        top = row.top() + step // 2 + (half if is_class else 0)
        right = self.area("solo", row).left()
        return QRect(row.left() + 7 * step, top, right - row.left() - 8 * step, half)

    def is_class_line(self, row: QRect, point: QPoint) -> bool:
        return point.y() >= self.line(row, is_class=True).top()

    # -- painting

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        row: ObjectRow = index.model().rows[index.row()]
        area, step = option.rect, self._step
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(Qt.NoPen)
        is_selected, is_under = bool(option.state & QStyle.State_Selected), bool(option.state & QStyle.State_MouseOver)
        if is_selected or is_under:
            painter.setBrush(QColor(theme.ROW_SELECTED if is_selected else theme.LANE))
            painter.drawRoundedRect(area.adjusted(0, 0, 0, -1), step, step)
        side = 3 * step
        swatch = QRectF(area.left() + 2 * step, area.center().y() - side / 2 + 0.5, side, side)
        _paint_swatch(painter, swatch, row, step * 0.75)
        self._paint_texts(painter, option, row, is_selected)
        self._paint_switches(painter, area, row, is_under or is_selected)
        painter.restore()

    def _paint_texts(
        self, painter: QPainter, option: QStyleOptionViewItem, row: ObjectRow, is_selected: bool
    ) -> None:
        metrics = QFontMetrics(option.font)
        name, group = self.line(option.rect, is_class=False), self.line(option.rect, is_class=True)
        text = QColor(theme.TEXT_STRONG if is_selected else theme.TEXT)
        painter.setPen(text if row.is_drawn else QColor(theme.TEXT_DISABLED))
        painter.setFont(option.font)
        shown = metrics.elidedText(f"{row.object_id}  {row.name}", Qt.ElideRight, name.width())
        painter.drawText(name, Qt.AlignLeft | Qt.AlignVCenter, shown)
        painter.setPen(QColor(theme.TEXT_MUTED if row.category else theme.TEXT_DISABLED))
        shown = metrics.elidedText(row.category or "no class", Qt.ElideRight, group.width())
        painter.drawText(group, Qt.AlignLeft | Qt.AlignVCenter, shown)
        painter.setPen(QColor(theme.TEXT_MUTED))
        states = QRect(group.right(), group.top(), option.rect.right() - 2 * self._step - group.right(), group.height())
        painter.drawText(states, Qt.AlignRight | Qt.AlignVCenter, format_share(row.coverage))
        right = states.right() - metrics.horizontalAdvance("100 %") - self._step
        side = round(metrics.height() * 0.8)
        marks = ((row.is_verified, "verified", theme.POSITIVE), (row.is_held, "lock", theme.WARNING),
                 (row.is_key, "key", theme.TEXT_STRONG))
        for name_of, color in ((name_of, color) for holds, name_of, color in marks if holds):
            right -= side + self._step // 2
            icon(name_of, color).paint(painter, QRect(right, states.center().y() - side // 2 + 1, side, side))

    def _paint_switches(self, painter: QPainter, area: QRect, row: ObjectRow, is_near: bool) -> None:
        """Switches that are off show only where the pointer or the selection is: the list stays quiet."""
        for part, name, is_on, always in (
            ("eye", "eye" if row.is_visible else "eye-off", row.is_visible, True),
            ("lock", "lock" if row.is_locked else "lock-open", row.is_locked, row.is_locked or is_near),
            ("solo", "solo", row.is_solo, row.is_solo or is_near),
        ):
            if always:
                color = theme.ACCENT_LIGHT if is_on and part != "eye" else theme.TEXT_MUTED
                place = self.area(part, area)
                side = min(place.width(), place.height()) - self._step
                corner = QPoint(place.center().x() - side // 2, place.center().y() - side // 2)
                icon(name, color).paint(painter, QRect(corner, QSize(side, side)), Qt.AlignCenter, QIcon.Normal)

    # -- editing in place

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex) -> QWidget:  # noqa: N802
        editor = QLineEdit(parent)
        editor.setFrame(False)
        if self.edits_class:
            editor.setPlaceholderText("class")
            completer = QCompleter(sorted(set(_classes(index.model()))), editor)
            completer.setCaseSensitivity(Qt.CaseInsensitive)
            editor.setCompleter(completer)
        return editor

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802 - Qt's name
        assert isinstance(editor, QLineEdit)
        editor.setText(index.data(CLASS_ROLE if self.edits_class else Qt.EditRole))

    def setModelData(  # noqa: N802 - Qt's name
        self, editor: QWidget, model: QAbstractListModel, index: QModelIndex
    ) -> None:
        assert isinstance(editor, QLineEdit)
        model.setData(index, editor.text(), CLASS_ROLE if self.edits_class else Qt.EditRole)

    def updateEditorGeometry(  # noqa: N802 - Qt's name
        self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        editor.setGeometry(self.line(option.rect, is_class=self.edits_class))


def _paint_swatch(painter: QPainter, place: QRectF, row: ObjectRow, radius: float) -> None:
    """Filled as strongly as the mask is drawn, with the full colour around it."""
    color = QColor(*row.color)
    painter.save()
    if row.opacity < 1:
        painter.setPen(QPen(color, 1.5))
        place = place.adjusted(0.75, 0.75, -0.75, -0.75)
    fill = QColor(color)
    fill.setAlphaF(row.opacity)
    painter.setBrush(fill)
    painter.drawRoundedRect(place, radius, radius)
    painter.restore()


def _classes(model: QAbstractListModel) -> Iterator[str]:
    for row in model.rows:
        if row.category:
            yield row.category
