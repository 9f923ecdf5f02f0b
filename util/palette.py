"""The DAVIS / PASCAL VOC palette: the colour of an object id in PNG files, and on screen."""
from __future__ import annotations

import colorsys
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rgb: TypeAlias = tuple[int, int, int]

OwnColors: TypeAlias = tuple[tuple[int, Rgb], ...]
"""(object id, colour) of the objects that have another colour than the palette's."""

OwnOpacities: TypeAlias = tuple[tuple[int, float], ...]
"""(object id, share 0..1 of the usual opacity) of the objects that are drawn fainter than the others."""


@lru_cache(maxsize=1)
def davis_palette() -> NDArray[np.uint8]:
    """uint8 [256, 3] RGB, read-only. The bits of the index, three at a time, fill R, G and B from the top bit down."""
    index = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= (((index >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    palette.setflags(write=False)
    return palette


@lru_cache(maxsize=32)
def file_palette(own: OwnColors = ()) -> NDArray[np.uint8]:
    """uint8 [256, 3] RGB, read-only: the DAVIS palette with some objects' own colours."""
    palette = davis_palette().copy()
    for object_id, color in own:
        palette[object_id] = color
    palette.setflags(write=False)
    return palette


@lru_cache(maxsize=32)
def screen_palette(own: OwnColors = ()) -> NDArray[np.uint8]:
    """uint8 [256, 3] RGB, read-only: the same hues for fills, lines and swatches on screen.

    Made for files, the DAVIS palette is too dark over a photograph. Hue and the difference between its dark, middle
    and light variants of a hue stay; green and yellow are dimmed a little so that all look equally strong.
    """
    palette = np.array([_for_screen(*color) for color in davis_palette().tolist()], np.uint8)
    for object_id, color in own:
        palette[object_id] = _shown(color)
    palette.setflags(write=False)
    return palette


def _for_screen(red: int, green: int, blue: int) -> tuple[int, int, int]:
    brightest = max(red, green, blue)
    if not brightest:
        return 0, 0, 0
    hue, saturation, _ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    luminance = (0.21 * red + 0.72 * green + 0.07 * blue) / brightest
    value = 0.95 - 0.22 * luminance - (0.22 if brightest <= 64 else 0.0)
    saturation *= 0.5 if brightest >= 192 else 0.74
    shown = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(shown[0] * 255), round(shown[1] * 255), round(shown[2] * 255)


@lru_cache(maxsize=1)
def _davis_colors() -> frozenset[Rgb]:
    return frozenset((red, green, blue) for red, green, blue in davis_palette().tolist())


def _shown(color: Rgb) -> Rgb:
    """A colour of the palette looks on screen as it does for the object it belongs to; any other is shown as it is."""
    return _for_screen(*color) if color in _davis_colors() else color


def object_color(object_id: int, own: Rgb | None = None) -> Rgb:
    """RGB, 0..255, of one object on screen. Args: own: its own colour, None for the palette's."""
    if own is not None:
        return _shown(own)
    red, green, blue = (int(v) for v in screen_palette()[object_id])
    return red, green, blue
