"""Moves a network's outline onto the edge in the picture beside it.

A small network knows what is meant but draws its outline loosely. GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004)
knows nothing but colours and edges. Here it decides in a band around the outline only, with what lies safely inside and
outside as its two colour models; what is beyond the band stays the network's.
"""
from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from interact.seeds import INSIDE, OUTSIDE
from util.types import ImageU8

BAND = 0.12
"""Reach of the band on either side of the outline, as a part of the square root of the object's area."""
MIN_BAND = 2
SURE = 0.97
"""What the network is so sure of, inside or outside, is not asked about."""
_MODEL = (1, 65)
"""Shape of OpenCV's colour models."""


def snap(image: ImageU8, soft: NDArray[np.float32], seeds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The object with its outline on the edges nearby.

    Args:
        image: uint8 [h, w, 3].
        soft: float32 [h, w], how likely each pixel is the object's, as the network sees it.
        seeds: uint8 [h, w], what prompts say for sure (`interact.seeds.seed_map`).

    Returns:
        bool [h, w]. An object that is too small or too large to have an inside and an outside stays as it is.
    """
    region = soft > 0.5
    reach = max(MIN_BAND, round(BAND * float(np.sqrt(np.count_nonzero(region)))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    # The border of the picture is no outline.
    core = cv2.erode(region.astype(np.uint8), disc, borderType=cv2.BORDER_REPLICATE) > 0
    reached = cv2.dilate(region.astype(np.uint8), disc) > 0
    labels = np.where(region, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[core | (soft > SURE)], labels[~reached | (soft < 1 - SURE)] = cv2.GC_FGD, cv2.GC_BGD
    labels[seeds == INSIDE], labels[seeds == OUTSIDE] = cv2.GC_FGD, cv2.GC_BGD
    if not core.any() or reached.all():
        return np.asarray(region, np.bool_)
    cv2.setRNGSeed(0)
    no_box = (0, 0, 0, 0)
    cv2.grabCut(image, labels, no_box, np.zeros(_MODEL), np.zeros(_MODEL), 1, cv2.GC_INIT_WITH_MASK)
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), np.bool_)
