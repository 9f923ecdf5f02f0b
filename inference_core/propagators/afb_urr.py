"""AFB-URR as a propagation engine (Liang, Li, Jafari, Chen, NeurIPS 2020).

Its bank melts frames together and drops cells, so a key frame cannot be taken out of it again. What the network made
of every key frame is therefore kept aside, and each pass begins with a bank made of that: forgetting a key frame is
leaving it out.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference_core.api import BankFill
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.feature_bank import BUDGET, MERGE_ABOVE, UPDATE_RATE, FeatureBank
from inference_core.geometry import Geometry
from inference_core.propagator import EmptyMemoryError, FrameFeatures, Memory
from inference_core.propagators.banked import EncodedFrame
from inference_core.propagators.sized import SizedPropagator
from model.afb_urr import AfbUrr, QueryFeatures, folded, load_afb_urr
from util.types import ImageU8

SHORT_SIDE = 480
_BACKGROUND = 0
"""Its id in the bank, where it is an object like any other."""
_NO_CHANGE, _UNIT = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
"""The network normalises, after the padding."""


@dataclass(frozen=True)
class BankSettings:
    """See `FeatureBank`."""

    budget: int = BUDGET
    update_rate: float = UPDATE_RATE
    merge_above: float = MERGE_ABOVE


@dataclass(frozen=True)
class _Entry:
    """One object on one key frame: key [Ck, N], value [Cv, N]. Never changed."""

    key: Tensor
    value: Tensor


_KeyFrames = Mapping[int, Mapping[int, _Entry]]
"""Frame -> object id -> what the bank is given of it."""


class AfbUrrPropagator(SizedPropagator):
    """Memory: a bank with a budget that takes in the key frames and every `mem_every`-th frame of the pass."""

    name = "afb-urr"

    def __init__(
        self, network: AfbUrr, geometry: Geometry, compute: ComputeDevice, bank: BankSettings, mem_every: int
    ) -> None:
        super().__init__(geometry, compute)
        self._network = network
        self._bank_settings = bank
        self._mem_every = mem_every
        self._inside = self.to_working(torch.ones(1, *geometry.native))  # [1, Hp, Wp], 0 in the padding
        self._object_ids: tuple[int, ...] = ()
        self._pinned: _KeyFrames = {}
        self._anchor: int | None = None
        self._bank: FeatureBank | None = None
        self._rolling = 0

    @property
    def settings(self) -> dict[str, int | float]:
        return {"budget": self._bank_settings.budget, "update_rate": self._bank_settings.update_rate}

    @property
    def bank(self) -> FeatureBank | None:
        """The one of the running pass, from its first frame on."""
        return self._bank

    @property
    def fill(self) -> BankFill | None:
        return None if self._bank is None else self._bank.fill

    def set_objects(self, object_ids: Sequence[int]) -> None:
        self._object_ids = tuple(object_ids)
        known = {_BACKGROUND, *object_ids}
        self._pinned = {
            frame: {i: entry for i, entry in entries.items() if i in known} for frame, entries in self._pinned.items()
        }
        self._bank = None

    def encode(self, image: ImageU8) -> EncodedFrame[QueryFeatures]:
        pixels = self._geometry.image_to_working(image, _NO_CHANGE, _UNIT, self._compute.device)
        with self._compute.autocast():
            return EncodedFrame(pixels, self._network.encode_query(pixels))

    def begin_pass(self, anchor: int, prob: Tensor) -> None:
        self._anchor = anchor
        self._bank = None
        self._rolling = 0

    def segment(self, frame: int, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        return self.scores(features, slots).softmax(0)

    def scores(self, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        """Logits [len(slots)+1, Hp, Wp], background first. Raises EmptyMemoryError."""
        assert isinstance(features, EncodedFrame)
        bank, ids = self._open_bank(slots), self._ids(slots)
        if not all(i in bank.cells for i in ids):
            raise EmptyMemoryError(f"no key frame fixes all of the objects {ids[1:]}")
        query = features.maps.key[0].flatten(1)
        read = torch.stack([bank.read(i, query) for i in ids]).unflatten(2, features.maps.key.shape[-2:])
        with self._compute.autocast():
            return self._network.decode(read, features.maps)

    def follow(self, prob: Tensor) -> None:
        """Nothing is recurrent here."""

    def wants_memory(self, frame: int, last: int) -> Memory:
        return Memory.ROLLING if abs(frame - last) >= self._mem_every else Memory.NONE

    def memorize(
        self, frame: int, features: FrameFeatures, prob: Tensor, slots: Sequence[int], kind: Memory
    ) -> None:
        """A pinned frame begins a new bank: key frames come before anything a pass found."""
        assert isinstance(features, EncodedFrame)
        ids = self._ids(slots)
        rows = [1 + slot for slot in slots]
        # What is carried must be told from objects that rest, so for it they are background.
        rest = [row for row in range(len(prob)) if row not in rows]
        planes = torch.cat([prob[rest].sum(0, keepdim=True), prob[rows]]) * self._inside
        with self._compute.autocast():
            keys, values = self._network.encode_memory(features.image, planes)
        entries = {i: _Entry(keys[n].flatten(1), values[n].flatten(1)) for n, i in enumerate(ids)}
        if kind is Memory.PINNED:
            self._pinned = {**self._pinned, frame: entries}
            self._bank = None
            return
        bank = self._open_bank(slots)
        for object_id, entry in entries.items():
            bank.absorb(object_id, entry.key, entry.value, self._time(frame))
        self._rolling += 1

    def end_pass(self) -> None:
        self._anchor = None
        self._bank = None
        self._rolling = 0

    def forget(self, frame: int) -> None:
        self._pinned = {f: entries for f, entries in self._pinned.items() if f != frame}
        self._bank = None

    def snapshot(self) -> tuple[tuple[int, ...], _KeyFrames]:
        return self._object_ids, self._pinned

    def restore(self, state: object) -> None:
        assert isinstance(state, tuple)
        self._object_ids, self._pinned = state
        self._bank = None

    def memory_frames(self, kind: Memory) -> int:
        return {Memory.PINNED: len(self._pinned), Memory.ROLLING: self._rolling}.get(kind, 0)

    def memory_bytes(self) -> int:
        tensors = (t for entries in self._pinned.values() for e in entries.values() for t in (e.key, e.value))
        pinned = sum(t.numel() * t.element_size() for t in tensors)
        return pinned + (0 if self._bank is None else self._bank.nbytes)

    def _ids(self, slots: Sequence[int]) -> list[int]:
        """The background's id and the ids of the objects in `slots`."""
        return [_BACKGROUND, *(self._object_ids[slot] for slot in slots)]

    def _time(self, frame: int) -> int:
        """Frames since the pass began: what the bank counts in, in both directions."""
        if self._anchor is None:
            raise RuntimeError("the bank is used outside begin_pass() and end_pass()")
        return abs(frame - self._anchor)

    def _open_bank(self, slots: Sequence[int]) -> FeatureBank:
        """The bank of this pass, made of the key frames when it is first needed; `slots` are the objects carried.

        The key frames come at time 0, the nearest to the anchor first, so that what the user said nearby is there as
        it is and what was said far away fills the rest of the budget. An object learns from the frames it is fixed on.
        What is background there is known only if all objects are, so it is learned from the frames that fix most of
        those carried; the anchor fixes all.
        """
        if self._bank is not None:
            return self._bank
        settings = self._bank_settings
        bank = FeatureBank(
            len(self._object_ids) + 1,
            budget=settings.budget,
            update_rate=settings.update_rate,
            merge_above=settings.merge_above,
        )
        frames = sorted(self._pinned, key=lambda frame: (self._time(frame), frame))
        carried = set(self._ids(slots))
        fixed = {frame: len(carried & self._pinned[frame].keys()) for frame in frames}
        most = max(fixed.values(), default=0)
        for frame in frames:
            for object_id, entry in self._pinned[frame].items():
                if object_id != _BACKGROUND or fixed[frame] == most:
                    bank.absorb(object_id, entry.key, entry.value, 0, evict=False)
        self._bank = bank
        return bank


def build(setup: EngineSetup) -> AfbUrrPropagator:
    """Raises AppError for a checkpoint that is not one of this network."""
    assert setup.weights is not None
    network = setup.compute.place(folded(load_afb_urr(setup.weights)))
    defaults = BankSettings()
    bank = BankSettings(
        budget=defaults.budget if setup.budget is None else setup.budget,
        update_rate=defaults.update_rate if setup.update_rate is None else setup.update_rate,
    )
    return AfbUrrPropagator(network, setup.padded(SHORT_SIDE), setup.compute, bank, setup.mem_every)
