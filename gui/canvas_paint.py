"""What the canvas paints around and over the picture: caption chip, brush outline, the hint on an empty canvas."""
from __future__ import annotations

from PyQt5.QtCore import QPointF, QRect, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QImage, QKeySequence, QPainter, QPen

from gui import theme
from gui.canvas_picture import PIXELS_FROM
from gui.icons import paint_icon
from util.types import Rect
from util.view_transform import ViewTransform


def paint_picture(painter: QPainter, picture: QImage, level: int, view: ViewTransform) -> None:
    """Paint `picture`, whose pixels stand for `level` x `level` pixels of the frame.

    Only what the view shows is handed to Qt, whose rasteriser has 16 bit coordinates; the part depends on the view and
    not on the region being repainted, so that a partial repaint samples exactly the same pixels as a full one.
    """
    shown = view.visible_pixels(0, 0, view.view_width, view.view_height)
    if shown.is_empty:
        return
    margin = 2 * level
    left, top = max(shown.x0 - margin, 0) // level * level, max(shown.y0 - margin, 0) // level * level
    shown = Rect(left, top, shown.x1 + margin, shown.y1 + margin).clipped(view.image)
    source = QRectF(left / level, top / level, (shown.x1 - left) / level, (shown.y1 - top) / level)
    painter.setRenderHint(QPainter.SmoothPixmapTransform, view.zoom < PIXELS_FROM)
    painter.drawImage(widget_rect(shown, view), picture, source)


def widget_rect(rect: Rect, view: ViewTransform) -> QRectF:
    """Where a rectangle of frame pixels lies in the widget."""
    return QRectF(QPointF(*view.to_widget(rect.x0, rect.y0)), QPointF(*view.to_widget(rect.x1, rect.y1)))


def paint_brush(painter: QPainter, centre: QPointF, radius: float) -> None:
    """A circle that shows on light and on dark ground, `radius` in widget pixels."""
    painter.setBrush(Qt.NoBrush)
    for color, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(255, 255, 255, 235), 1.4)):
        painter.setPen(QPen(color, width))
        painter.drawEllipse(centre, radius, radius)


def chip_font(font: QFont) -> QFont:
    """The widget's font a little smaller."""
    small = QFont(font)
    small.setPointSizeF(font.pointSizeF() * 0.92)
    return small


def chip_rect(text: str, font: QFont) -> QRectF:
    """The widget rectangle of the caption chip."""
    metrics = QFontMetricsF(chip_font(font))
    pad = metrics.height() * 0.45
    return QRectF(pad * 1.5, pad * 1.5, metrics.horizontalAdvance(text) + 3 * pad, metrics.height() + pad)


def paint_chip(painter: QPainter, text: str, font: QFont) -> None:
    """The caption on a dark rounded ground at the top left."""
    rect = chip_rect(text, font)
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor(theme.CHIP))
    painter.drawRoundedRect(rect, rect.height() / 4, rect.height() / 4)
    painter.setPen(QColor(theme.TEXT))
    painter.setFont(chip_font(font))
    painter.drawText(rect, Qt.AlignCenter, text)


def paint_empty(painter: QPainter, area: QRect, font: QFont) -> None:
    """What to do first, in the middle of an empty canvas."""
    line = QFontMetricsF(font).height()
    middle = QRectF(area).center()
    icon = QRectF(0, 0, line * 3.2, line * 3.2)
    icon.moveCenter(QPointF(middle.x(), middle.y() - line * 2.6))
    paint_icon(painter, "open-video", icon, QColor(theme.BORDER).lighter(150))
    title = QFont(font)
    title.setPointSizeF(font.pointSizeF() * 1.25)
    keys = QKeySequence(QKeySequence.Open).toString(QKeySequence.NativeText)
    rows = (
        ("Open a video or a folder of frames", title, theme.TEXT, 0.0),
        (f"{keys}, or drop one here", font, theme.TEXT_MUTED, line * 1.7),
    )
    for text, row_font, color, below in rows:
        painter.setFont(row_font)
        painter.setPen(QColor(color))
        painter.drawText(QRectF(area.left(), middle.y() + below - line, area.width(), line * 2), Qt.AlignCenter, text)


def paint_drop_target(painter: QPainter, area: QRect) -> None:
    """The border that says a file may be let go here."""
    painter.setBrush(Qt.NoBrush)
    painter.setPen(QPen(QColor(theme.ACCENT_LIGHT), 3))
    painter.drawRoundedRect(QRectF(area).adjusted(4, 4, -4, -4), 6, 6)
