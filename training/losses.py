"""What the networks are taught by: masks (bootstrapped cross-entropy and soft dice) and key correspondence."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.attention import l2_similarity, scores

MAX_QUERIES = 200
"""Cells per frame that the key loss looks at, drawn at random: with 600 it takes three times as long."""
_SIGMA = 0.4
"""Blur of the true correspondence, in cells."""
_SEEN = 0.75
"""Squared distance, in cells, within which a point of one frame counts as visible in another."""
_EPSILON = 1e-6


def key_loss(key: Tensor, point: Tensor, gen: torch.Generator) -> Tensor:
    """Cross-entropy of the affinity between two frames against the true correspondence, over all pairs of frames.

    Args:
        key: float32 [B, T, C, h, w].
        point: [B, T, h, w, 2], as `ClipBatch.point`.
        gen: draws the cells that are looked at.
    """
    key, point = key.flatten(3), point.flatten(2, 3)
    num_cells, frames = point.shape[2], key.shape[1]
    pick = torch.randperm(num_cells, device=point.device, generator=gen)[:MAX_QUERIES]
    total, count = key.new_zeros(()), key.new_zeros(())
    for memory in range(frames):
        for query in range(frames):
            if memory == query:
                continue
            across, down = (point[:, query, pick, None] - point[:, memory, None]).unbind(-1)
            apart = across.square() + down.square()
            seen = apart.amin(2) < _SEEN
            target = (-apart / (2 * _SIGMA**2)).softmax(2)
            affinity = scores(*l2_similarity(key[:, memory], key[:, query][..., pick]))
            loss = affinity.logsumexp(2) - (target * affinity).sum(2)
            total, count = total + (loss * seen).sum(), count + seen.sum()
    return total / count.clamp(1)


def object_logits(prob: Tensor) -> Tensor:
    """Soft aggregation for a batch: [B, K, H, W] probabilities -> [B, 1+K, H, W] logits, the background first."""
    everything = torch.cat([(1 - prob).prod(1, keepdim=True), prob], 1).clamp(_EPSILON, 1 - _EPSILON)
    return torch.log(everything) - torch.log1p(-everything)


def mask_loss(logits: Tensor, mask: Tensor, hardest: float) -> tuple[Tensor, Tensor]:
    """Cross-entropy over the hardest pixels of every clip, and soft dice over the objects that are there.

    Args:
        logits: [B, 1+K, H, W]. mask: [B, K, H, W] 0/1, disjoint.
        hardest: share of the pixels that count, 0..1.
    """
    number = torch.arange(1, mask.shape[1] + 1, device=mask.device).view(1, -1, 1, 1)
    loss = F.cross_entropy(logits, (mask * number).sum(1).long(), reduction="none").flatten(1)
    if hardest < 1:
        loss = loss.topk(max(1, int(loss.shape[1] * hardest)), 1)[0]
    return loss.mean(), dice_loss(logits.softmax(1)[:, 1:], mask)


def dice_loss(prob: Tensor, mask: Tensor) -> Tensor:
    """1 - soft dice, mean over the planes of [B, K, H, W] whose mask is not empty."""
    prob, mask = prob.flatten(2), mask.flatten(2)
    area = mask.sum(2)
    dice = 1 - (2 * (prob * mask).sum(2) + 1) / (prob.sum(2) + area + 1)
    present = area > 0
    return (dice * present).sum() / present.sum().clamp(1)
