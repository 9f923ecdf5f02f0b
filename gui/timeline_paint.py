"""How the timeline looks: ruler, lanes, key-frame ticks, playhead. Paints what a region needs and nothing else."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from gui import theme
from gui.timeline_axis import TimeAxis, pixel_runs

MAX_ROUNDED = 100
"""More runs than this in one lane are painted as plain rectangles: rounded corners would not be seen and take time."""
CELL_FROM = 6.0
"""Width of a frame from which the playhead shows the whole cell."""


@dataclass(frozen=True)
class Lane:
    """One object's row.

    Args:
        object_id: 1..254.
        name: what the label says after the id.
        color: RGB 0..255, of `util.palette.object_color`.
        keys: frames that the user fixed.
        frames: runs of frames where the object has a mask, ascending, not touching.
        locked, verified: runs of frames where it carries these marks, likewise.
        propagated, suspect: where its mask was carried by an engine, and where that is doubtful.
    """

    object_id: int
    name: str
    color: tuple[int, int, int]
    keys: frozenset[int] = frozenset()
    frames: tuple[range, ...] = ()
    locked: tuple[range, ...] = ()
    verified: tuple[range, ...] = ()
    propagated: tuple[range, ...] = ()
    suspect: tuple[range, ...] = ()


class Stretches(NamedTuple):
    """Runs of frames as arrays, ascending."""

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    @classmethod
    def of(cls, runs: Sequence[range]) -> Stretches:
        return cls(
            np.fromiter((run.start for run in runs), np.int64, len(runs)),
            np.fromiter((run.stop for run in runs), np.int64, len(runs)),
        )

    def __contains__(self, frame: object) -> bool:
        place = int(np.searchsorted(self.starts, cast(int, frame), "right")) - 1
        return place >= 0 and cast(int, frame) < int(self.stops[place])

    def between(self, first: int, last: int) -> Stretches:
        """Those that reach into the frames `first..last`."""
        begin, end = int(np.searchsorted(self.stops, first, "right")), int(np.searchsorted(self.starts, last, "right"))
        return Stretches(self.starts[begin:end], self.stops[begin:end])


@dataclass(frozen=True)
class LaneShape:
    """A lane as arrays, made once per change. `key_gap`: frames between the two closest key frames."""

    lane: Lane
    masks: Stretches = field(compare=False)
    locked: Stretches = field(compare=False)
    verified: Stretches = field(compare=False)
    propagated: Stretches = field(compare=False)
    suspect: Stretches = field(compare=False)
    keys: NDArray[np.int64] = field(compare=False)
    key_gap: int = field(compare=False)

    @classmethod
    def of(cls, lane: Lane) -> LaneShape:
        kinds = (lane.frames, lane.locked, lane.verified, lane.propagated, lane.suspect)
        stretches = (Stretches.of(runs) for runs in kinds)
        keys = np.sort(np.fromiter(lane.keys, np.int64, len(lane.keys)))
        return cls(lane, *stretches, keys, int(np.diff(keys).min(initial=1 << 40)))

    def describe(self, frame: int) -> str:
        """One line for the tooltip: the object and its state on a frame."""
        is_key, has_mask = frame in self.lane.keys, frame in self.masks
        states = ["key frame"] if is_key else []
        if not has_mask:
            states.append("absent" if is_key or frame in self.verified else "empty (no mask)")
        elif not is_key:
            states.append("propagated" if frame in self.propagated else "mask")
        marks = (("suspect", self.suspect), ("locked", self.locked), ("verified", self.verified))
        states += [name for name, runs in marks if frame in runs]
        return f"{self.lane.object_id} {self.lane.name}: {', '.join(states)}"


class Metrics(NamedTuple):
    """Lengths in widget pixels, all from the font's height."""

    ruler: int
    row: int
    bar: int
    label: int
    pad: int

    @classmethod
    def of(cls, font: QFont) -> Metrics:
        metrics = QFontMetricsF(font)
        line = metrics.height()
        return cls(
            ruler=round(line * 1.75), row=round(line * 1.45), bar=round(line * 1.0),
            label=round(metrics.averageCharWidth() * 24), pad=round(line * 0.6),
        )


def small(font: QFont) -> QFont:
    """The font of numbers."""
    result = QFont(font)
    result.setPointSizeF(font.pointSizeF() * 0.88)
    return result


def paint_ruler(painter: QPainter, axis: TimeAxis, metrics: Metrics, font: QFont, region: QRectF) -> None:
    """Ticks and frame numbers at nice steps."""
    font = small(font)
    letters = QFontMetricsF(font)
    widest = letters.horizontalAdvance(str(axis.num_frames))
    step = axis.major_step(max(widest * 2.2, letters.height() * 4))
    minor = next((step // n for n in (5, 2) if step % n == 0 and step / n * axis.frame_width >= 6), step)
    right = axis.left + axis.width
    first = max(axis.frame_at(region.left() - widest), 0)
    last = axis.frame_at(region.right() + widest)
    painter.setFont(font)
    for frame in range(first - first % minor, last + 1, minor):
        x = round(axis.middle(frame)) + 0.5
        if x < axis.left or x > right:
            continue
        is_major = frame % step == 0
        painter.setPen(QPen(QColor(theme.TEXT_DISABLED if is_major else theme.BORDER), 1))
        height = metrics.ruler * (0.26 if is_major else 0.14)
        painter.drawLine(QPointF(x, metrics.ruler - height), QPointF(x, metrics.ruler - 1))
        text = str(frame)
        width = letters.horizontalAdvance(text)
        if is_major and x + width / 2 <= right + metrics.pad:
            painter.setPen(QColor(theme.TEXT_MUTED))
            place = QRectF(x - width / 2, 0, width + 1, metrics.ruler * 0.78)
            painter.drawText(place, Qt.AlignCenter | Qt.TextDontClip, text)


def paint_lane(painter: QPainter, shape: LaneShape, bar: QRectF, axis: TimeAxis, region: QRectF) -> None:
    """A row's ground, its runs of masks, suspect ones in orange, locked ones edged above, verified ones below, and its
    key-frame ticks.

    Args: bar: where they go.
    """
    radius = bar.height() / 6
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor(theme.LANE))
    painter.drawRoundedRect(bar, radius, radius)
    first, last = axis.frame_at(region.left() - 1), axis.frame_at(region.right() + 1)
    pixel = 1.0 / painter.device().devicePixelRatioF()
    runs = pixel_runs(*shape.masks.between(first, last), axis, pixel)
    painter.setBrush(_blend(QColor(*shape.lane.color), QColor(theme.LANE), 0.5))
    _paint_spans(painter, runs, bar, radius)
    painter.setBrush(_blend(QColor(theme.WARNING), QColor(theme.LANE), 0.7))
    _paint_spans(painter, pixel_runs(*shape.suspect.between(first, last), axis, pixel), bar, radius)
    edge = max(2.0, round(bar.height() / 7))
    for marks, color, top in (
        (shape.locked, theme.TEXT, bar.top()), (shape.verified, theme.POSITIVE, bar.bottom() - edge)
    ):
        painter.setBrush(QColor(color))
        spans = pixel_runs(*marks.between(first, last), axis, pixel)
        _paint_spans(painter, spans, QRectF(0, top, 0, edge), edge / 2)
    _paint_keys(painter, shape, bar, axis, first, last)


def _paint_keys(painter: QPainter, shape: LaneShape, bar: QRectF, axis: TimeAxis, first: int, last: int) -> None:
    """White ticks, narrow in a lane that has them close together; those that touch become one block."""
    is_crowded = shape.key_gap * axis.frame_width < bar.height() * 0.5
    width = 3.0 if is_crowded else float(max(3, round(bar.height() * 0.4)))
    margin = int(width / axis.frame_width) + 1
    begin, end = np.searchsorted(shape.keys, (first - margin, last + margin + 1))
    if begin == end:
        return
    middles = axis.left + (shape.keys[begin:end] + 0.5 - axis.start) * axis.frame_width
    # The first and the last frame's ticks move inwards rather than being cut off.
    is_shown = (middles >= axis.left) & (middles <= axis.left + axis.width)
    inwards = np.clip(middles - width / 2, axis.left, axis.left + axis.width - width)
    lefts = np.round(np.where(is_shown, inwards, middles - width / 2))
    apart = np.diff(lefts) > width
    spans = np.stack((lefts[np.append(True, apart)], lefts[np.append(apart, True)] + width), axis=1)
    height = round(bar.height() * 0.76)
    tick = QRectF(0, round(bar.top() + (bar.height() - height) / 2), 0, height)
    painter.setBrush(QColor(theme.TEXT_STRONG))
    _paint_spans(painter, spans, tick, 2.0)


def _paint_spans(painter: QPainter, spans: NDArray[np.float64], bar: QRectF, radius: float) -> None:
    """Rectangles from left to right (float64 [n, 2], on screen pixels) as high as `bar`, rounded while they are few."""
    rects = [QRectF(left, bar.top(), right - left, bar.height()) for left, right in spans.tolist()]
    if len(rects) > MAX_ROUNDED:
        painter.setRenderHint(QPainter.Antialiasing, False)
        painter.drawRects(rects)
        painter.setRenderHint(QPainter.Antialiasing)
        return
    for rect in rects:
        corner = min(radius, rect.width() / 3)
        painter.drawRoundedRect(rect, corner, corner)


def paint_label(painter: QPainter, lane: Lane, row: QRectF, metrics: Metrics, font: QFont, is_selected: bool) -> None:
    """The colour, id and name of a lane's object in the left column."""
    if is_selected:
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(theme.ROW_SELECTED))
        painter.drawRoundedRect(row.adjusted(metrics.pad / 2, 1, -metrics.pad / 2, -1), 4, 4)
    side = metrics.bar * 0.6
    swatch = QRectF(row.left() + metrics.pad, row.center().y() - side / 2, side, side)
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor(*lane.color))
    painter.drawRoundedRect(swatch, side / 4, side / 4)
    painter.setFont(font)
    letters = QFontMetricsF(font)
    text = QRectF(swatch.right() + metrics.pad * 0.75, row.top(), 0, row.height())
    text.setRight(row.right() - metrics.pad)
    painter.setPen(QColor(theme.TEXT_STRONG if is_selected else theme.TEXT))
    label = letters.elidedText(f"{lane.object_id} {lane.name}", Qt.ElideRight, text.width())
    painter.drawText(text, Qt.AlignVCenter | Qt.AlignLeft, label)


def paint_progress(painter: QPainter, area: QRectF, ruler: float) -> None:
    """A wash over the frames that a running propagation has reached, with a solid edge under the ruler."""
    wash = QColor(theme.ACCENT_LIGHT)
    wash.setAlpha(46)
    painter.fillRect(area, wash)
    painter.fillRect(QRectF(area.left(), ruler - 1, area.width(), 2.5), QColor(theme.ACCENT_LIGHT))


def paint_in_out(painter: QPainter, axis: TimeAxis, frames: range, metrics: Metrics, bottom: float) -> None:
    """Shade on both sides of the marked part, with a bracket at each end of it."""
    left, right = axis.x(frames.start), axis.x(frames.stop)
    shade = QColor(0, 0, 0, 120)
    height = bottom - metrics.ruler
    painter.fillRect(QRectF(axis.left, metrics.ruler, left - axis.left, height), shade)
    painter.fillRect(QRectF(right, metrics.ruler, axis.left + axis.width - right, height), shade)
    foot = metrics.ruler * 0.35
    for x, inwards in ((left, 1.0), (right - 2, -1.0)):
        painter.fillRect(QRectF(x, metrics.ruler * 0.6, 2, bottom - metrics.ruler * 0.6), QColor(theme.ACCENT_LIGHT))
        painter.fillRect(QRectF(min(x, x + inwards * foot), metrics.ruler * 0.6, foot, 2), QColor(theme.ACCENT_LIGHT))


def flag_rect(axis: TimeAxis, frame: int, metrics: Metrics, font: QFont) -> QRectF:
    """Where the playhead's frame number stands in the ruler."""
    letters = QFontMetricsF(small(font))
    width = letters.horizontalAdvance(str(frame)) + letters.height() * 0.8
    height = letters.height() * 1.1
    left = min(max(axis.middle(frame) - width / 2, axis.left), axis.left + axis.width - width)
    return QRectF(left, (metrics.ruler * 0.78 - height) / 2, width, height)


def paint_playhead(
    painter: QPainter, axis: TimeAxis, frame: int, metrics: Metrics, font: QFont, bottom: float
) -> None:
    """A yellow line through all lanes with the frame's number at its top."""
    color = QColor(theme.PLAYHEAD)
    flag = flag_rect(axis, frame, metrics, font)
    if axis.frame_width >= CELL_FROM:
        wash = QColor(color)
        wash.setAlpha(38)
        painter.fillRect(QRectF(axis.x(frame), metrics.ruler, axis.frame_width, bottom - metrics.ruler), wash)
    painter.fillRect(QRectF(round(axis.middle(frame)) - 1, flag.center().y(), 2, bottom - flag.center().y()), color)
    painter.setPen(Qt.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(flag, flag.height() / 4, flag.height() / 4)
    painter.setFont(small(font))
    painter.setPen(QColor(theme.FIELD))
    painter.drawText(flag, Qt.AlignCenter, str(frame))


def _blend(color: QColor, ground: QColor, share: float) -> QColor:
    """`share` of the colour on the ground."""
    mixed = [round(a * share + b * (1 - share)) for a, b in zip(color.getRgb()[:3], ground.getRgb()[:3], strict=True)]
    return QColor(*mixed)
