"""What every engine is built from."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torch import nn

from inference_core.device import ComputeDevice
from inference_core.eviction import DEFAULT_EVICTION, Eviction
from inference_core.geometry import Geometry
from inference_core.memory_bank import Duplicates
from model.folding import fold_batch_norm
from model.winograd import use_winograd
from util.types import Size

Network = TypeVar("Network", bound=nn.Module)


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
        is_plain: save no work: decode whole frames, compute convolutions directly; for comparisons.
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
    is_plain: bool = False

    @property
    def is_regional(self) -> bool:
        """Whether engines with a memory of keys decode only where objects can be. Choosing regions makes the processor
        wait for the device, so that on a GPU the whole frame is faster."""
        return not self.is_plain and self.compute.device.type == "cpu"

    def prepared(self, network: Network) -> Network:
        """A network with its weights, as fast as it gets for inference on this device; its state dict is another."""
        folded = fold_batch_norm(network.eval())
        if not self.is_plain and self.compute.is_plain_processor:
            use_winograd(folded)
        return self.compute.place(folded)

    def padded(self, default_side: int, multiple: int = 16) -> Geometry:
        return Geometry.padded(self.native, self._side(default_side), multiple)

    def rounded(self, default_side: int) -> Geometry:
        return Geometry.rounded(self.native, self._side(default_side))

    def _side(self, default_side: int) -> int | None:
        side = default_side if self.short_side is None else self.short_side
        return None if side == -1 else side
