"""What the timeline shows and where: the video's length, lanes, playhead, marks, zoom. GUI thread.

Painting works on runs of frames and on the region that changed, so a playhead that moves in a video of 10,000 frames
repaints two stripes.
"""
from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PyQt5.QtWidgets import QScrollBar, QSizePolicy, QWidget

from gui import theme
from gui.timeline_axis import TimeAxis
from gui.timeline_paint import (
    Lane,
    LaneShape,
    Metrics,
    flag_rect,
    paint_in_out,
    paint_label,
    paint_lane,
    paint_playhead,
    paint_progress,
    paint_ruler,
)
from gui.timeline_strips import NUM_STRIPS, Strips, paint_strip, paint_strip_label

SCROLL_PER_NOTCH = 0.12
"""Part of what is shown."""
FIRST_ROWS, COMFORTABLE_ROWS = 4, 7
"""Room is asked for at least and at most for so many: some objects, and the strips below them."""


class TimelineView(QWidget):
    """Knows the video, its lanes, the playhead and which part is in view; mouse and keys are `Timeline`'s."""

    rows_changed = pyqtSignal()
    """There are more lanes or strips than before, or fewer; `sizeHint` says how high they are together."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        self.setAccessibleName("Timeline")
        self.setAccessibleDescription("Frames and masks of every object. Click seeks, wheel zooms, Shift+wheel scrolls")
        self.setAttribute(Qt.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.TabFocus)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Preferred)
        self._times: tuple[float, ...] = ()
        self._frame = 0
        self._asked = 0
        self._shapes: list[LaneShape] = []
        self._strips: Strips | None = None
        self._selected: int | None = None
        self._progress: range | None = None
        self._in_out: range | None = None
        self._axis = TimeAxis(1, 0.0, 1.0)
        self._metrics = Metrics.of(self.font())
        self._hover: int | None = None
        self._across = QScrollBar(Qt.Horizontal, self)
        self._down = QScrollBar(Qt.Vertical, self)
        self._across.valueChanged.connect(self._on_scrolled_across)
        self._down.valueChanged.connect(self.update)
        self._layout()

    # -- what is shown

    def set_length(self, num_frames: int, times: Sequence[float]) -> None:
        """Another video: `times[frame]` in seconds. 0 frames: an empty timeline. Shows the whole video, frame 0.

        Raises ValueError if the two disagree.
        """
        if num_frames != len(times):
            raise ValueError(f"{num_frames} times expected, got {len(times)}")
        self._times = tuple(times)
        self._frame = self._asked = 0
        self._progress = self._in_out = None
        self._hover = None
        self.fit()

    def set_frame(self, frame: int) -> None:
        """Move the playhead. Raises IndexError for a frame the video does not have."""
        if not 0 <= frame < len(self._times):
            raise IndexError(f"frame {frame} of {len(self._times)}")
        self._asked = frame
        if frame == self._frame:
            return
        self._update_playhead()
        self._frame = frame
        self._set_axis(self._axis.showing(frame))
        self._update_playhead()

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """The objects, from top to bottom. Lanes that stay the same are not repainted."""
        old = self._shapes
        kept = {shape.lane: shape for shape in old}
        self._shapes = [kept.get(lane) or LaneShape.of(lane) for lane in lanes]
        if len(old) != len(self._shapes):
            self._on_rows_changed()
            return
        for row, (before, after) in enumerate(zip(old, self._shapes, strict=True)):
            if before.lane != after.lane:
                self.update(self._row_rect(row).toAlignedRect())

    def set_strips(self, strips: Strips | None) -> None:
        """Confidence and review of one object below the lanes; None for neither."""
        if strips == self._strips:
            return
        was_shown, self._strips = self._strips is not None, strips
        if was_shown != (strips is not None):
            self._on_rows_changed()
        for strip in range(NUM_STRIPS):
            self.update(self._row_rect(len(self._shapes) + strip).toAlignedRect())

    def _on_rows_changed(self) -> None:
        self.updateGeometry()
        self._layout()
        self.rows_changed.emit()

    def set_selected(self, object_id: int | None) -> None:
        """Emphasise the label of one object."""
        if object_id != self._selected:
            self._selected = object_id
            self.update()

    def set_progress(self, first: int | None, last: int | None = None) -> None:
        """Shade frames first..last, both included: what a running propagation has reached. `None` ends the shading."""
        progress = None if first is None or last is None else range(min(first, last), max(first, last) + 1)
        if progress != self._progress:
            self._progress = progress
            self.update()

    def set_in_out(self, frames: range | None) -> None:
        """Shade what lies outside the in and out marks. `None`: none is set."""
        if frames != self._in_out:
            self._in_out = frames
            self.update()

    # -- view

    @property
    def axis(self) -> TimeAxis:
        """Which frames are shown where; one frame long without a video."""
        return self._axis

    def fit(self) -> None:
        """Show the whole video."""
        self._axis = TimeAxis(max(len(self._times), 1), 0.0, 1.0)
        self._layout()

    def frame_to_x(self, frame: int) -> float:
        """Widget x of a frame's middle, which may be out of view."""
        return self._axis.middle(frame)

    def sizeHint(self) -> QSize:
        rows = min(max(self._num_rows, FIRST_ROWS), COMFORTABLE_ROWS)
        metrics = self._metrics
        return QSize(metrics.label * 5, metrics.ruler + rows * metrics.row + metrics.pad + self._bar_width())

    def minimumSizeHint(self) -> QSize:
        metrics = self._metrics
        return QSize(metrics.label * 2, metrics.ruler + metrics.row + metrics.pad)

    @property
    def _num_rows(self) -> int:
        return len(self._shapes) + (NUM_STRIPS if self._strips is not None else 0)

    def _bar_width(self) -> int:
        return self._across.sizeHint().height()

    def _layout(self) -> None:
        """Place the axis and the scroll bars for the widget's size; repaints."""
        metrics, bar = self._metrics, self._bar_width()
        rows = metrics.row * self._num_rows
        room = self.height() - metrics.ruler - bar
        right = metrics.pad + (bar if rows > room else 0)
        width = max(float(self.width() - metrics.label - right), 1.0)
        axis = self._axis
        self._axis = TimeAxis(axis.num_frames, float(metrics.label), width, axis.zoom, axis.start)
        self._down.setRange(0, max(rows - room, 0))
        self._down.setPageStep(max(room, 1))
        self._down.setSingleStep(metrics.row)
        self._down.setGeometry(self.width() - bar, metrics.ruler, bar, max(room, 0))
        self._down.setVisible(rows > room)
        self._across.setGeometry(metrics.label, self.height() - bar, round(width), bar)
        self._sync_across()
        self.update()

    def _set_axis(self, axis: TimeAxis) -> None:
        if axis != self._axis:
            self._axis = axis
            self._sync_across()
            self.update()

    def _sync_across(self) -> None:
        axis = self._axis
        hidden = round((axis.num_frames - axis.shown) * axis.frame_width)
        self._across.blockSignals(True)
        self._across.setRange(0, hidden)
        self._across.setPageStep(round(axis.width))
        self._across.setSingleStep(max(round(axis.width * SCROLL_PER_NOTCH), 1))
        self._across.setValue(round(axis.start * axis.frame_width))
        self._across.blockSignals(False)
        self._across.setVisible(hidden > 0)

    def _on_scrolled_across(self, value: int) -> None:
        self._set_axis(self._axis.scrolled(value / self._axis.frame_width - self._axis.start))

    def _row_rect(self, row: int) -> QRectF:
        top = self._metrics.ruler + row * self._metrics.row - self._down.value()
        return QRectF(0, top, self.width(), self._metrics.row)

    def _row_at(self, y: float) -> int | None:
        row = int((y - self._metrics.ruler + self._down.value()) // self._metrics.row)
        return row if y >= self._metrics.ruler and 0 <= row < len(self._shapes) else None

    def _strip_at(self, y: float) -> int | None:
        row = int((y - self._metrics.ruler + self._down.value()) // self._metrics.row) - len(self._shapes)
        return row if y >= self._metrics.ruler and self._strips is not None and 0 <= row < NUM_STRIPS else None

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        region = QRectF(event.rect())
        painter.fillRect(region, QColor(theme.TIMELINE))
        painter.setRenderHint(QPainter.Antialiasing)
        self._paint_rows(painter, region)
        if self._times:
            self._paint_axis(painter, region)
        if self.hasFocus():
            painter.setPen(QColor(theme.ACCENT_LIGHT))
            painter.setBrush(Qt.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _paint_rows(self, painter: QPainter, region: QRectF) -> None:
        metrics, axis = self._metrics, self._axis
        lanes = QRectF(axis.left, metrics.ruler, axis.width, self.height())
        for row in range(self._num_rows):
            place = self._row_rect(row)
            if not place.intersects(region) or place.bottom() <= metrics.ruler:
                continue
            shape = self._shapes[row] if row < len(self._shapes) else None
            painter.setClipRect(QRectF(0, metrics.ruler, metrics.label, self.height()))
            label = QRectF(0, place.top(), metrics.label, place.height())
            if region.left() < metrics.label and shape is not None:
                is_selected = shape.lane.object_id == self._selected
                paint_label(painter, shape.lane, label, metrics, self.font(), is_selected)
            elif region.left() < metrics.label and self._strips is not None:
                paint_strip_label(painter, self._strips.label(row - len(self._shapes)), label, metrics, self.font())
            painter.setClipRect(lanes)
            margin = (metrics.row - metrics.bar) / 2
            bar = QRectF(axis.left, place.top() + round(margin), axis.width, metrics.bar)
            if shape is not None:
                paint_lane(painter, shape, bar, axis, region & lanes)
            elif self._strips is not None:
                paint_strip(painter, self._strips, row - len(self._shapes), bar, axis)
        painter.setClipping(False)

    def _paint_axis(self, painter: QPainter, region: QRectF) -> None:
        metrics, axis = self._metrics, self._axis
        bottom = float(self._across.geometry().top())
        painter.fillRect(QRectF(0, 0, self.width(), metrics.ruler), QColor(theme.TIMELINE))
        paint_ruler(painter, axis, metrics, self.font(), region)
        painter.setClipRect(QRectF(axis.left, 0, axis.width, bottom))
        if self._in_out is not None:
            paint_in_out(painter, axis, self._in_out, metrics, bottom)
        if self._progress is not None:
            left, right = axis.x(self._progress.start), axis.x(self._progress.stop)
            paint_progress(painter, QRectF(left, metrics.ruler, right - left, bottom - metrics.ruler), metrics.ruler)
        if self._hover is not None and self._hover != self._frame:
            x = round(axis.middle(self._hover))
            painter.fillRect(QRectF(x, metrics.ruler * 0.7, 1, bottom), QColor(255, 255, 255, 70))
        paint_playhead(painter, axis, self._frame, metrics, self.font(), bottom)
        painter.setClipping(False)

    def _update_playhead(self) -> None:
        flag = flag_rect(self._axis, self._frame, self._metrics, self.font())
        reach = max(self._axis.frame_width / 2, 1.0) + 1
        middle = self._axis.middle(self._frame)
        self.update(flag.adjusted(-1, -1, 1, 1).toAlignedRect())
        self.update(QRectF(middle - reach, 0, 2 * reach, self.height()).toAlignedRect())

    def _set_hover(self, frame: int | None) -> None:
        for shown in (self._hover, frame) if frame != self._hover else ():
            if shown is not None:
                self.update(QRectF(self._axis.middle(shown) - 2, 0, 5, self.height()).toAlignedRect())
        self._hover = frame

    # -- widget events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.FontChange, QEvent.StyleChange):
            self._metrics = Metrics.of(self.font())
            self.updateGeometry()
            self._layout()
