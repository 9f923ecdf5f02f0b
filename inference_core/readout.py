"""Reading the memory: which memory cells look like this query cell, and what lay there.

Space-time memory readout (Oh et al., ICCV 2019) with the top-k softmax of MiVOS (Cheng et al., CVPR 2021) and the
negative squared L2 distance of STCN (Cheng et al., NeurIPS 2021) or STM's dot product.
"""
from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from model.attention import Similarity, scores

BLOCK_BYTES = 16 << 20
"""Size of one block of similarities: large enough for a full-speed product, small enough to stay in the cache."""

GROUP = 16
"""Cells per group of the two-stage top-k."""


def readout(
    memory_key: Tensor,
    query_key: Tensor,
    values: Tensor,
    similarity: Similarity,
    top_k: int,
    usage: Tensor | None = None,
) -> Tensor:
    """Weighted sum of the memory values of the `top_k` best matching cells.

    The weights are a softmax over the kept similarities alone. Only the kept rows of `values` are touched, and of the
    similarities only one block of queries exists at a time: nothing of size N x Nq is ever stored.

    Args:
        memory_key: [Ck, N]. query_key: [Ck, Nq]. values: [A, N, Cv].
        top_k: number of cells kept for a query; all N when the memory holds fewer.
        usage: float32 [N]; the weight that every cell is given is added to it.

    Returns: [A, Nq, Cv] in the dtype of `values`. Raises ValueError if the N differ.
    """
    num_memory, num_queries = memory_key.shape[1], query_key.shape[1]
    if num_memory != values.shape[1]:
        raise ValueError(f"{num_memory} memory keys but {values.shape[1]} values")
    memory, query = similarity(memory_key, query_key)
    result = values.new_empty(values.shape[0], num_queries, values.shape[2])
    for block in query_blocks(num_queries, num_memory):
        kept, cells = best_cells(scores(memory, query[:, block]), top_k)
        weights = kept.softmax(1).to(values.dtype)
        if usage is not None:
            usage.index_add_(0, cells.flatten(), weights.flatten().float())
        for slot, value in enumerate(values):
            result[slot, block] = F.embedding_bag(cells, value, mode="sum", per_sample_weights=weights)
    return result


def query_blocks(num_queries: int, num_memory: int) -> Iterator[slice]:
    """Cut the queries so that a float32 block [queries, num_memory] stays within `BLOCK_BYTES`."""
    rows = max(64, BLOCK_BYTES // (4 * num_memory))
    for start in range(0, num_queries, rows):
        yield slice(start, min(start + rows, num_queries))


def best_cells(similarities: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of every row, in any order: values and columns, [Nq, min(k, N)] each.

    The k best cells lie in the k groups with the best maxima (or tie with a cell there), so that a maximum over
    groups, which is cheap, leaves few cells to be compared. Exact, and faster than `topk` over a long row.

    Args: similarities [Nq, N].
    """
    rows, num_cells = similarities.shape
    groups = num_cells // GROUP
    if groups < 2 * k:
        kept = similarities.topk(min(k, num_cells), dim=1, sorted=False)
        return kept.values, kept.indices
    head, tail = similarities[:, : groups * GROUP].view(rows, GROUP, groups), similarities[:, groups * GROUP :]
    best = head.amax(1).topk(k, dim=1, sorted=False).indices
    candidates = head.gather(2, best[:, None].expand(-1, GROUP, -1)).flatten(1)
    values, position = torch.cat([candidates, tail], 1).topk(k, dim=1, sorted=False)
    in_head = position < GROUP * k
    head_cell = (position // k) * groups + best.gather(1, position % k)
    return values, torch.where(in_head, head_cell, position - GROUP * k + groups * GROUP)
