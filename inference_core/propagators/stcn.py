"""STCN as a propagation engine (Cheng, Tai, Tang, NeurIPS 2021; the MiVOS-STCN branch)."""
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.memory_bank import MemoryBank
from inference_core.propagator import FrameFeatures, Memory
from inference_core.propagators.banked import BankedPropagator, EncodedFrame, make_bank, others
from model.attention import l2_similarity
from model.stcn import IMAGE_MEAN, IMAGE_STD, STCN, KeyFeatures, load_stcn
from model.window import Window
from util.types import ImageU8

TOP_K = 20
SHORT_SIDE = 480
STRIDE = 16
MAX_ROLLING = 40
"""Rolling memory frames: at 480p one costs 3.7 MB and object in float32."""


class StcnPropagator(BankedPropagator):
    """Memory: key frames and every `mem_every`-th frame of the pass; no memory of the previous frame."""

    name = "stcn"
    normalisation = IMAGE_MEAN, IMAGE_STD
    maps_type = KeyFeatures

    def __init__(
        self,
        network: STCN,
        geometry: Geometry,
        compute: ComputeDevice,
        bank: MemoryBank,
        mem_every: int,
        *,
        is_regional: bool = False,
    ) -> None:
        super().__init__(geometry, compute, bank, l2_similarity, STRIDE, is_regional=is_regional)
        self._network = network
        self._mem_every = mem_every

    def encode(self, image: ImageU8) -> EncodedFrame[KeyFeatures]:
        pixels = self.pixels(image)
        with self._compute.autocast():
            return EncodedFrame(pixels, self._network.encode_key(pixels))

    def segment(self, frame: int, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        assert isinstance(features, EncodedFrame)
        maps = features.maps

        def logits(read: Tensor, part: Sequence[int], window: Window) -> Tensor:
            with self._compute.autocast():
                return self._network.decode(read, maps, window)

        return self.decoded(maps.key, slots, self._network.reach, logits, self.before(slots))

    def wants_memory(self, frame: int, last: int) -> Memory:
        return Memory.ROLLING if abs(frame - last) >= self._mem_every else Memory.NONE

    def memorize(
        self, frame: int, features: FrameFeatures, prob: Tensor, slots: Sequence[int], kind: Memory
    ) -> None:
        assert isinstance(features, EncodedFrame)
        image, maps, masks = features.image, features.maps, prob[1:]
        rest = others(masks)

        def value(part: Sequence[int]) -> Tensor:
            picked = list(part)
            with self._compute.autocast():
                return self._network.encode_value(image, maps.f16, masks[picked], rest[picked])

        self.store(frame, maps.key, self.in_chunks(slots, value), masks[list(slots)], slots, kind)

    def transfer(self, anchor: int, features: FrameFeatures, maps: Tensor, slots: Sequence[int]) -> Tensor:
        assert isinstance(features, EncodedFrame)
        return self.move_maps(anchor, features.maps.key, maps, slots)


def build(setup: EngineSetup) -> StcnPropagator:
    """Raises AppError for a checkpoint that is not one of this network."""
    assert setup.weights is not None
    network = load_stcn(setup.weights)
    bank = make_bank(setup, l2_similarity, TOP_K, MAX_ROLLING)
    placed, geometry = setup.prepared(network), setup.padded(SHORT_SIDE)
    return StcnPropagator(placed, geometry, setup.compute, bank, setup.mem_every, is_regional=setup.is_regional)
