"""An engine without a network: every frame gets the anchor's mask. For tests, and as the floor of any comparison."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.propagator import EmptyMemoryError, FrameFeatures, Memory
from util.types import ImageU8, Size


@dataclass(frozen=True)
class StaticFeatures:
    image: Tensor

    @property
    def nbytes(self) -> int:
        return self.image.numel() * self.image.element_size()


class StaticPropagator:
    """Remembers which key frames there are, and copies the mask of the one the pass started from."""

    name = "static"

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._pinned: frozenset[int] = frozenset()
        self._prob: Tensor | None = None

    @property
    def settings(self) -> dict[str, int]:
        return {}

    def set_objects(self, object_ids: Sequence[int]) -> None:
        self._prob = None

    def working_size(self) -> Size:
        return self._geometry.working

    def to_working(self, planes: Tensor) -> Tensor:
        return self._geometry.to_working(planes)

    def place(self, planes: Tensor) -> Tensor:
        return planes

    def to_native(self, planes: Tensor) -> Tensor:
        return self._geometry.to_native(planes)

    def encode(self, image: ImageU8) -> StaticFeatures:
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        return StaticFeatures(self._geometry.image_to_working(image, mean, std, torch.device("cpu")))

    def begin_pass(self, anchor: int, prob: Tensor) -> None:
        self._prob = prob

    def segment(self, frame: int, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        if not self._pinned or self._prob is None:
            raise EmptyMemoryError("no key frame in memory")
        masks = self._prob[[1 + slot for slot in slots]]
        return torch.cat([1 - masks.sum(0, keepdim=True), masks])

    def follow(self, prob: Tensor) -> None:
        """Nothing is recurrent here."""

    def wants_memory(self, frame: int, last: int) -> Memory:
        return Memory.NONE

    def memorize(
        self, frame: int, features: FrameFeatures, prob: Tensor, slots: Sequence[int], kind: Memory
    ) -> None:
        if kind is Memory.PINNED:
            self._pinned |= {frame}

    def end_pass(self) -> None:
        self._prob = None

    def forget(self, frame: int) -> None:
        self._pinned -= {frame}

    def snapshot(self) -> frozenset[int]:
        return self._pinned

    def restore(self, state: object) -> None:
        assert isinstance(state, frozenset)
        self._pinned = state

    def memory_frames(self, kind: Memory) -> int:
        return len(self._pinned) if kind is Memory.PINNED else 0

    def memory_bytes(self) -> int:
        return 0


def build(setup: EngineSetup) -> StaticPropagator:
    return StaticPropagator(Geometry.padded(setup.native, None))
