"""How sure an engine is of its masks: stands in for a quality as long as no network estimates it. No torch here."""
from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from util.types import ImageU8

SUSPECT_BELOW = 0.7
"""A mask that an engine carried is suspect where its confidence is lower."""
_USUAL = 0.7
"""Of area and overlap: from one frame to the next they are rarely lower where an object is followed well."""
_USUAL_AGREEMENT = 0.5
"""Of two passes from different key frames, whose edges are soft."""

Shape = NDArray[np.bool_]
"""bool [h, w]: the pixels of one object, at any size."""


class ConfidenceAssessor:
    """See `QualityAssessor`. An engine may be sure and wrong: this is not the quality, and is not called so."""

    name = "how sure the engine is"
    is_trained = False

    def quality(self, image: ImageU8, objects: NDArray[np.float32]) -> float:
        """See `QualityAssessor`; the image does not matter."""
        if not len(objects):
            raise ValueError("the confidence in no object")
        return float(np.mean([expected_overlap(prob) for prob in objects]))


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
    """What tells, without the truth, how good one object's mask on one frame of a pass is. Everything is 0..1, 1 good.

    Args:
        margin: `expected_overlap` of the probabilities.
        area: pixels here to pixels on the neighbouring frame that the pass came from, the smaller by the larger.
        overlap: IoU with the neighbouring frame's shape after moving that by the way of its centre, so that steady
            motion is no jump.
        agreement: soft IoU of this pass with the older result that was found from the object's key frame on the other
            side; None where there is none.
    """

    margin: float
    area: float
    overlap: float
    agreement: float | None = None

    @property
    def confidence(self) -> float:
        """All of them as one number, 0..1.

        The margin ranks masks best (`python -m evaluation.confidence`). The others vary with motion where all is
        well, so each of them counts only as far as it falls below what is usual.
        """
        both = 1.0 if self.agreement is None else min(1.0, self.agreement / _USUAL_AGREEMENT)
        return float(self.margin * min(1.0, self.area / _USUAL) * min(1.0, self.overlap / _USUAL) * both)


class PassMeasures:
    """Measures the frames of one pass in their order.

    Args:
        shapes: by object id, what the anchor shows.
    """

    def __init__(self, shapes: Mapping[int, Shape]) -> None:
        self._before = dict(shapes)

    def measure(self, object_id: int, prob: NDArray[np.float32], agreement: float | None = None) -> ObjectMeasure:
        """Of the next frame of an object. Args: prob: float32 [h, w], of the same size as the shapes."""
        shape = prob > 0.5
        before = self._before.get(object_id)
        self._before[object_id] = shape
        if before is None:
            return ObjectMeasure(expected_overlap(prob), 1.0, 1.0, agreement)
        areas = sorted((int(before.sum()), int(shape.sum())))
        area = areas[0] / areas[1] if areas[1] else 1.0
        return ObjectMeasure(expected_overlap(prob), area, moved_overlap(before, shape), agreement)


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


def soft_agreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Soft IoU of two planes of probabilities [h, w]: smaller over larger values; 1 where neither shows a mask."""
    larger = np.maximum(one, other)
    if larger.max(initial=0) <= 0.5:
        return 1.0
    return float(np.minimum(one, other).sum(dtype=np.float64) / larger.sum(dtype=np.float64))


def _cut_out(shape: Shape) -> Shape:
    rows, columns = np.flatnonzero(shape.any(axis=1)), np.flatnonzero(shape.any(axis=0))
    return shape[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _centre(window: Shape) -> tuple[int, int]:
    """Row and column of the middle of the pixels, whole."""
    count = window.sum()
    rows = np.arange(window.shape[0]) @ window.sum(axis=1)
    columns = np.arange(window.shape[1]) @ window.sum(axis=0)
    return round(float(rows / count)), round(float(columns / count))
