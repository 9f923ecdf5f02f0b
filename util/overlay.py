"""Draws an index mask over its frame: what the canvas shows and what the overlay video holds.

Integer arithmetic per pixel, so a part composed alone equals the same part of the whole picture.
"""
from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from util.palette import OwnColors, OwnOpacities, screen_palette
from util.types import IGNORE, ImageAlpha, ImageU8, IndexMask, Rect, Size

CONTOUR_MARGIN = 2
"""A changed mask pixel changes the picture up to this many pixels away: grow a changed rectangle by it."""

IGNORE_GRAY = 128
GROUND = 32
"""Grey value behind cut-out objects."""
_WHITENED = 0.2


def _rounded(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.asarray(values + 0.5).astype(np.uint8)


@lru_cache(maxsize=32)
def _fill_table(opacity: float, own: OwnColors) -> NDArray[np.uint8]:
    """uint8 [256, 1, 3]: what each id adds to the dimmed frame."""
    colors = screen_palette(own).astype(np.float64)
    colors[IGNORE] = IGNORE_GRAY
    return _rounded(colors * opacity)[:, None]


@lru_cache(maxsize=32)
def _dim_table(opacity: float) -> NDArray[np.uint8]:
    """uint8 [256]: what is left of a frame value under an object."""
    return np.asarray(np.arange(256) * (1 - opacity)).astype(np.uint8)


@lru_cache(maxsize=32)
def _line_table(own: OwnColors) -> NDArray[np.uint8]:
    """uint8 [256, 1, 3]: contour colours, the objects' own and a little lighter, so that they show on any fill."""
    colors = screen_palette(own).astype(np.float64)
    return _rounded(colors + (255 - colors) * _WHITENED)[:, None]


@lru_cache(maxsize=32)
def _without(hidden: frozenset[int]) -> NDArray[np.uint8]:
    """uint8 [256]: id -> id, hidden ones -> background."""
    table = np.arange(256, dtype=np.uint8)
    table[list(hidden)] = 0
    return table


@lru_cache(maxsize=32)
def _only(ids: tuple[int, ...]) -> NDArray[np.uint8]:
    """uint8 [256]: these ids -> themselves, all others -> background."""
    table = np.zeros(256, np.uint8)
    table[list(ids)] = ids
    return table


def _lookup(values: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cast("NDArray[np.uint8]", cv2.LUT(values, table))


def _colored(ids: IndexMask, table: NDArray[np.uint8]) -> ImageU8:
    """uint8 [h, w, 3] of a table uint8 [256, 1, 3]. OpenCV's colour map is the fastest such look-up there is."""
    return cast("NDArray[np.uint8]", cv2.applyColorMap(ids, table))


def _border(ids: IndexMask, width: int) -> NDArray[np.uint8]:
    """uint8 [h, w]: non-zero within `width` pixels of another id, on both sides. The array's edge is no border."""
    shape = cv2.MORPH_CROSS if width == 1 else cv2.MORPH_ELLIPSE
    element = cv2.getStructuringElement(shape, (2 * width + 1, 2 * width + 1))
    return cast("NDArray[np.uint8]", cv2.morphologyEx(ids, cv2.MORPH_GRADIENT, element))


def _line(ids: IndexMask, selected: int | None) -> IndexMask:
    """uint8 [h, w]: the id of the object whose contour runs here, else 0."""
    if ids.max(initial=0) == IGNORE:
        ids = _lookup(ids, _without(frozenset({IGNORE})))
    line = cast("NDArray[np.uint8]", cv2.copyTo(ids, _border(ids, 1)))
    if selected is not None:
        own = (ids == selected).view(np.uint8)
        cv2.copyTo(own * np.uint8(selected), own & _border(own, CONTOUR_MARGIN), line)
    return line


def compose(
    image: ImageU8,
    mask: IndexMask,
    *,
    opacity: float = 0.5,
    contour: bool = True,
    selected: int | None = None,
    hidden: Collection[int] = (),
    own: OwnColors = (),
    opacities: OwnOpacities = (),
    rect: Rect | None = None,
) -> ImageU8:
    """The frame with its objects in their colours.

    Args:
        image: uint8 [H, W, 3] RGB.
        mask: uint8 [H, W]; 255 (ignore) is filled grey and has no contour.
        opacity: 0 leaves the frame as it is inside the objects, 1 covers it.
        contour: draw a bright line along the inside of every object's border, one pixel wide.
        selected: this object's line is two pixels wide.
        hidden: ids drawn as background.
        own: the objects that have another colour than the palette's.
        opacities: the objects that are drawn fainter than the others. Their lines are as strong as all others.
        rect: compose this part only.

    Returns: a new uint8 [h, w, 3] array, the size of `rect` (clipped to the image) or of the image. ValueError when
        sizes differ or `opacity` is outside 0..1.
    """
    if image.shape != (*mask.shape, 3):
        raise ValueError(f"image {image.shape} and mask {mask.shape} do not fit")
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must be within 0..1, got {opacity}")
    size = Size(*mask.shape)
    target = Rect.full(size) if rect is None else rect.clipped(size)
    if target.is_empty:
        return np.zeros((max(target.y1 - target.y0, 0), max(target.x1 - target.x0, 0), 3), np.uint8)
    result = image[target.slices].copy()
    around = target.grown(CONTOUR_MARGIN).clipped(size)
    ids = np.ascontiguousarray(mask[around.slices])
    if hidden:
        ids = _lookup(ids, _without(frozenset(hidden)))
    left, top, width, height = cv2.boundingRect(ids)
    if width == 0:
        return result
    # Work only where there are objects; the margin keeps the background beside them in view of the contour.
    objects = Rect(left, top, left + width, top + height).grown(CONTOUR_MARGIN)
    box = _intersection(_moved(objects, around.x0, around.y0), around)
    drawn = image[box.slices].copy()
    _draw(drawn, np.ascontiguousarray(ids[_within(box, around)]), opacity, contour, selected, own, opacities)
    inner = _intersection(box, target)
    if not inner.is_empty:
        result[_within(inner, target)] = drawn[_within(inner, box)]
    return result


def _draw(
    image: ImageU8,
    ids: IndexMask,
    opacity: float,
    contour: bool,
    selected: int | None,
    own: OwnColors,
    opacities: OwnOpacities,
) -> None:
    """Blend the objects and their lines into `image`, in place."""
    usual = ids
    for share in sorted({share for _, share in opacities}):
        table = _only(tuple(object_id for object_id, its in opacities if its == share))
        usual = _lookup(usual, _without(frozenset(np.flatnonzero(table).tolist())))
        part = _lookup(ids, table)
        left, top, width, height = cv2.boundingRect(part)
        if width:
            window = Rect(left, top, left + width, top + height).slices
            _fill(image[window], np.ascontiguousarray(part[window]), opacity * share, own)
    _fill(image, usual, opacity, own)
    if contour:
        line = _line(ids, selected)
        cv2.copyTo(_colored(line, _line_table(own)), line, image)


def _fill(image: ImageU8, ids: IndexMask, opacity: float, own: OwnColors) -> None:
    """Blend the objects into `image`, in place."""
    blended = cv2.add(_lookup(image, _dim_table(opacity)), _colored(ids, _fill_table(opacity, own)))
    cv2.copyTo(blended, ids, image)


def paint_masks(
    mask: IndexMask, *, hidden: Collection[int] = (), own: OwnColors = (), rect: Rect | None = None
) -> ImageU8:
    """The objects alone, in the colours of `compose`, on black; 255 (ignore) is grey.

    Args and result as for `compose`.
    """
    return _colored(_shown_ids(mask, hidden, rect), _fill_table(1.0, own))


def cut_out(
    image: ImageU8, mask: IndexMask, *, hidden: Collection[int] = (), rect: Rect | None = None
) -> ImageU8:
    """The frame inside the objects and plain grey elsewhere; 255 (ignore) is no object.

    Args and result as for `compose`. ValueError when sizes differ.
    """
    if image.shape != (*mask.shape, 3):
        raise ValueError(f"image {image.shape} and mask {mask.shape} do not fit")
    ids = _shown_ids(mask, {*hidden, IGNORE}, rect)
    target = Rect.full(Size(*mask.shape)) if rect is None else rect.clipped(Size(*mask.shape))
    result = np.full((*ids.shape, 3), GROUND, np.uint8)
    return cast("NDArray[np.uint8]", cv2.copyTo(np.ascontiguousarray(image[target.slices]), ids, result))


def soft_cut_out(image: ImageU8, alpha: ImageAlpha, *, rect: Rect | None = None) -> ImageU8:
    """The frame over plain grey by a soft matte. Args, result and errors as for `cut_out`."""
    if image.shape != (*alpha.shape, 3):
        raise ValueError(f"image {image.shape} and matte {alpha.shape} do not fit")
    target = Rect.full(Size(*alpha.shape)) if rect is None else rect.clipped(Size(*alpha.shape))
    share = alpha[target.slices][..., None].astype(np.uint32)
    mixed = image[target.slices] * share + GROUND * (255 - share)
    return np.asarray((mixed + 127) // 255, np.uint8)


def _shown_ids(mask: IndexMask, hidden: Collection[int], rect: Rect | None) -> IndexMask:
    """uint8 [h, w]: the mask inside `rect`, hidden objects as background."""
    target = Rect.full(Size(*mask.shape)) if rect is None else rect.clipped(Size(*mask.shape))
    ids = np.ascontiguousarray(mask[target.slices])
    return _lookup(ids, _without(frozenset(hidden))) if hidden else ids


def _moved(rect: Rect, x: int, y: int) -> Rect:
    return Rect(rect.x0 + x, rect.y0 + y, rect.x1 + x, rect.y1 + y)


def _intersection(a: Rect, b: Rect) -> Rect:
    return Rect(max(a.x0, b.x0), max(a.y0, b.y0), min(a.x1, b.x1), min(a.y1, b.y1))


def _within(rect: Rect, frame: Rect) -> tuple[slice, slice]:
    """Index of `rect` in an array that holds `frame`."""
    return _moved(rect, -frame.x0, -frame.y0).slices
