"""Objects that a network suggests, as masks. Pure."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference_core.api import Proposal
from util.types import IndexMask, Size

INSIDE = 0.5
"""A pixel belongs to a proposal above this probability."""


def merged(proposals: Sequence[Proposal], size: Size) -> IndexMask:
    """uint8 [H, W]: at every pixel the number of the likeliest proposal that has it, the first of equals."""
    mask = np.zeros(size, np.uint8)
    best = np.full(size, INSIDE, np.float32)
    for proposal in proposals:
        mask[proposal.prob > best] = proposal.number
        np.maximum(best, proposal.prob, out=best)
    return mask
