"""The strip under the canvas: one lane per object over all frames, and the playhead.

Shows what it is told and asks for frames by `seek_requested`; whoever listens decides. GUI thread.
"""
from __future__ import annotations

from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PyQt5.QtWidgets import QToolTip, QWidget

from gui.timecode import format_timecode
from gui.timeline_view import SCROLL_PER_NOTCH, TimelineView

NOTCH = 120
NOTCHES_PER_DOUBLING = 2.0
_KEYS = {Qt.Key_Left: -1, Qt.Key_Right: 1, Qt.Key_PageUp: -10, Qt.Key_PageDown: 10}


class Timeline(TimelineView):
    """Click or drag seeks, wheel zooms at the pointer, Shift+wheel scrolls, a double click on the ruler shows all.

    The playhead is kept in view: `set_frame` scrolls when it has to.
    """

    seek_requested = pyqtSignal(int)
    """A frame the user pointed at; many during a drag."""
    object_clicked = pyqtSignal(int)
    """Object id of a label that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_seeking = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.LeftButton or not self._times:
            event.ignore()
        elif event.localPos().x() < self._axis.left:
            row = self._row_at(event.localPos().y())
            if row is not None:
                self.object_clicked.emit(self._shapes[row].lane.object_id)
        else:
            self._is_seeking = True
            self._seek(self._axis.frame_at(event.localPos().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.localPos().x()
        if not self._times:
            return
        is_over = self._is_seeking or self._axis.left <= x <= self._axis.left + self._axis.width
        self._set_hover(self._axis.frame_at(x) if is_over else None)
        if self._is_seeking:
            self._seek(self._axis.frame_at(x))
        self._show_tip(event.globalPos(), event.localPos())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.LeftButton:
            self._is_seeking = False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        on_ruler = event.localPos().y() < self._metrics.ruler and event.localPos().x() >= self._axis.left
        if event.button() == Qt.LeftButton and on_ruler:
            self.fit()
        else:
            self.mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._set_hover(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        across, down = event.angleDelta().x(), event.angleDelta().y()
        is_scroll = bool(event.modifiers() & Qt.ShiftModifier) or abs(across) > abs(down)
        if event.position().x() < self._axis.left and not is_scroll:
            self._down.setValue(self._down.value() - round(down / NOTCH * self._metrics.row))
        elif is_scroll:
            notches = (across if abs(across) > abs(down) else down) / NOTCH
            self._set_axis(self._axis.scrolled(-notches * SCROLL_PER_NOTCH * self._axis.shown))
        else:
            factor = 2.0 ** (down / NOTCH / NOTCHES_PER_DOUBLING)
            self._set_axis(self._axis.zoomed(factor, event.position().x()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._times) - 1
        targets = {key: min(max(self._frame + step, 0), last) for key, step in _KEYS.items()}
        targets |= {Qt.Key_Home: 0, Qt.Key_End: last}
        if event.key() in targets and self._times:
            self._seek(targets[event.key()])
        else:
            super().keyPressEvent(event)

    def _seek(self, frame: int) -> None:
        # Compared with what was last asked for, not with what is shown: the receiver may lag behind a drag.
        if frame != self._asked:
            self._asked = frame
            self.seek_requested.emit(frame)

    def _show_tip(self, place: QPoint, position: QPointF) -> None:
        if self._hover is None:
            QToolTip.hideText()
            return
        text = f"Frame {self._hover} · {format_timecode(self._times[self._hover])}"
        row = self._row_at(position.y())
        if row is not None:
            text = f"{text}\n{self._shapes[row].describe(self._hover)}"
        strip = self._strip_at(position.y())
        if strip is not None and self._strips is not None:
            text = f"{text}\n{self._strips.describe(strip, self._hover)}"
        QToolTip.showText(place, text, self)
