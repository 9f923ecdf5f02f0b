"""The canvas with what belongs around it: the minimap, and the bare frame beside it. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PyQt5.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from gui import theme
from gui.canvas import Canvas
from gui.canvas_paint import paint_chip, paint_picture
from gui.canvas_picture import CanvasPicture
from gui.minimap import Minimap


class BareFrame(QWidget):
    """The canvas's frame without masks, seen exactly as there; the mouse works in it as on the canvas.

    It has the canvas's size, so that a point of it is the same point of the canvas.
    """

    CAPTION = "without masks"

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bare_frame")
        self.setAccessibleName("Frame without masks")
        self.setAttribute(Qt.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMouseTracking(True)
        self.setCursor(Qt.CrossCursor)
        self.setFocusProxy(canvas)
        self._canvas = canvas
        self._picture = CanvasPicture()
        canvas.content_changed.connect(self.update)
        canvas.view_changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(theme.CANVAS))
        view, shown = self._canvas.view, self._canvas.picture
        if self._picture.image is not shown.image:
            self._picture.set_image(shown.image)
        self._picture.set_levels(shown.levels)
        picture = None if view is None else self._picture.render(view.zoom)
        if view is not None and picture is not None:
            paint_picture(painter, picture, self._picture.level, view)
            painter.setRenderHint(QPainter.Antialiasing)
            paint_chip(painter, self.CAPTION, self.font())
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._canvas.mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._canvas.mouseDoubleClickEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._canvas.mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._canvas.mouseReleaseEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        self._canvas.wheelEvent(event)


class CanvasArea(QWidget):
    """The canvas alone, or with the bare frame on its left."""

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bare = BareFrame(canvas)
        self.bare.hide()
        self.minimap = Minimap(canvas)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self.bare, 1)
        layout.addWidget(canvas, 1)

    def set_side_by_side(self, on: bool) -> None:
        self.bare.setVisible(on)
