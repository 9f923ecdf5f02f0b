"""J and F of batches of masks while a training runs, by the same measures as the final scores."""
from __future__ import annotations

import numpy as np
from torch import Tensor

from evaluation.metrics import contour_accuracy, region_similarity


class MaskScores:
    """Collects scores of single objects on single frames."""

    def __init__(self) -> None:
        self._region: list[float] = []
        self._contour: list[float] = []

    def add(self, labels: Tensor, mask: Tensor, valid: Tensor) -> None:
        """labels [B, H, W] predicted object numbers, mask [B, K, H, W] 0/1, valid bool [B, K]."""
        predicted, truth = labels.cpu().numpy(), mask.cpu().numpy() > 0.5
        for clip, slot in valid.nonzero().tolist():
            gt, pred = truth[clip, slot], predicted[clip] == slot + 1
            self._region.append(region_similarity(gt, pred))
            self._contour.append(contour_accuracy(gt, pred))

    def summary(self) -> dict[str, float]:
        """Means in percent."""
        region, contour = 100 * float(np.mean(self._region)), 100 * float(np.mean(self._contour))
        return {"J": region, "F": contour, "J&F": (region + contour) / 2}
