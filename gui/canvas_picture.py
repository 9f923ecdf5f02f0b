"""The picture under the canvas's markers: a frame with its masks, composed only where something changed.

Composing happens at the resolution that is shown: a 4K frame in a 1400 pixel window is reduced first (by areas, so fine
texture does not flicker) and then composed, which is faster and keeps outlines readable. GUI thread only.
"""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from PyQt5.QtGui import QImage

from gui.qimage import PixelBuffer
from util.overlay import CONTOUR_MARGIN, compose, cut_out, paint_masks, soft_cut_out
from util.palette import OwnColors, OwnOpacities
from util.types import ImageAlpha, ImageU8, IndexMask, Rect, Size

PIXELS_FROM = 2.5
"""Zoom from which pixels are shown as squares, and outlines as lines between them (`gui.pixel_outline`)."""
_NOTHING = Rect(0, 0, 0, 0)


Fill = Literal["blend", "mask", "cutout"]
"""The masks over the frame, the masks alone, the frame inside the masks alone."""


@dataclass(frozen=True)
class OverlayStyle:
    """How masks look. `opacity` 0..1 of the colour; `hidden` object ids are not shown; `selected` is emphasised.
    `own`: the objects that have another colour than the palette's. `opacities`: those that are fainter than the others.

    Opacities, contours and emphasis are those of the fill "blend".
    """

    opacity: float = 0.5
    contour: bool = True
    hidden: frozenset[int] = field(default=frozenset())
    selected: int | None = None
    fill: Fill = "blend"
    own: OwnColors = ()
    opacities: OwnOpacities = ()

    @classmethod
    def of(
        cls, *, opacity: float, contour: bool, hidden: Collection[int], selected: int | None, fill: Fill = "blend",
        own: OwnColors = (), opacities: OwnOpacities = (),
    ) -> OverlayStyle:
        """Raises ValueError for an opacity outside 0..1."""
        if not 0.0 <= opacity <= 1.0:
            raise ValueError(f"opacity between 0 and 1 expected, got {opacity}")
        return cls(opacity, contour and fill == "blend", frozenset(hidden), selected, fill, own, opacities)


@dataclass(frozen=True)
class Levels:
    """Brightness and contrast of the frame on screen, both -100..100; 0 leaves it as it is."""

    brightness: int = 0
    contrast: int = 0

    @property
    def is_neutral(self) -> bool:
        return self == Levels()


@lru_cache(maxsize=8)
def _levels_table(levels: Levels) -> ImageU8:
    """uint8 [256]: contrast turns about middle grey, by a factor of 1/4 to 4; brightness moves by up to half."""
    values = (np.arange(256) - 127.5) * 4.0 ** (levels.contrast / 100) + 127.5 + 1.275 * levels.brightness
    return np.asarray(np.clip(values + 0.5, 0, 255)).astype(np.uint8)


class CanvasPicture:
    """Owns the pixels on screen. Setters only note what is out of date; `render` composes it once before painting.

    The arrays given to the setters are kept, not copied: who changes one in place says so with `set_mask(mask, rect)`.
    """

    def __init__(self) -> None:
        self._source: ImageU8 | None = None
        self._mask: IndexMask | None = None
        self._matte: ImageAlpha | None = None
        self._style = OverlayStyle()
        self._levels = Levels()
        self._level = 1
        self._is_close = False
        self._reduced: ImageU8 | None = None
        self._buffer: PixelBuffer | None = None
        self._dirty = _NOTHING

    @property
    def size(self) -> Size | None:
        """Size of the frame in its own pixels, None without one."""
        return None if self._source is None else Size(*self._source.shape[:2])

    @property
    def image(self) -> ImageU8 | None:
        """The frame shown, uint8 [H, W, 3], as it was given."""
        return self._source

    @property
    def mask(self) -> IndexMask | None:
        """The mask shown, uint8 [H, W]."""
        return self._mask

    @property
    def has_matte(self) -> bool:
        """Whether a soft matte is shown instead of the mask."""
        return self._matte is not None

    @property
    def style(self) -> OverlayStyle:
        return self._style

    @property
    def levels(self) -> Levels:
        return self._levels

    @property
    def level(self) -> int:
        """Frame pixels per pixel of `render()`'s image, a power of two."""
        return self._level

    def set_image(self, image: ImageU8 | None) -> None:
        """Show another frame, uint8 [H, W, 3]. The mask stays when it has the frame's size and goes otherwise."""
        if image is not None and (image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size):
            raise ValueError(f"uint8 [H, W, 3] expected, got {image.dtype} {list(image.shape)}")
        self._source = image
        self._reduced = None
        if image is None or (self._mask is not None and self._mask.shape != image.shape[:2]):
            self._mask = None
        if image is None or (self._matte is not None and self._matte.shape != image.shape[:2]):
            self._matte = None
        self._invalidate_all()

    def set_mask(self, mask: IndexMask | None, rect: Rect | None = None) -> Rect:
        """Show another mask, or the one shown after a change inside `rect`.

        Returns: the frame pixels whose look may have changed.
        Raises ValueError if the mask has another size than the frame or there is no frame.
        """
        size = self.size
        if size is None:
            if mask is None:
                return _NOTHING
            raise ValueError("a mask needs an image; call set_image first")
        if mask is not None and mask.shape != tuple(size):
            raise ValueError(f"mask of {size} expected, got {Size(*mask.shape[:2])}")
        # A part is enough only if the rest of what was shown stays: there must have been a mask before.
        is_part = rect is not None and self._mask is not None and mask is not None
        self._mask = mask
        changed = rect if is_part and rect is not None else Rect.full(size)
        if changed.is_empty:
            return _NOTHING
        changed = changed.grown(CONTOUR_MARGIN * self._level).clipped(size)
        self._dirty = self._dirty.union(changed)
        return changed

    def set_matte(self, alpha: ImageAlpha | None) -> bool:
        """Show the frame cut out by a soft matte, uint8 [H, W], instead of the mask; None ends that.

        Returns whether anything changed. Raises ValueError for one of another size than the frame.
        """
        if alpha is not None and (self._source is None or alpha.shape != self._source.shape[:2]):
            raise ValueError(f"a matte of {self.size} expected, got {alpha.shape}")
        if alpha is None and self._matte is None:
            return False
        self._matte = alpha
        self._invalidate_all()
        return True

    def set_style(self, style: OverlayStyle) -> bool:
        """Returns whether anything changed."""
        if style == self._style:
            return False
        self._style = style
        self._invalidate_all()
        return True

    def set_levels(self, levels: Levels) -> bool:
        """Returns whether anything changed."""
        if levels == self._levels:
            return False
        self._levels = levels
        self._reduced = None
        self._invalidate_all()
        return True

    def render(self, zoom: float) -> QImage | None:
        """The composed picture for painting at `zoom` screen pixels per frame pixel; None without a frame.

        From `PIXELS_FROM` on it has no outlines.

        The image stays valid until the next call of any method. Its pixel (c, r) shows the frame's pixels
        [c*level, (c+1)*level) x [r*level, (r+1)*level); at the right and bottom it may reach over the frame's edge.
        """
        if self._source is None:
            return None
        self._choose_level(zoom)
        if (zoom >= PIXELS_FROM) != self._is_close:
            self._is_close = not self._is_close
            self._invalidate_all()
        if self._reduced is None:
            reduced = _reduce(self._source, self._level)
            is_plain = self._levels.is_neutral
            self._reduced = reduced if is_plain else np.asarray(cv2.LUT(reduced, _levels_table(self._levels)), np.uint8)
        shown = Size(*self._reduced.shape[:2])
        if self._buffer is None or self._buffer.size != shown:
            self._buffer = PixelBuffer(shown)
            self._invalidate_all()
        if not self._dirty.is_empty:
            self._compose(self._buffer, self._reduced)
        return self._buffer.image

    def _choose_level(self, zoom: float) -> None:
        level = 1
        while level * 2 * zoom <= 1.0:
            level *= 2
        if level != self._level:
            self._level = level
            self._reduced = None
            self._invalidate_all()

    def _compose(self, buffer: PixelBuffer, image: ImageU8) -> None:
        level, dirty = self._level, self._dirty
        rect = Rect(dirty.x0 // level, dirty.y0 // level, -(-dirty.x1 // level), -(-dirty.y1 // level))
        rect = rect.clipped(buffer.size)
        self._dirty = _NOTHING
        style = self._style
        if self._matte is not None:
            matte = self._matte if level == 1 else np.ascontiguousarray(self._matte[::level, ::level])
            buffer.write(soft_cut_out(image, matte, rect=rect), rect)
            return
        if self._mask is None and style.fill == "blend":
            buffer.write(image[rect.slices], rect)
            return
        if self._mask is None:
            mask = np.zeros(image.shape[:2], np.uint8)
        else:
            mask = self._mask if level == 1 else np.ascontiguousarray(self._mask[::level, ::level])
        if style.fill == "mask":
            part = paint_masks(mask, hidden=style.hidden, own=style.own, rect=rect)
        elif style.fill == "cutout":
            part = cut_out(image, mask, hidden=style.hidden, rect=rect)
        else:
            part = compose(
                image, mask, opacity=style.opacity, contour=style.contour and not self._is_close,
                selected=style.selected, hidden=style.hidden, own=style.own,
                opacities=style.opacities, rect=rect,
            )
        buffer.write(part, rect)

    def _invalidate_all(self) -> None:
        size = self.size
        self._dirty = _NOTHING if size is None else Rect.full(size)


def _reduce(image: ImageU8, level: int) -> ImageU8:
    """Averages over blocks of level x level pixels; the last block of a row or column repeats the frame's edge."""
    if level == 1:
        return image
    height, width = image.shape[:2]
    down, across = -height % level, -width % level
    if down or across:
        image = cv2.copyMakeBorder(image, 0, down, 0, across, cv2.BORDER_REPLICATE)
    size = (image.shape[1] // level, image.shape[0] // level)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
