"""Reading the memory: which memory cells look like this query cell, and what lay there.

Space-time memory readout (Oh et al., ICCV 2019) with the top-k softmax of MiVOS (Cheng et al., CVPR 2021) and the
negative squared L2 distance of STCN (Cheng et al., NeurIPS 2021) or STM's dot product.
"""
from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from model.attention import Similarity

AFFINITY_BYTES = 16 << 20
"""Size of one block of the affinity matrix: large enough for a full-speed product, small enough for the cache."""


def query_blocks(num_queries: int, num_memory: int) -> Iterator[slice]:
    """Cut the queries so that a float32 block [queries, num_memory] stays within `AFFINITY_BYTES`."""
    rows = max(1, AFFINITY_BYTES // (4 * max(1, num_memory)))
    for start in range(0, num_queries, rows):
        yield slice(start, min(start + rows, num_queries))


def readout(memory_key: Tensor, query_key: Tensor, values: Tensor, similarity: Similarity, top_k: int) -> Tensor:
    """Weighted sum of the memory values of the `top_k` best matching cells.

    The weights are a softmax over the kept scores alone. Only the kept rows of `values` are touched, so no [N, Nq]
    matrix of weights ever exists.

    Args:
        memory_key: [N, Ck]. query_key: [Ck, Nq]. values: [A, N, Cv].
        top_k: number of cells kept for a query; all N when the memory holds fewer.
    Returns: [A, Nq, Cv] in the dtype of `values`. Raises ValueError if the N differ.
    """
    if memory_key.shape[0] != values.shape[1]:
        raise ValueError(f"{memory_key.shape[0]} memory keys but {values.shape[1]} values")
    result = values.new_empty(values.shape[0], query_key.shape[1], values.shape[2])
    for block in query_blocks(query_key.shape[1], memory_key.shape[0]):
        scores = similarity(memory_key.t(), query_key[:, block])
        kept, cells = scores.topk(min(top_k, scores.shape[1]), dim=1, sorted=False)
        weights = kept.softmax(1).to(values.dtype)
        for slot, value in enumerate(values):
            result[slot, block] = F.embedding_bag(cells, value, mode="sum", per_sample_weights=weights)
    return result
