"""Region similarity J and contour accuracy F of Perazzi et al. (CVPR 2016), and their statistics over a sequence.

Pure arrays. The measures equal the DAVIS tools' (golden test), including what those leave implicit: two empty masks
agree fully, an empty one against a non-empty one scores 0.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from util.types import IGNORE, IndexMask

BOUND_TOLERANCE = 0.008
"""How far apart two contours may run and still agree, as a share of the image's diagonal."""

RECALL_THRESHOLD = 0.5
_DECAY_BINS = 4


@dataclass(frozen=True)
class Statistics:
    """One measure of one object over its frames: mean, share of frames over 0.5, loss from first to last quarter."""

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True)
class FrameScore:
    """J and F of one object on one frame, 0..1."""

    region: float
    contour: float

    @property
    def j_and_f(self) -> float:
        return (self.region + self.contour) / 2


def statistics(values: NDArray[np.float64]) -> Statistics:
    """Mean, recall and decay of float [T], T >= 1, in the order of the frames.

    The quarters share their border frames, as in the DAVIS tools.
    """
    bounds = np.round(np.linspace(1, len(values), _DECAY_BINS + 1) + 1e-10).astype(np.int64) - 1
    first, last = values[: bounds[1] + 1], values[bounds[-2] :]
    return Statistics(
        float(values.mean()), float((values > RECALL_THRESHOLD).mean()), float(first.mean() - last.mean())
    )


def frame_scores(gt: IndexMask, pred: IndexMask, object_ids: tuple[int, ...]) -> dict[int, FrameScore]:
    """Score every object on one frame.

    Args:
        gt: uint8 [H, W]; pixels of 255 are left out of both measures.
        pred: uint8 [H, W]; 255 counts as background.
        object_ids: which objects.
    """
    ignored = gt == IGNORE
    if ignored.any():
        pred = np.where(ignored, 0, pred).astype(np.uint8)
    scores = {}
    for object_id in object_ids:
        gt_area, pred_area = gt == object_id, pred == object_id
        scores[object_id] = FrameScore(region_similarity(gt_area, pred_area), contour_accuracy(gt_area, pred_area))
    return scores


def region_similarity(gt: NDArray[np.bool_], pred: NDArray[np.bool_]) -> float:
    """J: intersection over union of bool [H, W]; 1 when both are empty."""
    union = np.count_nonzero(gt | pred)
    return 1.0 if union == 0 else np.count_nonzero(gt & pred) / union


def contour_accuracy(gt: NDArray[np.bool_], pred: NDArray[np.bool_]) -> float:
    """F: harmonic mean of how much of each contour of bool [H, W] lies near the other one; 1 when there is none."""
    radius = math.ceil(BOUND_TOLERANCE * math.hypot(*gt.shape))
    gt, pred = _cropped(gt, pred)
    gt_line, pred_line = contour(gt), contour(pred)
    num_gt, num_pred = np.count_nonzero(gt_line), np.count_nonzero(pred_line)
    if num_gt == 0 or num_pred == 0:
        return 1.0 if num_gt == num_pred else 0.0
    precision = np.count_nonzero(pred_line & _near(gt_line, radius)) / num_pred
    recall = np.count_nonzero(gt_line & _near(pred_line, radius)) / num_gt
    total = precision + recall
    return 0.0 if total == 0 else 2 * precision * recall / total


def contour(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool [H, W]: pixels that differ from their right, lower or lower right neighbour; the image's edge is none."""
    line = np.zeros_like(area)
    line[:, :-1] = area[:, :-1] != area[:, 1:]
    line[:-1] |= area[:-1] != area[1:]
    line[:-1, :-1] |= area[:-1, :-1] != area[1:, 1:]
    return line


def _cropped(gt: NDArray[np.bool_], pred: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Both, cut to where either is true and one pixel around: no contour is outside, most of a frame is."""
    x, y, width, height = cv2.boundingRect((gt | pred).view(np.uint8))
    rows, cols = slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)
    return gt[rows, cols], pred[rows, cols]


def _near(line: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """bool [H, W]: within `radius` of a true pixel, which is dilation by a disc but takes the same time for any."""
    distance = cv2.distanceTransform((~line).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Distances are square roots of whole numbers, so half a step above radius**2 keeps rounding errors out.
    return distance < math.sqrt(radius * radius + 0.5)
