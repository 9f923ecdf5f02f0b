"""The embedded light network as a propagation engine: fast enough for a laptop's CPU."""
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from inference_core.block_readout import BlockSearch
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.memory_bank import MemoryBank
from inference_core.propagator import FrameFeatures, Memory
from inference_core.propagators.banked import BankedPropagator, EncodedFrame, make_bank, others
from inference_core.strays import without_strays
from inference_core.views import View
from model.attention import l2_similarity
from model.light import IMAGE_MEAN, IMAGE_STD, LightFeatures, LightNet, load_light
from model.window import Window
from util.types import ImageU8, Size

TOP_K = 50
SHORT_SIDE = 288
STRIDE = 8
SEARCH_BLOCKS = 128
"""Of 2x2 cells: the readout keeps `TOP_K` of the cells in them. A quarter of these blocks is a third faster still, but
errors add up over a clip: after 40 frames the masks of an easy clip agree with those of the exact readout to a mean IoU
of 0.998 (0.994 with a quarter), those of a hard one to 0.978 (0.935)."""
MAX_ROLLING = 6
"""Rolling memory frames: bounds the cost of a readout on long videos."""


class LightPropagator(BankedPropagator):
    """Memory: key frames and every `mem_every`-th frame; the decoder also sees the masks of the previous frame. It may
    be shown views of frames."""

    name = "light"
    normalisation = IMAGE_MEAN, IMAGE_STD
    maps_type = LightFeatures

    def __init__(
        self,
        network: LightNet,
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

    def encode(self, image: ImageU8) -> EncodedFrame[LightFeatures]:
        return self._encoded(image, None)

    def encode_view(self, image: ImageU8, view: View) -> EncodedFrame[LightFeatures]:
        """See `SupportsViews`."""
        return self._encoded(view.part_of(image), view)

    def _encoded(self, image: ImageU8, view: View | None) -> EncodedFrame[LightFeatures]:
        pixels = self.pixels(image)
        with self._compute.autocast():
            return EncodedFrame(pixels, self._network.encode_key(pixels), view)

    def segment(self, frame: int, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        assert isinstance(features, EncodedFrame)
        if self._previous is None:
            raise RuntimeError("segment() outside begin_pass() and end_pass()")
        maps, masks = features.maps, self._previous[1:]
        if features.view is not None:
            masks = features.view.enlarge(masks)
        rest = others(masks)

        def logits(read: Tensor, part: Sequence[int], window: Window) -> Tensor:
            picked = list(part)
            with self._compute.autocast():
                return self._network.decode(read, maps, masks[picked], rest[picked], window)

        before = masks[list(slots)]
        return without_strays(self.decoded(maps.key, slots, self._network.reach, logits, before), before)

    def wants_memory(self, frame: int, last: int) -> Memory:
        """The decoder sees the previous masks; a memory of that frame as well costs a fifth more and gains nothing
        (measured when the network was trained: mean J&F 82.3 with and without)."""
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
                return self._network.encode_value(image, maps, masks[picked], rest[picked])

        values, is_view = self.in_chunks(slots, value), features.view is not None
        self.store(frame, maps.key, values, masks[list(slots)], slots, kind, is_view=is_view)

    def transfer(self, anchor: int, features: FrameFeatures, maps: Tensor, slots: Sequence[int]) -> Tensor:
        assert isinstance(features, EncodedFrame)
        return self.move_maps(anchor, features.maps.key, maps, slots)


def build(setup: EngineSetup) -> LightPropagator:
    """Raises AppError for a checkpoint that is not one of this network."""
    assert setup.weights is not None
    network = setup.prepared(load_light(setup.weights))
    geometry = setup.rounded(SHORT_SIDE)
    search = BlockSearch(Size(*(side // STRIDE for side in geometry.working)), SEARCH_BLOCKS)
    bank = make_bank(setup, l2_similarity, TOP_K, MAX_ROLLING, search=search)
    return LightPropagator(network, geometry, setup.compute, bank, setup.mem_every, is_regional=setup.is_regional)
