"""What every engine is built from."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference_core.device import ComputeDevice
from inference_core.eviction import DEFAULT_EVICTION, Eviction
from inference_core.geometry import Geometry
from inference_core.memory_bank import Duplicates
from util.types import Size


@dataclass(frozen=True)
class EngineSetup:
    """One engine for one video.

    Args:
        native: size of the frames.
        weights: checkpoint of the network; None for an engine without one.
        short_side: the shorter side the network works at, None for the engine's default, -1 for native.
        top_k: memory cells kept per query, None for the engine's default.
        mem_every: every n-th propagated frame is remembered.
        max_memory_frames: rolling frames of a space-time memory, None for the engine's default.
        eviction: how these make room for newer ones.
        budget: cells of a memory that has a budget, None for the engine's default.
        update_rate: how far such a memory moves towards what it is merged with, 0..1, None for the default.
    """

    native: Size
    weights: Path | None
    compute: ComputeDevice
    mem_every: int = 5
    top_k: int | None = None
    short_side: int | None = None
    duplicates: Duplicates = "replace"
    max_memory_frames: int | None = None
    eviction: Eviction = DEFAULT_EVICTION
    budget: int | None = None
    update_rate: float | None = None

    def padded(self, default_side: int, multiple: int = 16) -> Geometry:
        return Geometry.padded(self.native, self._side(default_side), multiple)

    def rounded(self, default_side: int) -> Geometry:
        return Geometry.rounded(self.native, self._side(default_side))

    def _side(self, default_side: int) -> int | None:
        side = default_side if self.short_side is None else self.short_side
        return None if side == -1 else side
