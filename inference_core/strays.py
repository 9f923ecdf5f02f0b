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
    found = [_strays(*masks) for masks in zip(now, was, strict=True)]
    if all(strays is None for strays in found):
        return prob
    nothing = np.zeros(now.shape[1:], np.bool_)
    away = torch.from_numpy(np.stack([nothing if strays is None else strays for strays in found])).to(prob.device)
    lost = prob[1:] * away
    return torch.cat([prob[:1] + lost.sum(0, keepdim=True), prob[1:] - lost])


def _strays(now: NDArray[np.bool_], was: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Of one object's mask [H, W] and the one before: the pixels to leave out, if there are any."""
    area = np.count_nonzero(was)
    if not area or not now.any():
        return None
    count, part, stats, _ = cv2.connectedComponentsWithStats(now.astype(np.uint8), connectivity=8)
    if count == 2:
        return None
    reach = round(max(_AROUND * min(was.shape), _AROUND_OF_SIZE * area**0.5))
    is_near = np.zeros(count, np.bool_)
    is_near[_around(part, was, reach)] = True
    is_near[0] = True  # the background
    if is_near.all() or stats[1:, cv2.CC_STAT_AREA][is_near[1:]].sum() < _STILL_THERE * area:
        return None
    strays: NDArray[np.bool_] = _grown(~is_near[part], _RIM) & ~(is_near[part] & now)
    return strays


def _around(part: NDArray[np.int32], was: NDArray[np.bool_], reach: int) -> NDArray[np.int32]:
    """What of `part` lies within `reach` pixels of the box around `was`."""
    rows, columns = (np.flatnonzero(was.any(axis)) for axis in (1, 0))
    top, left = max(0, rows[0] - reach), max(0, columns[0] - reach)
    return part[top : rows[-1] + reach + 1, left : columns[-1] + reach + 1]


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)
