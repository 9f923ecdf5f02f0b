"""A cheap look at a frame: where could each object be? Decides what is read and decoded; no mask comes from it.

Keys are compared by blocks of 2x2 cells, a sixteenth of the pairs. A block whose best match in the memory shows an
object, or one nearly as good as the best, may show that object.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.attention import Similarity, scores
from util.types import Size

BLOCK = 2
"""Cells per side that are compared as one."""

_SHOWS = 0.1
"""Share of a memory cell that an object covers where the block is said to show it."""


def with_cover(value: Tensor, masks: Tensor) -> Tensor:
    """What the memory stores: value [K, Cv, Hf, Wf] and, as one more channel, how much of each cell masks [K, H, W]
    cover."""
    cover = F.interpolate(masks[:, None], value.shape[-2:], mode="area")
    return torch.cat([value, cover.to(value.dtype)], 1)


def covered(values: Tensor) -> Tensor:
    """[A, N] of memory values [A, N, Cv] with cover."""
    return values[..., -1]


def without_cover(read: Tensor) -> Tensor:
    """[A, Cv, Nq] of a readout that has the cover as its last channel."""
    return read[:, :-1]


def match_gaps(blocks: Tensor, query_key: Tensor, cover: Tensor, similarity: Similarity) -> Tensor:
    """By how much the best match of each block that shows an object falls short of its best match of all.

    Args:
        blocks: [C, n], the memory as `memory_blocks` gives it. query_key: [Ck, Hf, Wf]. cover: [A, N].

    Returns:
        float32 [A, ceil(Hf/2), ceil(Wf/2)], 0 where the best match shows the object, inf where the memory never does.
    """
    grid = Size(*query_key.shape[1:])
    query = _pooled(similarity(query_key[:, 0, :1], query_key.flatten(1)).query, grid)[0]
    matches = scores(blocks, query.flatten(1))
    best = matches.amax(1)
    shows = F.max_pool2d(cover.float().unflatten(1, (-1, *grid)), BLOCK, ceil_mode=True).flatten(1) > _SHOWS
    gaps = [best - matches[:, shown].amax(1) if shown.any() else torch.full_like(best, torch.inf) for shown in shows]
    return torch.stack(gaps).unflatten(1, query.shape[1:])


def memory_blocks(memory: Tensor, grid: Size) -> Tensor:
    """[C, N] of `attention.Factors`, frame after frame -> [C, n], the mean of every block."""
    return _pooled(memory, grid).transpose(0, 1).flatten(1).contiguous()


def _pooled(side: Tensor, grid: Size) -> Tensor:
    """[C, T * Hf * Wf] -> [T, C, ceil(Hf/2), ceil(Wf/2)], averaged."""
    maps = side.unflatten(1, (-1, *grid)).transpose(0, 1)
    return F.avg_pool2d(maps, BLOCK, ceil_mode=True, count_include_pad=False)
