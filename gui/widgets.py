"""Small widgets that several panels are made of. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QColor, QFontMetrics, QIcon, QPainter, QPaintEvent, QResizeEvent
from PyQt5.QtWidgets import (
    QAction,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import theme


def step_of(widget: QWidget) -> int:
    """The theme's unit of length for this widget's font."""
    return theme.unit(widget.fontMetrics().height())


def heading(text: str) -> QLabel:
    """The small title above a part of a panel."""
    label = QLabel(text.upper())
    label.setProperty("heading", True)
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * 0.84)
    font.setLetterSpacing(font.PercentageSpacing, 106)
    label.setFont(font)
    return label


def muted(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setProperty("muted", True)
    return label


def panel_layout(panel: QWidget) -> QVBoxLayout:
    """The layout that all parts of the right column share."""
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(round(step_of(panel) * 1.5))
    return layout


class FactRow(QWidget):
    """A line with what it is on the left and its value on the right."""

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLabel(name)
        self.value = QLabel()
        self.value.setAlignment(Qt.AlignRight | Qt.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.name)
        layout.addWidget(self.value, 1)


class ElidedLabel(QLabel):
    """A line of text that gives way when there is no room for it; the whole text is in its tooltip then."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full = ""
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)

    def set_full_text(self, text: str) -> None:
        self._full = text
        self._elide()

    @property
    def full_text(self) -> str:
        return self._full

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, Qt.ElideRight, self.width())
        self.setText(shown)
        self.setToolTip(self._full if shown != self._full else "")


class ActionButton(QToolButton):
    """A button for an action: its icon and text, and its key in a quieter colour. A long text is shortened; the
    tooltip has all of it.
    """

    MAX_LETTERS = 30

    def __init__(self, action: QAction, *, with_icon: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._with_icon = with_icon
        self._shows_words = True
        self.setDefaultAction(action)
        self.setFocusPolicy(Qt.NoFocus)
        self.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)

    def _parts(self) -> tuple[QIcon | None, str, str]:
        action = self.defaultAction()
        shown = action.icon() if self._with_icon and not action.icon().isNull() else None
        if not self._shows_words:
            return shown, "", ""
        text = action.text().replace("&&", "&")
        room = self.MAX_LETTERS * self.fontMetrics().averageCharWidth()
        text = self.fontMetrics().elidedText(text, Qt.ElideRight, room)
        return shown, text, action.shortcut().toString(action.shortcut().NativeText)

    def set_words(self, shown: bool) -> None:
        """Whether text and key are shown beside the icon."""
        if shown != self._shows_words:
            self._shows_words = shown
            self.updateGeometry()
            self.update()

    def width_with(self, *, words: bool) -> int:
        """How wide it is with or without them."""
        before, self._shows_words = self._shows_words, words
        width = self.sizeHint().width()
        self._shows_words = before
        return width

    def _hint_metrics(self) -> QFontMetrics:
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 0.88)
        return QFontMetrics(font)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        shown, text, hint = self._parts()
        step = step_of(self)
        metrics = self.fontMetrics()
        width = 6 * step + metrics.horizontalAdvance(text)
        width += (self.iconSize().width() + (2 * step if text else 0)) if shown else 0
        width += (self._hint_metrics().horizontalAdvance(hint) + 2 * step) if hint else 0
        return QSize(width, max(metrics.height(), self.iconSize().height()) + 3 * step)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text, option.icon = "", QIcon()
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.CC_ToolButton, option)
        shown, text, hint = self._parts()
        step = step_of(self)
        area = self.rect().adjusted(3 * step, 0, -3 * step, 0)
        if shown is not None:
            size = self.iconSize()
            mode = QIcon.Normal if self.isEnabled() else QIcon.Disabled
            top = (self.height() - size.height()) // 2
            state = QIcon.On if self.property("primary") or self.isChecked() else QIcon.Off
            shown.paint(painter, area.x(), top, size.width(), size.height(), Qt.AlignCenter, mode, state)
            area.setLeft(area.left() + size.width() + 2 * step)
        painter.setPen(self._text_color())
        painter.drawText(area, Qt.AlignLeft | Qt.AlignVCenter, text)
        if hint:
            self._paint_hint(painter, hint)

    def _text_color(self) -> QColor:
        if not self.isEnabled():
            return QColor(theme.TEXT_DISABLED)
        return QColor(theme.ON_ACCENT if self.property("primary") or self.isChecked() else theme.TEXT)

    def _paint_hint(self, painter: QPainter, hint: str) -> None:
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 0.88)
        painter.setFont(font)
        color = self._text_color() if self.property("primary") else QColor(theme.TEXT_MUTED)
        if not self.isEnabled():
            color = QColor(theme.TEXT_DISABLED)
        color.setAlphaF(0.75 if self.property("primary") else 1.0)
        painter.setPen(color)
        step = step_of(self)
        painter.drawText(self.rect().adjusted(0, 0, -3 * step, 0), Qt.AlignRight | Qt.AlignVCenter, hint)


def action_check(action: QAction) -> QCheckBox:
    """A box that switches an action and shows whether it is on."""
    check = QCheckBox(action.text())
    check.setObjectName(f"check_{action.objectName()}")
    check.setFocusPolicy(Qt.NoFocus)
    check.setChecked(action.isChecked())
    check.setToolTip(action.toolTip())
    action.changed.connect(lambda: check.setToolTip(action.toolTip()))
    action.toggled.connect(check.setChecked)
    check.clicked.connect(lambda checked: action.trigger())
    return check


def flat_button(action: QAction, size: int) -> QToolButton:
    """A square button that shows only the action's icon, `size` widget pixels wide."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setProperty("flat", True)
    button.setFocusPolicy(Qt.NoFocus)
    button.setToolButtonStyle(Qt.ToolButtonIconOnly)
    button.setIconSize(QSize(size, size))
    return button
