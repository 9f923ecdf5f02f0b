"""The overlay pictures of the published MiVOS window, value for value.

This program draws its own (`util.overlay`); these are for results that are to look like the published program's.
"""
from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from util.types import ImageU8, IndexMask

Style = Literal["davis", "light", "fade"]

_COLORS = np.array(
    [(0, 0, 0), (255, 50, 50), (50, 255, 50), (50, 50, 255), (255, 50, 255), (50, 255, 255), (255, 255, 50)], np.float64
)
"""Background and the objects 1..6, RGB. The published window has no more; further ones begin again."""
_KEPT: dict[Style, float] = {"davis": 0.5, "light": 0.9, "fade": 0.5}
"""How much of the frame shows through an object."""
_FADED = 0.6


def mivos_overlay(image: ImageU8, mask: IndexMask, style: Style = "davis") -> ImageU8:
    """The frame with its objects in colour and a black line around them.

    Args:
        image: uint8 [H, W, 3] RGB.
        mask: uint8 [H, W], 0 background.
        style: `davis` mixes in half the colour, `light` a tenth; `fade` is `davis` on a darkened background.

    Returns:
        A new uint8 [H, W, 3] array.
    """
    inside = mask > 0
    ids = np.where(inside, (mask.astype(np.int64) - 1) % (len(_COLORS) - 1) + 1, 0)
    result = image.copy()
    mixed: NDArray[np.float64] = image * _KEPT[style] + (1 - _KEPT[style]) * _COLORS[ids]
    result[inside] = mixed[inside].astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    around = np.asarray(cv2.dilate(inside.astype(np.uint8), cross)) > 0
    result[around & ~inside] = 0
    if style == "fade":
        result[~inside] = (result[~inside] * _FADED).astype(np.uint8)
    return result
