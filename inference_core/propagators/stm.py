"""STM as a propagation engine (Oh et al., ICCV 2019; the main branch of MiVOS)."""
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.memory_bank import MemoryBank
from inference_core.propagator import FrameFeatures, Memory
from inference_core.propagators.banked import BankedPropagator, EncodedFrame, joined, make_bank, others
from model.attention import dot_similarity
from model.stm import IMAGE_MEAN, IMAGE_STD, STM, QueryFeatures, load_stm
from model.window import Window
from util.types import ImageU8

TOP_K = 50
SHORT_SIDE = 480
STRIDE = 16
MAX_ROLLING = 40
"""Rolling memory frames: at 480p one costs 4.2 MB and object in float32."""


class StmPropagator(BankedPropagator):
    """Memory: key frames, every `mem_every`-th frame of the pass, and always the previous frame."""

    name = "stm"
    normalisation = IMAGE_MEAN, IMAGE_STD
    maps_type = QueryFeatures

    def __init__(
        self,
        network: STM,
        geometry: Geometry,
        compute: ComputeDevice,
        bank: MemoryBank,
        mem_every: int,
        *,
        is_regional: bool = False,
    ) -> None:
        super().__init__(geometry, compute, bank, dot_similarity, STRIDE, is_regional=is_regional)
        self._network = network
        self._mem_every = mem_every

    def encode(self, image: ImageU8) -> EncodedFrame[QueryFeatures]:
        pixels = self.pixels(image)
        with self._compute.autocast():
            return EncodedFrame(pixels, self._network.encode_query(pixels))

    def segment(self, frame: int, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        assert isinstance(features, EncodedFrame)
        maps = features.maps

        def logits(read: Tensor, part: Sequence[int], window: Window) -> Tensor:
            with self._compute.autocast():
                return self._network.decode(read, maps, window)

        return self.decoded(maps.key, slots, self._network.reach, logits, self.before(slots))

    def wants_memory(self, frame: int, last: int) -> Memory:
        return Memory.ROLLING if abs(frame - last) >= self._mem_every else Memory.PREVIOUS

    def memorize(
        self, frame: int, features: FrameFeatures, prob: Tensor, slots: Sequence[int], kind: Memory
    ) -> None:
        assert isinstance(features, EncodedFrame)
        image, masks = features.image, prob[1:]
        rest = others(masks)

        entries = []
        for part in self.chunks(slots):
            picked = list(part)
            with self._compute.autocast():
                entries.append(self._network.encode_memory(image, masks[picked], rest[picked]))
        key, value = joined([entry.key for entry in entries]), joined([entry.value for entry in entries])
        self.store(frame, key, value, masks[list(slots)], slots, kind)

    def transfer(self, anchor: int, features: FrameFeatures, maps: Tensor, slots: Sequence[int]) -> Tensor:
        assert isinstance(features, EncodedFrame)
        return self.move_maps(anchor, features.maps.key, maps, slots)


def build(setup: EngineSetup) -> StmPropagator:
    """Raises AppError for a checkpoint that is not one of this network."""
    assert setup.weights is not None
    network = load_stm(setup.weights)
    bank = make_bank(setup, dot_similarity, TOP_K, MAX_ROLLING, keys_per_object=True)
    placed, geometry = setup.prepared(network), setup.padded(SHORT_SIDE)
    return StmPropagator(placed, geometry, setup.compute, bank, setup.mem_every, is_regional=setup.is_regional)
