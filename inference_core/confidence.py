"""How sure an engine is of its masks: stands in for a quality as long as no network estimates it. No torch here."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from util.types import ImageU8


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
