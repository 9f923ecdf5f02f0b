"""How similar a query pixel is to a memory pixel, shared by the memory read and the fusion attention.

Pure math. Leading dimensions broadcast, so keys may be shared by all objects (`[Ck, N]`) or one set per object
(`[K, Ck, N]`). Everything is computed in float32, also under autocast: differences of squared norms do not survive
half precision.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from util.types import Size

Similarity: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(memory key [..., Ck, N], query key [..., Ck, Nq]) -> float32 [..., Nq, N], larger is more similar.

Rows are queries, so that a top-k or softmax over the memory runs along contiguous cells. Values are meaningful only
up to a constant per query, which every softmax over the memory cancels.
"""


def l2_similarity(memory_key: Tensor, query_key: Tensor) -> Tensor:
    """Minus the squared distance over sqrt(Ck), without the query's own norm (STCN)."""
    with torch.autocast(memory_key.device.type, enabled=False):
        memory_key, query_key = memory_key.float(), query_key.float()
        # Scaling the small factors instead of the product saves two passes over the largest matrix of the program.
        scale = 1 / math.sqrt(memory_key.shape[-2])
        product = (query_key * (2 * scale)).transpose(-1, -2) @ memory_key
        return product.sub_(memory_key.square().sum(-2, keepdim=True) * scale)


def dot_similarity(memory_key: Tensor, query_key: Tensor) -> Tensor:
    """Dot product over sqrt(Ck) (STM)."""
    with torch.autocast(memory_key.device.type, enabled=False):
        memory_key, query_key = memory_key.float(), query_key.float()
        return (query_key / math.sqrt(memory_key.shape[-2])).transpose(-1, -2) @ memory_key


def full_softmax_attention(memory_key: Tensor, query_key: Tensor, similarity: Similarity) -> Tensor:
    """Softmax of the similarity over all memory cells, without top-k.

    Returns:
        float32 [..., N, Nq], columns sum to 1.
    """
    return similarity(memory_key, query_key).softmax(-1).transpose(-1, -2)


def transfer_maps(pos: Tensor, neg: Tensor, attention: Tensor, feature_size: Size, size: Size) -> Tensor:
    """Carry what a user added and removed on one frame over to another frame (difference-aware fusion).

    Args:
        pos: [R, H, W] positive part of the change of each plane on the memory frame.
        neg: [R, H, W] negative part, as positive numbers.
        attention: [N, Nq], or [R, N, Nq] with one attention per plane; columns sum to 1.
        feature_size: rows and columns of the cells: N = Nq = height * width.
        size: rows and columns of the result.

    Returns:
        float32 [R, 2, *size]: where the change of each plane appears on the query frame (positive, negative).
    """
    planes = torch.stack([pos, neg], 1).float()
    cells = F.interpolate(planes, feature_size, mode="area").flatten(2)
    with torch.autocast(planes.device.type, enabled=False):
        moved = cells @ attention.float()
    return F.interpolate(moved.unflatten(2, feature_size), size, mode="bilinear", align_corners=False)
