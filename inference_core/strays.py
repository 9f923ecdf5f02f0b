"""Parts of a mask that lie far from where the object was: look-alikes, most of the time.

From one frame of a film to the next an object hardly moves, but a memory of appearance alone takes whatever looks like
it, anywhere. So while an object is where it was, parts that do not reach into its surroundings are left out. These are
the box around it and a little more, so that what comes into sight again behind something thin stays. An object that
went away, jumped or was lost is looked for everywhere.
"""
from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference_core.regions import around
from util.types import Size

_AROUND, _AROUND_OF_SIZE = 0.05, 0.1
"""How far the surroundings reach beyond the box, whichever is more: as a share of the frame's shorter side, and of the
object's size (the root of its area)."""
_STILL_THERE = 0.5
"""Share of its area that an object has to have near where it was, so that the rest is not the object itself."""
_SEEN = 0.5
_RIM = 2
"""Pixels around a stray that go with it, so that no outline of it stays."""


def without_strays(prob: Tensor, before: Tensor) -> Tensor:
    """Give the strays of every object to the background.

    Args:
        prob: [1+A, H, W], the background first.
        before: [A, H, W], the objects on the frame before.
    """
    now, was = (planes.gt(_SEEN).cpu().numpy() for planes in (prob[1:], before))
    away = np.stack([_strays(*masks) for masks in zip(now, was, strict=True)])
    if not away.any():
        return prob
    lost = prob[1:] * torch.from_numpy(away).to(prob.device)
    return torch.cat([prob[:1] + lost.sum(0, keepdim=True), prob[1:] - lost])


def _strays(now: NDArray[np.bool_], was: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of one object's mask [H, W] and the one before: the pixels to leave out."""
    area, nothing = np.count_nonzero(was), np.zeros_like(now)
    if not area or not now.any():
        return nothing
    count, part, stats, _ = cv2.connectedComponentsWithStats(now.astype(np.uint8), connectivity=8)
    if count == 2:
        return nothing
    reach = round(max(_AROUND * min(was.shape), _AROUND_OF_SIZE * area**0.5))
    is_near = np.zeros(count, np.bool_)
    is_near[part[around(torch.from_numpy(was), Size(*was.shape)).grown(reach).rect.slices]] = True
    is_near[0] = True  # the background
    if is_near.all() or stats[1:, cv2.CC_STAT_AREA][is_near[1:]].sum() < _STILL_THERE * area:
        return nothing
    strays: NDArray[np.bool_] = _grown(~is_near[part], _RIM) & ~(is_near[part] & now)
    return strays


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)
