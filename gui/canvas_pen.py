"""A tablet's pen on the canvas: pressure for the brush, the eraser end, the buttons of the barrel. GUI thread only.

The pen's events are taken as they are instead of the mouse events that Qt would make of them, which know no pressure.
"""
from __future__ import annotations

from PyQt5.QtCore import QEvent, QPointF, Qt
from PyQt5.QtGui import QTabletEvent
from PyQt5.QtWidgets import QApplication, QWidget

from gui.canvas_pointer import CanvasPointer, Touch

NEAR = 12.0
"""Widget pixels between two taps that are a double one: a pen is less steady than a mouse."""


class CanvasPen(CanvasPointer):
    """Base of the canvas that hears of pens. The eraser end acts as the right button, with which every tool removes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabletTracking(True)  # a pen that hovers is heard of, as the mouse is
        self._tap: tuple[QPointF, float] | None = None

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen without an image to work on is left to Qt, as a mouse."""
        if self._view is None:
            event.ignore()
            return
        is_eraser = event.pointerType() == QTabletEvent.Eraser
        button = event.button()
        if is_eraser and button == Qt.LeftButton:
            button = Qt.RightButton
        touch = Touch(event.posF(), button, event.modifiers(), event.timestamp() / 1000, event.pressure())
        if event.type() == QEvent.TabletPress:
            self.setFocus(Qt.MouseFocusReason)
            self._hover = touch.place
            self._pressed(touch, "double" if self._is_double(touch) else "press")
        elif event.type() == QEvent.TabletMove:
            self._moved(touch)
        elif event.type() == QEvent.TabletRelease:
            self._released(touch)
        event.accept()

    def _is_double(self, touch: Touch) -> bool:
        """Qt tells double clicks of the mouse only."""
        before, self._tap = self._tap, (touch.place, touch.seconds)
        if before is None or touch.seconds - before[1] > QApplication.doubleClickInterval() / 1000:
            return False
        away = touch.place - before[0]
        is_double = away.manhattanLength() <= NEAR
        if is_double:
            self._tap = None  # a third tap begins anew
        return is_double
