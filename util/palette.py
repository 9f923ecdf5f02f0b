"""The DAVIS / PASCAL VOC palette: the colour of an object id on screen and in PNG files."""
from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


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


def object_color(object_id: int) -> tuple[int, int, int]:
    """RGB, 0..255, of one object id."""
    red, green, blue = (int(v) for v in davis_palette()[object_id])
    return red, green, blue
