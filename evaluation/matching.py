"""Which proposal is which object: the best assignment over a whole sequence, as DAVIS 2019 scores unsupervised results.

Caelles et al.: "The 2019 DAVIS Challenge on VOS: Unsupervised Multi-Object Segmentation", arXiv 1905.00737.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

MAX_PROPOSALS = 20
"""More are not admitted."""


def assign(scores: NDArray[np.float64]) -> list[int]:
    """For every object the row of its proposal, each used once, so that the sum is greatest (Hungarian method).

    Args:
        scores: [P, K], P >= K, how well proposal p fits object k over the whole sequence.
    """
    rows, columns = linear_sum_assignment(scores, maximize=True)
    return [int(row) for _, row in sorted(zip(columns, rows, strict=True))]
