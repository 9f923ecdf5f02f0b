"""The picture that the user works on: shows a frame with its masks, turns the pointer into image coordinates.

Knows nothing of sessions, tools or stores: the controller sets what is shown and listens to the signals. GUI thread
only.
"""
from __future__ import annotations

from collections.abc import Collection, Sequence

from PyQt5.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QHideEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PyQt5.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.canvas_drop import CanvasDrop
from gui.canvas_paint import (
    chip_rect,
    paint_brush,
    paint_chip,
    paint_drop_target,
    paint_empty,
    paint_picture,
    widget_rect,
)
from gui.canvas_picture import PIXELS_FROM, CanvasPicture, Fill, Levels, OverlayStyle
from gui.canvas_pointer import Touch
from gui.markers import Marker, marker_bounds, paint_marker
from gui.pixel_outline import SELECTED_LINE, paint_outlines
from util.palette import OwnColors, OwnOpacities
from util.types import ImageAlpha, ImageU8, IndexMask, Rect
from util.view_transform import Point, ViewTransform

FIT_MARGIN = 12.0
"""Widget pixels left free around a fitted image."""
NOTCH = 120
"""Qt's wheel units per notch."""
NOTCHES_PER_DOUBLING = 3.0
PIXELS_PER_DOUBLING = 240.0
"""For touchpads that report pixels only."""


class Canvas(CanvasDrop):
    """Shows one image; the view fits it until the user zooms or pans, and again after `fit`.

    The arrays given to `set_image` and `set_mask` are kept, not copied. A canvas without an image says what to do.
    """

    view_changed = pyqtSignal(object)
    """The new ViewTransform: zoom, pan, another size of the widget or the image. None without an image."""
    brush_resized = pyqtSignal(int)
    """Ctrl+wheel: +1 or -1 for every notch."""
    content_changed = pyqtSignal()
    """Another frame, mask or look."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAccessibleName("Frame")
        self.setAccessibleDescription("The current frame with its masks. Wheel zooms, middle button or Space pans.")
        self.setAttribute(Qt.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self._picture = CanvasPicture()
        self._is_fitted = True
        self._markers: tuple[Marker, ...] = ()
        self._brush: float | None = None
        self._caption = ""
        self._wheel_rest = 0

    # -- what is shown

    def set_image(self, image: ImageU8 | None) -> None:
        """Show a frame, uint8 [H, W, 3]. One of the same size keeps the view and the mask; another is fitted.

        Raises ValueError for another dtype or shape.
        """
        before = self._picture.size
        self._picture.set_image(image)
        size = self._picture.size
        if size != before:
            self._end_drag("cancel")
            self._is_fitted = True
            self._layout_view()
            self._update_cursor()
        self.update()
        self.content_changed.emit()

    def set_mask(self, mask: IndexMask | None, rect: Rect | None = None) -> None:
        """Show the masks of the frame, uint8 [H, W]; None shows the bare frame.

        Args:
            mask: same size as the image.
            rect: where it differs from what is shown; only that is composed and painted again. None: everywhere.

        Raises ValueError if the size differs from the image's or there is no image.
        """
        changed = self._picture.set_mask(mask, rect)
        if self._view is not None and not changed.is_empty:
            bleed = self._view.scale + SELECTED_LINE
            area = widget_rect(changed, self._view).adjusted(-bleed, -bleed, bleed, bleed)
            self.update(area.toAlignedRect())
            self.content_changed.emit()

    def set_matte(self, alpha: ImageAlpha | None) -> None:
        """Show the frame cut out by a soft matte instead of the masks, see `CanvasPicture.set_matte`."""
        if self._picture.set_matte(alpha):
            self.update()
            self.content_changed.emit()

    def set_style(
        self, *, opacity: float, contour: bool, hidden: Collection[int], selected: int | None, fill: Fill = "blend",
        own: OwnColors = (), opacities: OwnOpacities = (),
    ) -> None:
        """How masks look, see `OverlayStyle`. Raises ValueError for an opacity outside 0..1."""
        style = OverlayStyle.of(
            opacity=opacity, contour=contour, hidden=hidden, selected=selected, fill=fill, own=own, opacities=opacities
        )
        if self._picture.set_style(style):
            self.update()
            self.content_changed.emit()

    def set_levels(self, levels: Levels) -> None:
        """Brightness and contrast of the frame, on screen only."""
        if self._picture.set_levels(levels):
            self.update()
            self.content_changed.emit()

    @property
    def picture(self) -> CanvasPicture:
        """What is shown, for other views of it to read."""
        return self._picture

    @property
    def markers(self) -> tuple[Marker, ...]:
        """What was set last."""
        return self._markers

    def set_markers(self, markers: Sequence[Marker]) -> None:
        """Replace the clicks, strokes and outlines over the image."""
        old, self._markers = self._markers, tuple(markers)
        if self._view is None:
            return
        # Markers before the first difference and after it usually stay: a growing stroke is the last one.
        touched = QRectF()
        for marker in set(old).symmetric_difference(self._markers):
            touched |= marker_bounds(marker, self._view)
        self.update(touched.toAlignedRect())

    def set_brush(self, diameter: float | None) -> None:
        """Show a circle of this many image pixels at the pointer; None shows none."""
        self._update_brush()
        self._brush = diameter
        self._update_brush()

    def set_caption(self, text: str) -> None:
        """The words of the chip at the top left, before the zoom. Empty: no chip."""
        self._update_chip()
        self._caption = text
        self._update_chip()

    # -- view

    @property
    def view(self) -> ViewTransform | None:
        """Where the image lies; None without an image."""
        return self._view

    def fit(self) -> None:
        """Show the whole image, and keep doing so when the widget's size changes."""
        self._is_fitted = True
        self._layout_view()

    def actual_size(self) -> None:
        """One image pixel on one pixel of the screen, the image's middle in the middle."""
        if self._view is not None:
            self._is_fitted = False
            self._set_view(
                ViewTransform.actual_size(self._view.image, self.width(), self.height(), self.devicePixelRatioF())
            )

    def zoom_by(self, factor: float, center: QPointF | None = None) -> None:
        """Zoom by a factor, keeping the image point under the widget point `center` (default: the middle) in place."""
        if self._view is not None:
            self._is_fitted = False
            at = None if center is None else Point(center.x(), center.y())
            self._set_view(self._view.with_zoom(self._view.zoom * factor, at))

    def centre_on(self, x: float, y: float) -> None:
        """Move the view so that an image point comes to its middle, as far as the view's limits let it."""
        at = self.image_to_widget(x, y)
        self._pan(self.width() / 2 - at.x(), self.height() / 2 - at.y())

    def image_to_widget(self, x: float, y: float) -> QPointF:
        """Widget position of an image point. Raises RuntimeError without an image."""
        return QPointF(*self._needed_view().to_widget(x, y))

    def widget_to_image(self, point: QPointF) -> Point:
        """Image position of a widget point, also beside the image. Raises RuntimeError without an image."""
        return self._needed_view().to_image(point.x(), point.y())

    def _needed_view(self) -> ViewTransform:
        if self._view is None:
            raise RuntimeError("the canvas shows no image")
        return self._view

    def _pan(self, dx: float, dy: float) -> None:
        self._is_fitted = False
        self._set_view(self._needed_view().panned(dx, dy))

    def _layout_view(self) -> None:
        """Adapt the view to the widget's size and pixel ratio, or to another image."""
        size = self._picture.size
        ratio = self.devicePixelRatioF()
        if size is None:
            self._set_view(None)
        elif self._is_fitted or self._view is None:
            self._set_view(ViewTransform.fitted(size, self.width(), self.height(), ratio, FIT_MARGIN))
        else:
            self._set_view(self._view.resized(self.width(), self.height(), ratio))

    def _set_view(self, view: ViewTransform | None) -> None:
        if view != self._view:
            self._view = view
            self.update()
            self._report_hover()
            self.view_changed.emit(view)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        # Qt repaints a widget that comes to a screen of another pixel ratio, and PyQt knows no event that says so.
        if self._view is not None and self._view.pixel_ratio != self.devicePixelRatioF():
            self._layout_view()
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(theme.CANVAS))
        view = self._view
        picture = None if view is None else self._picture.render(view.zoom)
        if view is None or picture is None:
            painter.setRenderHint(QPainter.Antialiasing)
            paint_empty(painter, self.rect(), self.font())
        else:
            paint_picture(painter, picture, self._picture.level, view)
            painter.setRenderHint(QPainter.Antialiasing)
            region = QRectF(event.rect())
            mask, style = self._picture.mask, self._picture.style
            has_lines = style.contour and view.zoom >= PIXELS_FROM and not self._picture.has_matte
            if mask is not None and has_lines:
                paint_outlines(
                    painter, mask, view, region, hidden=style.hidden, selected=style.selected,
                    own=style.own,
                )
            for marker in self._markers:
                if marker_bounds(marker, view).intersects(region):
                    paint_marker(painter, marker, view)
            if self._brush is not None and self._hover is not None and not self.is_panning:
                paint_brush(painter, self._hover, self._brush * view.scale / 2)
            if self._caption:
                paint_chip(painter, self._chip_text(), self.font())
        if self._is_drop_target:
            paint_drop_target(painter, self.rect())
        painter.end()

    def _chip_text(self) -> str:
        zoom = self._needed_view().zoom * 100
        return f"{self._caption} · {zoom:.0f} %" if zoom >= 10 else f"{self._caption} · {zoom:.1f} %"

    def _update_chip(self) -> None:
        if self._caption and self._view is not None:
            self.update(chip_rect(self._chip_text(), self.font()).toAlignedRect())

    def _update_brush(self) -> None:
        if self._brush is not None and self._hover is not None and self._view is not None:
            reach = self._brush * self._view.scale / 2 + 3
            area = QRectF(self._hover.x() - reach, self._hover.y() - reach, 2 * reach, 2 * reach)
            self.update(area.toAlignedRect())

    # -- events that are not the pointer's buttons and moves (those: CanvasPointer)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.ZoomNativeGesture:
            self.zoom_by(max(1.0 + event.value(), 0.1), event.localPos())
            return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms at the pointer; with Ctrl changes the brush."""
        if self._view is None:
            event.ignore()
            return
        delta = event.angleDelta().y()
        if event.modifiers() & Qt.ControlModifier:
            self._wheel_rest += delta
            while abs(self._wheel_rest) >= NOTCH:
                step = 1 if self._wheel_rest > 0 else -1
                self._wheel_rest -= step * NOTCH
                self.brush_resized.emit(step)
        elif delta:
            self.zoom_by(2.0 ** (delta / (NOTCH * NOTCHES_PER_DOUBLING)), event.position())
        elif not event.pixelDelta().isNull():
            self.zoom_by(2.0 ** (event.pixelDelta().y() / PIXELS_PER_DOUBLING), event.position())
        event.accept()

    def _moved(self, touch: Touch) -> None:
        self._update_brush()
        super()._moved(touch)
        self._update_brush()

    def leaveEvent(self, event: QEvent) -> None:
        self._update_brush()
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout_view()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._layout_view()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._end_drag("release")
