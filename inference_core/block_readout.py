"""Reading the memory in two steps: first 2x2 blocks of cells that look alike, then the cells in them.

Neighbouring cells look alike, so the blocks with the best mean similarity hold nearly all of the best cells. The
product over all pairs of cells, most of the time of a readout, shrinks to a sixteenth; what remains is a gather. Not
exact: a cell whose three neighbours are all unlike the query may be missed.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inference_core.readout import BLOCK_BYTES, best_cells, readout
from model.attention import Similarity
from util.types import Size

BLOCK = 2
"""Cells per side of a block."""

_CELLS = BLOCK * BLOCK


@dataclass(frozen=True)
class BlockSearch:
    """How a readout looks for similar cells.

    Args:
        grid: rows and columns of cells of a frame, both even.
        blocks: memory blocks looked into per query block.
    """

    grid: Size
    blocks: int


def block_readout(
    memory_key: Tensor,
    query_key: Tensor,
    values: Tensor,
    similarity: Similarity,
    top_k: int,
    search: BlockSearch,
    usage: Tensor | None = None,
) -> Tensor:
    """Like `readout`, among the cells of the best memory blocks of each query block.

    Args:
        memory_key: [Ck, N], frame after frame, N a multiple of the grid's cells. query_key: [Ck, Nq], one frame.
        values: [A, N, Cv].
        usage: float32 [N]; the weight that every cell is given is added to it.

    Returns:
        [A, Nq, Cv] in the dtype of `values`; exact where the memory has no more blocks than are looked into.
    """
    if memory_key.shape[1] <= search.blocks * _CELLS:
        return readout(memory_key, query_key, values, similarity, top_k, usage)
    memory, query = (_blocked(side, search.grid) for side in similarity(memory_key, query_key))
    middle = memory.mean(1).t()
    members = _members(memory_key.shape[1], search.grid, memory.device)
    result = values.new_empty(values.shape[0], query_key.shape[1], values.shape[2])
    row_bytes = 4 * max(len(memory), search.blocks * _CELLS * memory.shape[2])
    for part in torch.arange(len(query), device=query.device).split(max(16, BLOCK_BYTES // row_bytes)):
        with torch.autocast(memory.device.type, enabled=False):
            best = best_cells(query[part].mean(1) @ middle, search.blocks)[1]
            candidates = memory[best.flatten()].view(len(part), search.blocks * _CELLS, -1)
            fine = torch.bmm(query[part], candidates.transpose(1, 2)).flatten(0, 1)
        kept, position = fine.topk(min(top_k, fine.shape[1]), dim=1, sorted=False)
        cells = members[best].flatten(1).repeat_interleave(_CELLS, 0).gather(1, position)
        weights = kept.softmax(1).to(values.dtype)
        if usage is not None:
            usage.index_add_(0, cells.flatten(), weights.flatten().float())
        for slot, value in enumerate(values):
            read = F.embedding_bag(cells, value, mode="sum", per_sample_weights=weights)
            result[slot, members[part].flatten()] = read
    return result


def _blocked(cells: Tensor, grid: Size) -> Tensor:
    """[C, N] -> [N/4, 4, C], block after block."""
    rows, columns = grid.height // BLOCK, grid.width // BLOCK
    split = cells.view(cells.shape[0], -1, rows, BLOCK, columns, BLOCK)
    return split.permute(1, 2, 4, 3, 5, 0).reshape(-1, _CELLS, cells.shape[0])


def _members(num_cells: int, grid: Size, device: torch.device) -> Tensor:
    """[N/4, 4]: which cells each block consists of."""
    return _blocked(torch.arange(num_cells, device=device)[None], grid)[..., 0]
