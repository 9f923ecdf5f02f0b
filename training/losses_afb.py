"""What AFB-URR is taught by: the right object for every pixel, and few pixels of which two objects are equally likely.

Liang, Li, Jafari, Chen: "Video Object Segmentation with Adaptive Feature Bank and Uncertain-Region Refinement",
NeurIPS 2020, section 3.4.
"""
from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from model.afb_urr import uncertainty

UNCERTAINTY_WEIGHT = 0.5


class AfbLoss(NamedTuple):
    """Scalars; `total` is what is minimised."""

    total: Tensor
    cross_entropy: Tensor
    uncertainty: Tensor


def afb_loss(scores: Tensor, target: Tensor, weight: float = UNCERTAINTY_WEIGHT) -> AfbLoss:
    """The loss of a clip's frames.

    Args:
        scores: [B, K, H, W] as `AfbUrr.decode` gives them for each frame, the background first.
        target: int64 [B, H, W], the right channel.
        weight: of the uncertainty.
    """
    cross_entropy = F.cross_entropy(scores, target)
    # As published: a softmax over probabilities, so that even the surest pixel keeps some uncertainty.
    prob = scores.sigmoid().softmax(1)
    doubt = torch.stack([uncertainty(frame).square().mean().sqrt() for frame in prob]).mean()
    return AfbLoss(cross_entropy + weight * doubt, cross_entropy, doubt)
