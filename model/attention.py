"""How similar a query pixel is to a memory pixel, shared by the memory read and the fusion attention.

Pure math. Leading dimensions broadcast, so keys may be shared by all objects (`[Ck, N]`) or one set per object
(`[K, Ck, N]`). Everything is computed in float32, also under autocast: differences of squared norms do not survive
half precision.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from util.types import Size


class Factors(NamedTuple):
    """Two matrices whose product is the similarity: `query.T @ memory` is [..., Nq, N], larger is more similar.

    Everything that is not a product of the two sides has become a channel, so that the largest matrix of the program
    is written once and never touched again. Rows are queries: a top-k or softmax over the memory runs along contiguous
    cells. Values are meaningful only up to a constant per query, which every softmax over the memory cancels.
    """

    memory: Tensor
    """float32 [..., C, N]."""
    query: Tensor
    """float32 [..., C, Nq]."""


Similarity: TypeAlias = Callable[[Tensor, Tensor], Factors]
"""(memory key [..., Ck, N], query key [..., Ck, Nq]) -> factors."""


def l2_similarity(memory_key: Tensor, query_key: Tensor) -> Factors:
    """Minus the squared distance over sqrt(Ck), without the query's own norm (STCN)."""
    memory_key, query_key = memory_key.float(), query_key.float()
    scale = 1 / math.sqrt(memory_key.shape[-2])
    norm = memory_key.square().sum(-2, keepdim=True)
    weight = query_key.new_full((*query_key.shape[:-2], 1, query_key.shape[-1]), -scale)
    return Factors(torch.cat([memory_key, norm], -2), torch.cat([query_key * (2 * scale), weight], -2))


def dot_similarity(memory_key: Tensor, query_key: Tensor) -> Factors:
    """Dot product over sqrt(Ck) (STM)."""
    return Factors(memory_key.float(), query_key.float() / math.sqrt(memory_key.shape[-2]))


def scores(memory: Tensor, query: Tensor) -> Tensor:
    """Similarity [..., Nq, N] of `Factors`, or of some of their columns; float32 also under autocast."""
    with torch.autocast(memory.device.type, enabled=False):
        return query.transpose(-1, -2) @ memory


def full_softmax_attention(memory_key: Tensor, query_key: Tensor, similarity: Similarity) -> Tensor:
    """Softmax of the similarity over all memory cells, without top-k.

    Returns:
        float32 [..., N, Nq], columns sum to 1.
    """
    return scores(*similarity(memory_key, query_key)).softmax(-1).transpose(-1, -2)


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
