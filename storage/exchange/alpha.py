"""Soft edges for compositing, made from hard masks. Pure arrays.

The mask is blurred with a Gaussian whose sigma is `Edge.feather`. Alpha is one half on the mask's edge, exactly 0 and 1
further than three sigma from it, and a slanted edge becomes a ramp instead of stairs. `Edge.grow` first grows (or
shrinks) the mask by whole pixels, measured as the bird flies.
"""
from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from storage.exchange.material import Edge

FULL = 65535


def soft_alpha(region: NDArray[np.bool_], edge: Edge) -> NDArray[np.uint16]:
    """uint16 [H, W], 0 outside to 65535 inside, of bool [H, W]."""
    shape = grown(region, edge.grow)
    if edge.feather <= 0:
        return shape.astype(np.uint16) * np.uint16(FULL)
    reach = max(1, math.ceil(3 * edge.feather))
    blurred = cv2.GaussianBlur(
        shape.astype(np.float32), (2 * reach + 1, 2 * reach + 1), edge.feather, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.clip(np.rint(blurred * FULL), 0, FULL), np.uint16)


def grown(region: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """`region` with its edge moved outwards; inwards for negative numbers. What lies beyond the picture counts as its
    edge pixels do.
    """
    if not pixels:
        return region
    source = region if pixels > 0 else ~region
    if not source.any():
        return region
    distance = cv2.distanceTransform((~source).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    moved = np.asarray(distance <= abs(pixels), np.bool_)
    return moved if pixels > 0 else ~moved
