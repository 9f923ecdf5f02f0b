"""What engines with a frame-addressed memory bank have in common."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch.nn.functional as F
from torch import Tensor

from inference_core.block_readout import BlockSearch
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.memory_bank import BankState, MemoryBank
from inference_core.propagator import Memory
from inference_core.propagators.sized import SizedPropagator
from model.attention import Similarity, full_softmax_attention, transfer_maps
from util.types import Size

Maps = TypeVar("Maps", bound=tuple[Tensor, ...])


@dataclass(frozen=True)
class EncodedFrame(Generic[Maps]):
    """A normalised frame [1, 3, Hp, Wp] with what the network's key encoder made of it."""

    image: Tensor
    maps: Maps

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in (self.image, *self.maps))


def make_bank(
    setup: EngineSetup,
    similarity: Similarity,
    top_k: int,
    max_rolling: int,
    *,
    keys_per_object: bool = False,
    search: BlockSearch | None = None,
) -> MemoryBank:
    """The memory of an engine; `top_k` and `max_rolling` are its defaults."""
    return MemoryBank(
        similarity=similarity,
        top_k=setup.top_k or top_k,
        max_rolling=setup.max_memory_frames or max_rolling,
        dtype=setup.compute.memory_dtype,
        duplicates=setup.duplicates,
        keys_per_object=keys_per_object,
        search=search,
        eviction=setup.eviction,
    )


class BankedPropagator(SizedPropagator):
    """Bookkeeping around a `MemoryBank`; a subclass adds the network.

    Args:
        stride: pixels of the working size per memory cell and side.
    """

    def __init__(
        self, geometry: Geometry, compute: ComputeDevice, bank: MemoryBank, similarity: Similarity, stride: int
    ) -> None:
        super().__init__(geometry, compute)
        self._bank = bank
        self._similarity = similarity
        self._cells = Size(*(side // stride for side in geometry.working))

    @property
    def settings(self) -> dict[str, int]:
        return self._bank.settings

    def set_objects(self, object_ids: Sequence[int]) -> None:
        self._bank.set_objects(object_ids)

    def read(self, key: Tensor, slots: Sequence[int]) -> Tensor:
        """key [1, Ck, Hf, Wf] of the frame to segment -> readout [len(slots), Cv, Hf, Wf]."""
        return self._bank.read(key[0].flatten(1), slots).view(len(slots), -1, *self._cells)

    def store(self, frame: int, key: Tensor, value: Tensor, slots: Sequence[int], kind: Memory) -> None:
        """key [1, Ck, Hf, Wf] shared or [len(slots), Ck, Hf, Wf] per object, value [len(slots), Cv, Hf, Wf]."""
        self._bank.put(frame, key.flatten(2), value.flatten(2), slots, kind)

    def to_cells(self, maps: Tensor) -> Tensor:
        return F.interpolate(maps, tuple(self._cells), mode="area")

    def move_maps(self, anchor: int, key: Tensor, maps: Tensor, slots: Sequence[int]) -> Tensor:
        """Carry maps [A, 2, Hf, Wf] of the objects in `slots` from the anchor to the frame with this key
        [1, Ck, Hf, Wf]."""
        attention = full_softmax_attention(self._bank.key(anchor, slots), key[0].flatten(1), self._similarity)
        return transfer_maps(maps[:, 0], maps[:, 1], attention, self._cells, self._geometry.working)

    def end_pass(self) -> None:
        self._bank.drop_rolling()

    def forget(self, frame: int) -> None:
        self._bank.drop(frame)

    def snapshot(self) -> BankState:
        return self._bank.snapshot()

    def restore(self, state: object) -> None:
        assert isinstance(state, BankState)
        self._bank.restore(state)

    def memory_frames(self, kind: Memory) -> int:
        return len(self._bank.frames(kind))

    def memory_bytes(self) -> int:
        return self._bank.nbytes


def others(masks: Tensor) -> Tensor:
    """Sum of the masks of all other objects, per object, not clamped: [K, H, W] -> [K, H, W]."""
    return masks.sum(0, keepdim=True) - masks
