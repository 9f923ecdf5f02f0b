"""A small picture of the whole frame in the canvas's corner, with the part that is seen. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QWidget

from gui import theme
from gui.canvas import Canvas
from gui.canvas_picture import CanvasPicture
from gui.widgets import step_of
from util.view_transform import ViewTransform

LONG_SIDE = 44
"""In the theme's units."""
WHOLE = 0.995
"""Share of the frame from which it counts as seen whole."""


def shown_share(view: ViewTransform) -> QRectF:
    """The part of the frame that is in view, as shares of its width and height."""
    left, top = view.to_image(0, 0)
    right, bottom = view.to_image(view.view_width, view.view_height)
    width, height = view.image.width, view.image.height
    share = QRectF(QPointF(left / width, top / height), QPointF(right / width, bottom / height))
    return share & QRectF(0, 0, 1, 1)


class Minimap(QWidget):
    """Shows itself while the canvas is zoomed in, unless `set_wanted(False)`; a press or drag moves the view there."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self.setObjectName("minimap")
        self.setAccessibleName("Minimap")
        self.setToolTip("The whole frame; drag to move what the window shows")
        self.setCursor(Qt.PointingHandCursor)
        self.hide()
        self._canvas = canvas
        self._picture = CanvasPicture()
        self._is_wanted = True
        canvas.view_changed.connect(self._follow)
        canvas.content_changed.connect(self.update)

    def set_wanted(self, wanted: bool) -> None:
        """Whether it may appear at all."""
        self._is_wanted = wanted
        self._follow()

    def _follow(self, *_: object) -> None:
        view = self._canvas.view
        share = None if view is None else shown_share(view)
        is_whole = share is None or (share.width() >= WHOLE and share.height() >= WHOLE)
        if view is None or is_whole or not self._is_wanted:
            self.hide()
            return
        step = step_of(self)
        scale = LONG_SIDE * step / max(view.image)
        width, height = max(round(view.image.width * scale), 2 * step), max(round(view.image.height * scale), 2 * step)
        margin = 2 * step
        self.setGeometry(self._canvas.width() - width - margin, self._canvas.height() - height - margin, width, height)
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        view, shown = self._canvas.view, self._canvas.picture
        if view is None or shown.image is None:
            return
        if self._picture.image is not shown.image:
            self._picture.set_image(shown.image)
        self._picture.set_style(shown.style)
        self._picture.set_levels(shown.levels)
        self._picture.set_mask(shown.mask)
        image = self._picture.render(self.width() * self.devicePixelRatioF() / view.image.width)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        if image is not None:
            level = self._picture.level
            source = QRectF(0, 0, view.image.width / level, view.image.height / level)
            painter.drawImage(QRectF(self.rect()), image, source)
        share = shown_share(view)
        width, height = self.width(), self.height()
        seen = QRectF(share.x() * width, share.y() * height, share.width() * width, share.height() * height)
        # Dark and light, so that the frame shows on any picture.
        for color, line in ((QColor(0, 0, 0, 160), 3.0), (QColor(theme.PLAYHEAD), 1.5)):
            painter.setPen(QPen(color, line))
            painter.drawRect(seen.adjusted(1, 1, -1, -1))
        painter.setPen(QPen(QColor(theme.BORDER), 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.buttons() & Qt.LeftButton:
            self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        view, at = self._canvas.view, event.localPos()
        if view is not None:
            self._canvas.centre_on(
                at.x() / self.width() * view.image.width, at.y() / self.height() * view.image.height
            )
        event.accept()
