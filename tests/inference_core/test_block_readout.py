"""The two-step readout against the exact one."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from inference_core.block_readout import BlockSearch, block_readout
from inference_core.readout import readout
from model.attention import dot_similarity, l2_similarity
from util.types import Size

GRID = Size(8, 12)
CELLS = GRID.height * GRID.width


def smooth(frames: int, seed: int) -> Tensor:
    """Keys [16, N] that vary as slowly as a picture does."""
    noise = torch.randn(frames, 16, 2, 3, generator=torch.Generator().manual_seed(seed))
    maps = F.interpolate(noise, tuple(GRID), mode="bicubic", align_corners=False)
    return 3 * maps.permute(1, 0, 2, 3).reshape(16, -1)


@pytest.mark.parametrize("similarity", [l2_similarity, dot_similarity])
def test_is_exact_when_every_block_is_looked_into(similarity) -> None:  # noqa: ANN001
    memory, query = smooth(3, 0), smooth(1, 1)
    values = torch.randn(2, 3 * CELLS, 5)
    # One block fewer than there are, so that the two-step path runs; the worst block holds none of the best cells.
    search = BlockSearch(GRID, 3 * CELLS // 4 - 1)
    found = block_readout(memory, query, values, similarity, 10, search)
    assert torch.allclose(found, readout(memory, query, values, similarity, 10), atol=1e-5)


def test_comes_nearer_to_the_exact_readout_with_every_block() -> None:
    memory, query = smooth(6, 2), smooth(1, 3)
    values = torch.randn(1, 6 * CELLS, 5, generator=torch.Generator().manual_seed(4))
    exact = readout(memory, query, values, l2_similarity, 8)

    def error(blocks: int) -> float:
        found = block_readout(memory, query, values, l2_similarity, 8, BlockSearch(GRID, blocks))
        return float((found - exact).norm() / exact.norm())

    assert error(2) > error(8) > error(20)
    assert error(20) < 0.1
    assert error(40) < 1e-5


def test_a_small_memory_is_read_exactly() -> None:
    memory, query, values = smooth(1, 4), smooth(1, 5), torch.randn(1, CELLS, 3)
    found = block_readout(memory, query, values, l2_similarity, 5, BlockSearch(GRID, CELLS // 4))
    assert torch.equal(found, readout(memory, query, values, l2_similarity, 5))
