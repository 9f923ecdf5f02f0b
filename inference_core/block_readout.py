"""Reading the memory in two steps: first 2x2 blocks of cells that look alike, then the cells in them.

Neighbouring cells look alike, so the blocks with the best mean similarity hold nearly all of the best cells. The
product over all pairs of cells, most of the time of a readout, shrinks to a sixteenth; what remains is a gather. Not
exact: a cell whose three neighbours are all unlike the query may be missed.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from inference_core.readout import BLOCK_BYTES, best_cells, readout
from model.attention import Similarity
from util.types import Size

BLOCK = 2
"""Cells per side of a block."""

_CELLS = BLOCK * BLOCK

_GROUP = 2

CHUNK_BYTES = 2 << 20
"""Of candidates gathered at once on a CPU: what stays in its cache, and in memory that the program has already. Larger
pieces are new pages from the system each time, which takes 20 times as long as the copying."""


@dataclass(frozen=True)
class BlockSearch:
    """How a readout looks for similar cells.

    Args:
        grid: rows and columns of cells of a frame, both even.
        blocks: memory blocks looked into per query block.
    """

    grid: Size
    blocks: int


class MemoryBlocks(NamedTuple):
    """Memory keys as this readout needs them; the same for every frame until the memory changes.

    The blocks are shuffled, so that neighbours in place or time, which are alike, do not fall into one group when the
    best are chosen (`_good_blocks`).
    """

    cells: Tensor
    """[N/4, 4 * C]: the factors of a block's cells, one after the other."""
    middle: Tensor
    """[C, N/4]: their mean."""
    members: Tensor
    """[N/4, 4]: which cells these are."""

    @classmethod
    def of(cls, memory: Tensor, grid: Size) -> MemoryBlocks:
        """Args: memory: [C, N] of `attention.Factors`, frame after frame."""
        blocks, members = _blocked(memory, grid), _members(grid, memory.shape[1], memory.device)
        order = torch.randperm(len(blocks), generator=torch.Generator().manual_seed(0)).to(memory.device)
        blocks = blocks.index_select(0, order)
        return cls(blocks.flatten(1), blocks.mean(1).t().contiguous(), members.index_select(0, order))


def block_readout(
    memory_key: Tensor,
    query_key: Tensor,
    values: Tensor,
    similarity: Similarity,
    top_k: int,
    search: BlockSearch,
    usage: Tensor | None = None,
    shape: Size | None = None,
    blocks: MemoryBlocks | None = None,
) -> Tensor:
    """Like `readout`, among the cells of the best memory blocks of each query block.

    Args:
        memory_key: [Ck, N], frame after frame, N a multiple of the grid's cells. query_key: [Ck, Nq], one frame or a
            rectangle of it.
        values: [A, N, Cv].
        usage: float32 [N]; the weight that every cell is given is added to it.
        shape: rows and columns of the queries, both even; None: those of the grid.
        blocks: of the memory key, where they are known already.

    Returns:
        [A, Nq, Cv] in the dtype of `values`; exact where the memory has no more blocks than are looked into.
    """
    if memory_key.shape[1] <= search.blocks * _CELLS:
        return readout(memory_key, query_key, values, similarity, top_k, usage)
    shape = shape or search.grid
    blocks = blocks or MemoryBlocks.of(similarity(memory_key, query_key).memory, search.grid)
    query = _blocked(similarity(memory_key[:, :1], query_key).query, shape)
    places = _members(shape, query_key.shape[1], query_key.device)
    result = values.new_empty(values.shape[0], query_key.shape[1], values.shape[2])
    row_bytes = 4 * max(len(blocks.cells), search.blocks * blocks.cells.shape[1])
    at_once = (CHUNK_BYTES if query.device.type == "cpu" else 16 * BLOCK_BYTES) // row_bytes
    chosen = _chosen(query.mean(1), blocks.middle, search.blocks)
    for part in torch.arange(len(query), device=query.device).split(max(16, at_once)):
        best = chosen[part]
        with torch.autocast(query.device.type, enabled=False):
            candidates = blocks.cells.index_select(0, best.flatten()).view(len(part), search.blocks * _CELLS, -1)
            fine = torch.bmm(query[part], candidates.transpose(1, 2))
        kept, position = fine.topk(min(top_k, fine.shape[2]), dim=2, sorted=False)
        cells = blocks.members.index_select(0, best.flatten()).view(len(part), -1).gather(1, position.flatten(1))
        cells, weights = cells.view(-1, kept.shape[2]), kept.softmax(2).flatten(0, 1).to(values.dtype)
        if usage is not None:
            usage.index_add_(0, cells.flatten(), weights.flatten().float())
        place = places[part].flatten()
        for slot, value in enumerate(values):
            result[slot].index_copy_(0, place, F.embedding_bag(cells, value, mode="sum", per_sample_weights=weights))
    return result


def _chosen(query: Tensor, middle: Tensor, count: int) -> Tensor:
    """[Nq, count]: the memory blocks to look into for every query block. Args: query: [Nq, C]. middle: [C, N]."""
    with torch.autocast(query.device.type, enabled=False):
        parts = query.split(max(16, CHUNK_BYTES // (4 * middle.shape[1])))
        return torch.cat([_good_blocks(part @ middle, count) for part in parts])


def _good_blocks(similarities: Tensor, count: int) -> Tensor:
    """[Nq, count]: columns of large values in every row, nearly the largest: of every `_GROUP` columns only the best
    counts. Choosing exactly takes three times as long, and the cells are compared anyway.

    Args: similarities [Nq, N].
    """
    groups = similarities.shape[1] // _GROUP
    if groups < 4 * count:
        return best_cells(similarities, count)[1]
    head = similarities[:, : groups * _GROUP].view(-1, _GROUP, groups)
    best, chosen = head.amax(1).topk(count, dim=1, sorted=False)
    is_best = head.gather(2, chosen[:, None].expand(-1, _GROUP, -1)) == best[:, None]
    position = torch.arange(_GROUP, device=best.device)[:, None]  # `argmax` over a short dimension is slow
    return torch.where(is_best, position, 0).amax(1) * groups + chosen


def _blocked(cells: Tensor, grid: Size) -> Tensor:
    """[C, N] -> [N/4, 4, C], block after block."""
    rows, columns = grid.height // BLOCK, grid.width // BLOCK
    split = cells.view(cells.shape[0], -1, rows, BLOCK, columns, BLOCK)
    return split.permute(1, 2, 4, 3, 5, 0).reshape(-1, _CELLS, cells.shape[0])


def _members(grid: Size, num_cells: int, device: torch.device) -> Tensor:
    """[N/4, 4]: which cells each block consists of."""
    return _blocked(torch.arange(num_cells, device=device)[None], grid)[..., 0]
