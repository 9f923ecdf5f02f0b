"""What RVOS was taught by: soft IoU, with predictions and objects matched on a clip's first frame.

Ventura et al.: "RVOS: End-to-End Recurrent Network for Video Object Segmentation", CVPR 2019, section 3.3. Where no
masks are given, nothing says which prediction stands for which object: on the first frame the cheapest assignment
decides (Kuhn 1955), and it is kept for the rest of the clip. The loss of a clip is the sum over its frames.
"""
from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

IMPOSSIBLE = 10.0
"""Cost of a prediction or an object that does not count: more than all possible ones together."""
_EPSILON = 1e-6


def soft_iou_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 - soft IoU of each pair: logits [..., P] and target 0/1 [..., P] of P pixels -> [...], 0..1."""
    prob = logits.sigmoid()
    both = prob * target
    return 1 - both.sum(-1) / ((prob + target - both).sum(-1) + _EPSILON)


def matching_costs(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """The cost of every object with every prediction.

    Args:
        logits: [B, K, P] of K predictions with P pixels.
        target: 0/1 [B, K, P] of K objects.
        valid: [B, K], 1 for objects that are there. Only as many predictions, the first ones, take part.

    Returns:
        [B, K, K], row: object, column: prediction.
    """
    costs = soft_iou_loss(logits[:, None], target[:, :, None])
    counts = valid.bool()
    return costs.masked_fill(~(counts[:, :, None] & counts[:, None, :]), IMPOSSIBLE)


def match(costs: Tensor) -> Tensor:
    """Cheapest assignment: costs [B, K, K] (row: object, column: prediction) -> int64 [B, K], each prediction's object.

    Among predictions and objects that do not count the order means nothing.
    """
    objects = [linear_sum_assignment(cost.T.cpu().numpy())[1] for cost in costs.detach()]
    return torch.stack([torch.from_numpy(row) for row in objects]).to(costs.device)


def reorder(values: Tensor, permutation: Tensor) -> Tensor:
    """The objects' values [B, K, ...] in the order of the predictions, by permutation [B, K] of `match`."""
    return torch.stack([rows[order] for rows, order in zip(values, permutation, strict=True)])


def rvos_loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Loss of one frame: the mean over the objects that are there, in all samples; over all slots where none is.

    Args:
        logits: [B, K, P]. target: 0/1 [B, K, P], already in the predictions' order. valid: [B, K], in the same order.
    """
    losses, counts = soft_iou_loss(logits, target), valid.bool()
    return losses[counts].mean() if bool(counts.any()) else losses.mean()
