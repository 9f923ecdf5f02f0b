"""The two strips below the timeline's lanes, both of one object: the quality that propagations left (a line) and
how much the mask flickers (bars), and what is reviewed.
"""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from gui import theme
from gui.timeline_axis import TimeAxis, pixel_runs
from gui.timeline_paint import Metrics, Stretches
from interact.frame_flicker import Flickers
from storage.confidence_file import Confidences
from util.flicker import FLICKER_ABOVE

CONFIDENCE, REVIEW = range(2)
NUM_STRIPS = 2
FLICKER_SEEN = 0.03
"""Less than that, as every moving outline has, is not drawn."""
FLOOR = 0.4
"""Confidence at the strip's foot: what is lower is as bad, and what matters lies above."""


@dataclass(frozen=True)
class Strips:
    """Args:
        name: of the object.
        confidence: float32 [T], the quality of masks, NaN where unknown. limit: below it a mask is suspect.
        done: runs of frames where the object is verified or known to be absent.
        share: of all objects and frames of the review, 0..1, how many are done.
        flicker: float32 [T], NaN where unknown; above `util.flicker.FLICKER_ABOVE` a mask is suspect.
        basis: what the quality rests on, for the user.
    """

    name: str
    confidence: Confidences = field(compare=False)
    limit: float
    done: tuple[range, ...]
    share: float
    flicker: Flickers = field(compare=False)
    basis: str
    digest: bytes = field(init=False)
    """What two strips are compared by instead of their arrays."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", self.confidence.tobytes() + self.flicker.tobytes())

    def label(self, strip: int) -> str:
        """What stands beside it."""
        return "quality, flicker" if strip == CONFIDENCE else f"review  {format_done(self.share)}"

    def describe(self, strip: int, frame: int) -> str:
        """One line for the tooltip."""
        if strip == REVIEW:
            is_done = frame in Stretches.of(self.done)
            return f"{self.name}: {'verified, or known to be absent' if is_done else 'to be reviewed'}"
        value, flicker = float(self.confidence[frame]), float(self.flicker[frame])
        text = f"{self.name}: quality {value:.2f} of 1, {self.basis}"
        if np.isnan(value):
            text = f"{self.name}: nothing was propagated here, so no quality is known"
        elif value < self.limit:
            text += f"; below {self.limit:.2f} a frame is suspect"
        if not np.isnan(flicker):
            text += f"\nflicker: {flicker:.0%} of the mask is there, or missing, on this frame only"
        return text + (f"; above {FLICKER_ABOVE:.0%} a frame is suspect" if flicker > FLICKER_ABOVE else "")


def format_done(share: float) -> str:
    """`64 %`; 100 only when nothing is left."""
    return f"{int(share * 100)} %"


def paint_strip_label(painter: QPainter, text: str, row: QRectF, metrics: Metrics, font: QFont) -> None:
    """In the left column, quieter than an object's."""
    painter.setFont(font)
    painter.setPen(QColor(theme.TEXT_MUTED))
    place = row.adjusted(metrics.pad, 0, -metrics.pad, 0)
    shown = QFontMetricsF(font).elidedText(text, Qt.ElideRight, place.width())
    painter.drawText(place, Qt.AlignVCenter | Qt.AlignLeft, shown)


def paint_strip(painter: QPainter, strips: Strips, strip: int, bar: QRectF, axis: TimeAxis) -> None:
    """One of the two. Args: bar: its ground."""
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor(theme.LANE))
    painter.drawRoundedRect(bar, bar.height() / 6, bar.height() / 6)
    if strip == REVIEW:
        painter.setBrush(QColor(theme.ACCENT_PRESSED))
        for left, right in pixel_runs(*Stretches.of(strips.done), axis, 1 / painter.device().devicePixelRatioF()):
            painter.drawRoundedRect(QRectF(left, bar.top(), right - left, bar.height()), 2, 2)
        return
    inner = bar.adjusted(0, 2, 0, -2)
    _paint_flicker(painter, strips.flicker, inner, axis)
    doubtful = inner.bottom() - float(_height(strips.limit)) * inner.height()
    painter.setPen(QPen(QColor(theme.BORDER), 1))
    painter.drawLine(QPointF(bar.left(), round(doubtful) + 0.5), QPointF(bar.right(), round(doubtful) + 0.5))
    painter.setBrush(Qt.NoBrush)
    for line in confidence_lines(strips.confidence, axis, inner):
        for is_doubtful, color in ((False, theme.ACCENT_LIGHT), (True, theme.WARNING)):
            painter.save()
            below = QRectF(bar.left(), doubtful, bar.width(), bar.bottom() - doubtful)
            above = QRectF(bar.left(), bar.top(), bar.width(), doubtful - bar.top())
            painter.setClipRect(below if is_doubtful else above, Qt.IntersectClip)
            painter.setPen(QPen(QColor(color), 1.5))
            painter.drawPolyline(line)
            painter.restore()


def _paint_flicker(painter: QPainter, flicker: Flickers, area: QRectF, axis: TimeAxis) -> None:
    """What makes a suspect reaches over half the height; twice as much is as bad as can be."""
    width = max(round(axis.frame_width), 1)
    for x, value in flicker_bars(flicker, axis, area):
        height = min(value / (2 * FLICKER_ABOVE), 1) * area.height()
        bar = QRectF(x, area.bottom() - height, width, height)
        painter.fillRect(bar, QColor(theme.WARNING if value > FLICKER_ABOVE else theme.TEXT_DISABLED))


def flicker_bars(flicker: Flickers, axis: TimeAxis, area: QRectF) -> list[tuple[float, float]]:
    """Left end and value of a bar per frame that flickers visibly; where frames share a pixel, the highest counts."""
    first, last = axis.frame_at(area.left()), axis.frame_at(area.right())
    values = flicker[first : last + 1]
    x = np.round(axis.left + (np.arange(first, last + 1) - axis.start) * axis.frame_width)
    if axis.frame_width < 1:
        begins = np.flatnonzero(np.diff(x, prepend=x[0] - 1))
        values, x = np.fmax.reduceat(values, begins), x[begins]
    with np.errstate(invalid="ignore"):
        shown = values >= FLICKER_SEEN
    return list(zip(x[shown].tolist(), values[shown].tolist(), strict=True))


def _height(values: ArrayLike) -> NDArray[np.float64]:
    """Where values stand in the strip, 0 at its foot to 1 at its top."""
    return np.clip((np.asarray(values, np.float64) - FLOOR) / (1 - FLOOR), 0, 1)


def confidence_lines(confidence: Confidences, axis: TimeAxis, area: QRectF) -> list[QPolygonF]:
    """One line per stretch of known values, 1 at the top of the area, `FLOOR` and less at its foot.

    Where frames share a pixel, the lowest counts.
    """
    first, last = axis.frame_at(area.left()), axis.frame_at(area.right())
    values = confidence[first : last + 1]
    x = axis.left + (np.arange(first, last + 1) + 0.5 - axis.start) * axis.frame_width
    if axis.frame_width < 1:
        columns = np.floor(x).astype(np.int64)
        begins = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
        values, x = np.fmin.reduceat(values, begins), columns[begins] + 0.5
    known = ~np.isnan(values)
    edges = np.flatnonzero(np.diff(known.astype(np.int8), prepend=0, append=0))
    lines = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        y = area.bottom() - _height(values[start:stop]) * area.height()
        points = [QPointF(px, py) for px, py in zip(x[start:stop].tolist(), y.tolist(), strict=True)]
        if len(points) == 1:  # a line needs two ends
            points = [points[0] - QPointF(1, 0), points[0] + QPointF(1, 0)]
        lines.append(QPolygonF(points))
    return lines
