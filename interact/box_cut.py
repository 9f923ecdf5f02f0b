"""An object cut out of a box drawn around it, by OpenCV's GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004)."""
from __future__ import annotations

import cv2
import numpy as np

from interact.prompts import Box, Point
from interact.seeds import prompt_patch
from interact.windows import Lens, Region, Window
from util.jobs import CancelToken
from util.types import ImageU8, Size

LENS = Lens(side=256, max_scale=1.0, margin=0.35, seed_width=1.0)
ROUNDS = 4
RIM = 0.02
"""Of the box's shorter side: so close to its border nothing is taken for the object to begin with."""


def cut_box(image: ImageU8, box: Box, token: CancelToken) -> Region:
    """bool [H, W]: what differs in colour from all around the box; nothing outside the box.

    Raises:
        util.jobs.Cancelled: through `token`.
    """
    token.check()
    size = Size(*image.shape[:2])
    region = np.zeros(size, np.bool_)
    window = Window.around(LENS, image, (box,), region)
    labels = np.full(window.size, cv2.GC_BGD, np.uint8)
    inner = prompt_patch(box, window.size, scale=window.scale, origin=Point(*window.rect[:2])).rect
    labels[inner.slices] = cv2.GC_PR_BGD
    rim = max(1, round(RIM * min(inner.x1 - inner.x0, inner.y1 - inner.y0)))
    labels[inner.grown(-rim).slices] = cv2.GC_PR_FGD
    if (labels == cv2.GC_PR_FGD).all() or not (labels == cv2.GC_PR_FGD).any():
        return region
    _ensure_surroundings(labels)
    cv2.setRNGSeed(0)
    picture = np.ascontiguousarray(cv2.cvtColor(window.image, cv2.COLOR_RGB2LAB))
    cv2.grabCut(picture, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    token.check()
    soft = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8) * 255
    width, height = window.rect.x1 - window.rect.x0, window.rect.y1 - window.rect.y0
    region[window.rect.slices] = np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)) > 127
    patch = prompt_patch(box, size)
    inside = np.zeros(size, np.bool_)
    inside[patch.rect.slices] = True
    return np.asarray(region & inside, np.bool_)


def _ensure_surroundings(labels: np.ndarray) -> None:
    """A box as large as the picture has no surroundings to learn from: its rim stands for them."""
    if not (labels == cv2.GC_BGD).any():
        labels[labels == cv2.GC_PR_BGD] = cv2.GC_BGD
