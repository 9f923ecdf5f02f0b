"""Soft aggregation: independent object probabilities become one distribution over background and objects.

Pure math on tensors of any device; used after the decoder, after fusion and for interaction results.
"""
from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Background = Literal["product", "constant"]

_EPSILON = 1e-7
_HARDNESS = 1000.0


def aggregate(prob: Tensor, *, background: Background = "product", hard: bool = False) -> Tensor:
    """Softmax over the logits of background and objects.

    Args:
        prob, background: see `object_logits`.
        hard: sharpen the result to nearly 0 and 1 (logits times 1000).

    Returns:
        float32 [K+1, ...], background first, sums to 1 over dimension 0.
    """
    logits = object_logits(prob, background=background)
    return (logits * _HARDNESS if hard else logits).softmax(0)


def object_logits(prob: Tensor, *, background: Background = "product") -> Tensor:
    """Logits of background and objects, which compete in a softmax.

    Always computed in float32: `_EPSILON` is below the resolution of the half-precision types.

    Args:
        prob: [K, ...] probability of each object, usually [K, H, W], in 0..1 and independent of each other.
        background: `product` gives the background the probability that no object is there, prod(1 - p);
            `constant` gives it 0.5 everywhere, so that an object wins where its own probability is above that.

    Returns:
        float32 [K+1, ...], background first.
    """
    with torch.autocast(prob.device.type, enabled=False):
        prob = prob.float()
        nothing = (1 - prob).prod(0, keepdim=True)
        rest = nothing if background == "product" else torch.full_like(nothing, 0.5)
        clamped = torch.cat([rest, prob]).clamp(_EPSILON, 1 - _EPSILON)
        return torch.log(clamped / (1 - clamped))
