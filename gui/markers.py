"""What the user has drawn on the image but is not a mask: clicks, strokes and polygon outlines.

Markers are given in image pixels and painted at a constant size on the screen, whatever the zoom (a stroke's band
excepted: it has a width in image pixels).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPen, QPolygonF

from gui import theme
from util.view_transform import ViewTransform

CLICK_RADIUS = 6.5
HANDLE = 3.5
MIN_STROKE = 3.0
RIM = 2.0
PAST_OPACITY = 0.45


@dataclass(frozen=True)
class Marker:
    """One thing to paint over the image.

    Args:
        kind: "click" (one point), "stroke" (a free line), "polygon" (an outline with handles at its corners), "frame"
            (a dashed closed outline) or "outline" (a solid one).
        points: `(x, y)` in image pixels; at least one.
        positive: adds to the object (green) or takes away (red).
        width: width of a stroke in image pixels; never painted thinner than a line one can see.
        tint: RGB of a closed outline; None is white.
        is_past: painted faintly: given before, no longer being added to.
    """

    kind: Literal["click", "stroke", "polygon", "frame", "outline"]
    points: tuple[tuple[float, float], ...]
    positive: bool = True
    width: float = 0.0
    tint: tuple[int, int, int] | None = None
    is_past: bool = False

    @property
    def color(self) -> QColor:
        return QColor(theme.POSITIVE if self.positive else theme.NEGATIVE)


def marker_bounds(marker: Marker, view: ViewTransform) -> QRectF:
    """The widget rectangle that painting the marker touches."""
    bounds = _polygon(marker, view).boundingRect()
    margin = max(CLICK_RADIUS + RIM, marker.width * view.scale / 2 + RIM) + 2
    return bounds.adjusted(-margin, -margin, margin, margin)


def paint_marker(painter: QPainter, marker: Marker, view: ViewTransform) -> None:
    """Paint with antialiasing in widget coordinates; leaves the painter's pen and brush changed."""
    points = _polygon(marker, view)
    painter.setOpacity(PAST_OPACITY if marker.is_past else 1.0)
    if marker.kind == "click":
        _paint_click(painter, points[0], marker)
    elif marker.kind == "stroke":
        _paint_stroke(painter, points, marker, view.scale)
    elif marker.kind in ("frame", "outline"):
        _paint_closed(painter, points, marker)
    else:
        _paint_polygon(painter, points, marker)
    painter.setOpacity(1.0)


def _polygon(marker: Marker, view: ViewTransform) -> QPolygonF:
    return QPolygonF([QPointF(*view.to_widget(x, y)) for x, y in marker.points])


def _paint_click(painter: QPainter, centre: QPointF, marker: Marker) -> None:
    """A dot with a white rim and a white sign: the sign tells red from green to those who cannot see the difference."""
    painter.setPen(QPen(QColor(0, 0, 0, 90), RIM + 2))
    painter.setBrush(Qt.NoBrush)
    painter.drawEllipse(centre, CLICK_RADIUS, CLICK_RADIUS)
    painter.setPen(QPen(Qt.white, RIM))
    painter.setBrush(marker.color)
    painter.drawEllipse(centre, CLICK_RADIUS, CLICK_RADIUS)
    arm = CLICK_RADIUS * 0.52
    painter.setPen(QPen(Qt.white, 1.8, Qt.SolidLine, Qt.RoundCap))
    painter.drawLine(QPointF(centre.x() - arm, centre.y()), QPointF(centre.x() + arm, centre.y()))
    if marker.positive:
        painter.drawLine(QPointF(centre.x(), centre.y() - arm), QPointF(centre.x(), centre.y() + arm))


def _paint_stroke(painter: QPainter, points: QPolygonF, marker: Marker, scale: float) -> None:
    """A band as wide as the stroke on a slightly wider white one; one point gives a round dot."""
    width = max(marker.width * scale, MIN_STROKE)
    painter.setBrush(Qt.NoBrush)
    for color, band in ((QColor(255, 255, 255, 170), width + RIM), (marker.color, width)):
        painter.setPen(QPen(color, band, Qt.SolidLine, Qt.RoundCap, Qt.RoundJoin))
        if points.size() == 1:
            painter.drawPoint(points[0])
        else:
            painter.drawPolyline(points)


def _paint_closed(painter: QPainter, points: QPolygonF, marker: Marker) -> None:
    """Bright dashes or a bright line on a dark one: seen on any picture. A tinted one is wider, to show its colour."""
    color = QColor(Qt.white) if marker.tint is None else QColor(*marker.tint)
    width = 1.2 if marker.tint is None else 2.0
    width, style = (width, Qt.DashLine) if marker.kind == "frame" else (1.5 * width, Qt.SolidLine)
    painter.setBrush(Qt.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 150), width + 1.3), QPen(color, width, style)):
        painter.setPen(pen)
        painter.drawPolygon(points)


def _paint_polygon(painter: QPainter, points: QPolygonF, marker: Marker) -> None:
    """The outline so far, the side that would close it dashed, a handle at every corner, the first one filled."""
    fill = marker.color
    fill.setAlpha(45)
    painter.setPen(Qt.NoPen)
    painter.setBrush(fill)
    painter.drawPolygon(points)
    painter.setBrush(Qt.NoBrush)
    for color, width in ((QColor(0, 0, 0, 130), 3.5), (QColor(Qt.white), 1.6)):
        painter.setPen(QPen(color, width, Qt.SolidLine, Qt.RoundCap, Qt.RoundJoin))
        painter.drawPolyline(points)
    if points.size() > 2:
        painter.setPen(QPen(QColor(Qt.white), 1.2, Qt.DashLine))
        painter.drawLine(points[points.size() - 1], points[0])
    for index in range(points.size()):
        size = HANDLE + 1.0 if index == 0 else HANDLE
        painter.setPen(QPen(QColor(0, 0, 0, 150), 1.0))
        painter.setBrush(marker.color if index == 0 else QColor(Qt.white))
        corner = points[index]
        painter.drawRect(QRectF(corner.x() - size, corner.y() - size, 2 * size, 2 * size))
