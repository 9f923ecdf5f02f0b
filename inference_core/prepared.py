"""What reading makes of the keys in the memory, kept until the memory changes: every few frames, not with every one."""
from __future__ import annotations

from typing import TypeAlias

from torch import Tensor

from inference_core.block_readout import MemoryBlocks
from inference_core.look import memory_blocks
from model.attention import Similarity
from util.types import Size

Place: TypeAlias = tuple[tuple[int, ...], int]
"""The entries read, and whose keys they are."""


class PreparedKeys:
    """All methods: place says which keys these are; key [Ck, N], frame after frame of a grid of cells."""

    def __init__(self, similarity: Similarity) -> None:
        self._similarity = similarity
        self._read: dict[Place, MemoryBlocks] = {}
        self._look: dict[Place, Tensor] = {}

    def clear(self) -> None:
        """The memory has changed."""
        self._read, self._look = {}, {}

    def for_readout(self, place: Place, key: Tensor, grid: Size) -> MemoryBlocks:
        if place not in self._read:
            self._read[place] = MemoryBlocks.of(self._factors(key), grid)
        return self._read[place]

    def for_look(self, place: Place, key: Tensor, grid: Size) -> Tensor:
        if place not in self._look:
            self._look[place] = memory_blocks(self._factors(key), grid)
        return self._look[place]

    def _factors(self, key: Tensor) -> Tensor:
        return self._similarity(key, key[:, :1]).memory
