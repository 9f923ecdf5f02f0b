"""How good a mask may be, as far as an engine's own probabilities tell. No torch here."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SUSPECT_BELOW = 0.6
"""A mask that an engine carried is suspect where its quality (`ObjectMeasure`) is lower."""

Shape = NDArray[np.bool_]
"""bool [h, w]: the pixels of one object, at any size."""


def expected_overlap(prob: NDArray[np.float32]) -> float:
    """Which IoU a mask has with the truth if its pixels are as likely as the engine says.

    Expected common pixels over expected pixels of either. For an object that is nowhere: how likely its likeliest
    pixel is not it after all.

    Args:
        prob: float32 [H, W]; the mask is where it is above one half.

    Returns:
        0..1; 1 for a mask of zeros and ones.
    """
    inside = prob > 0.5
    area = int(inside.sum())
    if not area:
        return float(1 - prob.max(initial=0))
    common = float(prob[inside].sum(dtype=np.float64))
    return common / (area + float(prob.sum(dtype=np.float64)) - common)


class ObjectMeasure(NamedTuple):
    """How good one object's mask on one frame of a pass may be, as far as that is known without the truth.

    Args:
        quality: 0..1, 1 good: the J that the light quality network predicts; the margin where its weights are missing.
        margin: `expected_overlap` of the probabilities: how sure the engine is.
        values: what the prediction rests on, by `inference_core.pass_measures.MEASURES`.
    """

    quality: float
    margin: float
    values: tuple[float, ...] = ()


def moved_overlap(before: Shape, after: Shape) -> float:
    """IoU of two shapes with their centres on the same pixel; 1 for two empty ones."""
    if not before.any() or not after.any():
        return float(before.any() == after.any())
    windows = [_cut_out(shape) for shape in (before, after)]
    centres = [_centre(window) for window in windows]
    heights, widths = zip(*(window.shape for window in windows), strict=True)
    top, left = (max(centre[axis] for centre in centres) for axis in (0, 1))
    bottom = max(h - c[0] for h, c in zip(heights, centres, strict=True))
    right = max(w - c[1] for w, c in zip(widths, centres, strict=True))
    laid = np.zeros((2, top + bottom, left + right), np.bool_)
    for place, window, (row, column) in zip(laid, windows, centres, strict=True):
        place[top - row : top - row + window.shape[0], left - column : left - column + window.shape[1]] = window
    return float((laid[0] & laid[1]).sum() / (laid[0] | laid[1]).sum())


def _cut_out(shape: Shape) -> Shape:
    rows, columns = np.flatnonzero(shape.any(axis=1)), np.flatnonzero(shape.any(axis=0))
    return shape[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _centre(window: Shape) -> tuple[int, int]:
    """Row and column of the middle of the pixels, whole."""
    count = window.sum()
    rows = np.arange(window.shape[0]) @ window.sum(axis=1)
    columns = np.arange(window.shape[1]) @ window.sum(axis=0)
    return round(float(rows / count)), round(float(columns / count))
