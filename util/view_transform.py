"""Where an image lies in a widget: the one place that converts between image and widget coordinates.

Image points are `(x, y)` floats, pixel (c, r) covers [c, c+1) x [r, r+1). Widget points are Qt's device-independent
pixels. Zoom is what the user reads: 1.0 shows one image pixel on one pixel of the *screen*, so on a screen with pixel
ratio 2 the scale in widget units is half the zoom. Pure values, no Qt.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from util.types import Rect, Size

MIN_ZOOM = 0.05
MAX_ZOOM = 64.0
MIN_VISIBLE = 48.0
"""Widget pixels of the image that panning leaves in view, so that it cannot be lost."""


class Point(NamedTuple):
    """x to the right, y down."""

    x: float
    y: float


@dataclass(frozen=True)
class ViewTransform:
    """An image of `image` pixels seen through a view of `view_width` x `view_height` widget pixels.

    Args:
        image: size of the image, at least 1 x 1.
        view_width: width of the view.
        view_height: height of the view.
        pixel_ratio: screen pixels per widget pixel.
        scale: widget pixels per image pixel.
        offset_x: widget x of the image's left edge.
        offset_y: widget y of the image's top edge.
    """

    image: Size
    view_width: float
    view_height: float
    pixel_ratio: float
    scale: float
    offset_x: float
    offset_y: float

    @classmethod
    def fitted(
        cls, image: Size, view_width: float, view_height: float, pixel_ratio: float = 1.0, margin: float = 0.0
    ) -> ViewTransform:
        """The whole image, as large as it goes, in the middle. Raises ValueError for an image without pixels."""
        if image.width < 1 or image.height < 1:
            raise ValueError(f"an image of at least 1x1 pixels expected, got {image}")
        room_x = max(view_width - 2 * margin, 1.0)
        room_y = max(view_height - 2 * margin, 1.0)
        scale = min(room_x / image.width, room_y / image.height, MAX_ZOOM / pixel_ratio)
        return cls._centred(image, view_width, view_height, pixel_ratio, scale)

    @classmethod
    def actual_size(cls, image: Size, view_width: float, view_height: float, pixel_ratio: float = 1.0) -> ViewTransform:
        """Zoom 1 with the image's middle in the view's, aligned to whole screen pixels."""
        return cls._centred(image, view_width, view_height, pixel_ratio, 1.0 / pixel_ratio).aligned()

    @classmethod
    def _centred(cls, image: Size, width: float, height: float, pixel_ratio: float, scale: float) -> ViewTransform:
        left = (width - image.width * scale) / 2
        top = (height - image.height * scale) / 2
        return cls(image, width, height, pixel_ratio, scale, left, top)

    @property
    def zoom(self) -> float:
        """Screen pixels per image pixel."""
        return self.scale * self.pixel_ratio

    def to_widget(self, x: float, y: float) -> Point:
        """Widget coordinates of an image point."""
        return Point(x * self.scale + self.offset_x, y * self.scale + self.offset_y)

    def to_image(self, x: float, y: float) -> Point:
        """Image coordinates of a widget point, also of one beside the image."""
        return Point((x - self.offset_x) / self.scale, (y - self.offset_y) / self.scale)

    def is_inside(self, point: Point) -> bool:
        """Whether an image point lies on a pixel of the image."""
        return 0 <= point.x < self.image.width and 0 <= point.y < self.image.height

    def with_zoom(self, zoom: float, at: Point | None = None) -> ViewTransform:
        """The same view at another zoom, within the limits.

        Args:
            zoom: screen pixels per image pixel.
            at: widget point that keeps its image point; the view's middle by default. Beside the image the nearest
                point of the image stays, so that zooming in never loses it.
        """
        smallest = min(MIN_ZOOM, self.fitted(self.image, self.view_width, self.view_height, self.pixel_ratio).zoom)
        scale = min(max(zoom, smallest), MAX_ZOOM) / self.pixel_ratio
        anchor = at or Point(self.view_width / 2, self.view_height / 2)
        inside = self.to_image(*anchor)
        inside = Point(min(max(inside.x, 0.0), self.image.width), min(max(inside.y, 0.0), self.image.height))
        anchor = self.to_widget(*inside)
        return replace(
            self, scale=scale, offset_x=anchor.x - inside.x * scale, offset_y=anchor.y - inside.y * scale
        )

    def panned(self, dx: float, dy: float) -> ViewTransform:
        """Moved by widget pixels; at least `MIN_VISIBLE` of the image (or all of a smaller one) stays in view."""
        return replace(
            self,
            offset_x=_keep_visible(self.offset_x + dx, self.image.width * self.scale, self.view_width),
            offset_y=_keep_visible(self.offset_y + dy, self.image.height * self.scale, self.view_height),
        )

    def resized(self, view_width: float, view_height: float, pixel_ratio: float) -> ViewTransform:
        """The same zoom in a view of another size, with the same image point in the middle."""
        middle = self.to_image(self.view_width / 2, self.view_height / 2)
        scale = self.zoom / pixel_ratio
        moved = ViewTransform(
            self.image, view_width, view_height, pixel_ratio, scale,
            view_width / 2 - middle.x * scale, view_height / 2 - middle.y * scale,
        )
        return moved.panned(0.0, 0.0)

    def aligned(self) -> ViewTransform:
        """Moved by less than a screen pixel so that the image starts on one: at zoom 1 nothing needs resampling."""
        ratio = self.pixel_ratio
        return replace(
            self, offset_x=round(self.offset_x * ratio) / ratio, offset_y=round(self.offset_y * ratio) / ratio
        )

    def visible_pixels(self, left: float, top: float, right: float, bottom: float) -> Rect:
        """The image pixels that a rectangle of the widget touches, clipped to the image (possibly empty)."""
        start, end = self.to_image(left, top), self.to_image(right, bottom)
        touched = Rect(math.floor(start.x), math.floor(start.y), math.ceil(end.x), math.ceil(end.y))
        return touched.clipped(self.image)


def _keep_visible(offset: float, extent: float, view: float) -> float:
    """`offset` moved so that a strip of `extent` pixels starting there overlaps 0..view enough."""
    visible = min(MIN_VISIBLE, extent, view)
    return min(max(offset, visible - extent), view - visible)
