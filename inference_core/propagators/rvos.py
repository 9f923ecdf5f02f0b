"""RVOS as a propagation engine (Ventura et al., CVPR 2019): recurrent, without a memory bank.

What is known of an object is its mask on the frame before and what the network carried on from there. A key frame is
therefore kept as what the network made of it, and a pass begins with the one of its anchor.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.propagator import EmptyMemoryError, FrameFeatures, Memory
from inference_core.propagators.banked import EncodedFrame
from inference_core.propagators.sized import SizedPropagator
from model.aggregate import aggregate
from model.encoders import IMAGENET_MEAN, IMAGENET_STD
from model.folding import fold_batch_norm
from model.rvos import LEVELS, RVOS, Hidden, Skips
from model.rvos_folder import load_rvos
from util.types import ImageU8

SHORT_SIDE = 240
"""The published program works at 240x427."""


@dataclass(frozen=True)
class Carried:
    """One object on one frame: its mask [Hp, Wp], 0..1, and per level what the network carries on, [C, h, w]."""

    mask: Tensor
    hidden: tuple[Tensor, ...]

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in (self.mask, *self.hidden))


class RvosPropagator(SizedPropagator):
    """Objects by their ids: slots may be given anew while key frames stay."""

    name = "rvos"

    def __init__(self, network: RVOS, geometry: Geometry, compute: ComputeDevice) -> None:
        super().__init__(geometry, compute)
        self._network = network
        self._ids: tuple[int, ...] = ()
        self._pinned: dict[int, Mapping[int, Carried]] = {}  # key frame -> object id -> what it left behind
        self._anchor: int | None = None
        self._state: dict[int, Carried] = {}  # object id -> on the frame before; empty at the anchor
        self._found: dict[int, Carried] = {}  # of the frame just segmented, until `follow`

    @property
    def settings(self) -> dict[str, int]:
        return {}

    def set_objects(self, object_ids: Sequence[int]) -> None:
        self._ids = tuple(object_ids)
        kept = {f: {i: seen for i, seen in objects.items() if i in self._ids} for f, objects in self._pinned.items()}
        self._pinned = {frame: objects for frame, objects in kept.items() if objects}
        self._state, self._found = {}, {}

    def encode(self, image: ImageU8) -> EncodedFrame[Skips]:
        return encode(self._network, self._geometry, self._compute, image)

    def begin_pass(self, anchor: int, prob: Tensor) -> None:
        """The anchor's masks are in its key frame."""
        self._anchor, self._state, self._found = anchor, {}, {}

    def segment(self, frame: int, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        assert isinstance(features, EncodedFrame)
        if self._anchor not in self._pinned:
            raise EmptyMemoryError(f"the anchor {self._anchor} is not in memory")
        before = {**self._pinned[self._anchor], **self._state}
        ids = [self._ids[slot] for slot in slots]
        unknown = [i for i in ids if i not in before]
        if unknown:
            raise EmptyMemoryError(f"objects {unknown} are not in memory on the anchor {self._anchor}")
        seen = [before[i] for i in ids]
        hidden = tuple(torch.stack([one.hidden[level] for one in seen]) for level in range(LEVELS))
        prob, self._found = self._run(features, ids, torch.stack([one.mask for one in seen]), hidden)
        return aggregate(prob)

    def _run(
        self, features: EncodedFrame[Skips], ids: Sequence[int], masks: Tensor, hidden: Hidden | None
    ) -> tuple[Tensor, dict[int, Carried]]:
        """Independent probabilities [A, Hp, Wp], and what the objects carry on from this frame."""
        with self._compute.autocast():
            logits, maps = self._network.decoder(features.maps, masks.shape[-2:], len(ids), masks, hidden)
        prob = logits.float().sigmoid()
        found = {i: Carried(prob[row], tuple(level[row] for level in maps)) for row, i in enumerate(ids)}
        return prob, found

    def follow(self, prob: Tensor) -> None:
        """The published program carries on each object's own probability, not the share that competition leaves it;
        where an object rests, no other one is."""
        resting = [1 + slot for slot, i in enumerate(self._ids) if i not in self._found]
        free = 1 - prob[resting].sum(0) if resting else 1.0
        self._state |= {i: Carried(seen.mask * free, seen.hidden) for i, seen in self._found.items()}
        self._found = {}

    def wants_memory(self, frame: int, last: int) -> Memory:
        return Memory.NONE

    def memorize(
        self, frame: int, features: FrameFeatures, prob: Tensor, slots: Sequence[int], kind: Memory
    ) -> None:
        """Keeps key frames only. The network sees their masks twice, as published: here and on the next frame."""
        assert isinstance(features, EncodedFrame)
        if kind is not Memory.PINNED:
            return
        ids, masks = [self._ids[slot] for slot in slots], prob[1:][list(slots)]
        _, found = self._run(features, ids, masks, None)
        self._pinned[frame] = {i: Carried(mask, found[i].hidden) for i, mask in zip(ids, masks, strict=True)}

    def end_pass(self) -> None:
        self._anchor, self._state, self._found = None, {}, {}

    def forget(self, frame: int) -> None:
        del self._pinned[frame]

    def snapshot(self) -> Mapping[int, Mapping[int, Carried]]:
        return dict(self._pinned)

    def restore(self, state: object) -> None:
        assert isinstance(state, dict)
        self._pinned = dict(state)

    def memory_frames(self, kind: Memory) -> int:
        return len(self._pinned) if kind is Memory.PINNED else 0

    def memory_bytes(self) -> int:
        objects = [seen for frame in self._pinned.values() for seen in frame.values()]
        return sum(seen.nbytes for seen in (*objects, *self._state.values()))


def encode(network: RVOS, geometry: Geometry, compute: ComputeDevice, image: ImageU8) -> EncodedFrame[Skips]:
    """A native-size uint8 [H, W, 3] frame for the decoder."""
    pixels = geometry.image_to_working(image, IMAGENET_MEAN, IMAGENET_STD, compute.device)
    with compute.autocast():
        return EncodedFrame(pixels, network.encoder(pixels))


def open_network(setup: EngineSetup, *, takes_mask: bool) -> tuple[RVOS, Geometry]:
    """The network on its device, and the sizes it works at: nothing is padded. Raises AppError."""
    assert setup.weights is not None
    network = setup.compute.place(fold_batch_norm(load_rvos(setup.weights, takes_mask=takes_mask)))
    return network, setup.padded(SHORT_SIDE, multiple=1)


def build(setup: EngineSetup) -> RvosPropagator:
    """Raises AppError for a folder that does not hold RVOS for given masks."""
    return RvosPropagator(*open_network(setup, takes_mask=True), setup.compute)
