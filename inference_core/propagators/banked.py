"""What engines with a frame-addressed memory bank have in common."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from inference_core import regions
from inference_core.bank_parts import BankState
from inference_core.block_readout import BlockSearch
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.look import with_cover, without_cover
from inference_core.memory_bank import MemoryBank
from inference_core.propagator import FrameFeatures, Memory
from inference_core.propagators.sized import SizedPropagator
from inference_core.views import View
from model.aggregate import aggregate
from model.attention import Similarity, full_softmax_attention, transfer_maps
from model.window import Window
from util.types import ImageU8, Size

Maps = TypeVar("Maps", bound=tuple[Tensor, ...])
Reach: TypeAlias = Callable[[Window], Window]
Decode: TypeAlias = Callable[[Tensor, Sequence[int], Window], Tensor]
"""See `BankedPropagator.decoded`."""

_LAST, _FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
"""Channels to the end, as networks here keep them in memory anyway, and back."""

MIN_SHORT_SIDE = 64
"""Of the working size when memory is short; smaller than that, nothing is recognised any more."""

_SHRINK = 0.75


@dataclass(frozen=True)
class EncodedFrame(Generic[Maps]):
    """A normalised frame [1, 3, Hp, Wp], or a view of it, with what the network's key encoder made of it."""

    image: Tensor
    maps: Maps
    view: View | None = None

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

    Attributes:
        normalisation: mean and deviation of an RGB image in 0..1 that the network expects.
        maps_type: the named tuple that its key encoder returns; one of the fields is `key`.

    Args:
        stride: pixels of the working size per memory cell and side.
        is_regional: decode only where objects can be (`inference_core.regions`).
    """

    normalisation: ClassVar[tuple[tuple[float, ...], tuple[float, ...]]]
    maps_type: ClassVar[Any]

    def __init__(
        self,
        geometry: Geometry,
        compute: ComputeDevice,
        bank: MemoryBank,
        similarity: Similarity,
        stride: int,
        *,
        is_regional: bool = False,
    ) -> None:
        super().__init__(geometry, compute)
        self._bank = bank
        self._similarity = similarity
        self._stride = stride
        self._is_regional = is_regional
        self._cells = Size(*(side // stride for side in geometry.working))
        self._chunk: int | None = None  # objects computed at a time; None: all
        self._previous: Tensor | None = None  # prob [K+1, Hp, Wp] of the frame before, in the direction of the pass

    @property
    def settings(self) -> dict[str, int]:
        return self._bank.settings | ({} if self._chunk is None else {"objects_at_a_time": self._chunk})

    def set_objects(self, object_ids: Sequence[int]) -> None:
        self._bank.set_objects(object_ids)

    def begin_pass(self, anchor: int, prob: Tensor) -> None:
        self._previous = prob

    def follow(self, prob: Tensor) -> None:
        self._previous = prob

    def end_pass(self) -> None:
        self._bank.drop_rolling()
        self._previous = None

    def decoded(
        self, key: Tensor, slots: Sequence[int], reach: Reach, decode: Decode, previous: Tensor | None
    ) -> Tensor:
        """Read the memory and decode, everywhere or where objects can be: prob [len(slots)+1, Hp, Wp].

        Args:
            key: [1, Ck, Hf, Wf] of the frame to segment.
            reach: what has to be read for a window of cells of 16 pixels.
            decode: the readout for the slots named, [len(slots), Cv, *reach(window).shape] -> logits of the window.
            previous: [len(slots), Hp, Wp] where the objects were, if that is known.
        """
        whole = Window.whole(Size(*(side // regions.CELL for side in self._geometry.working)))
        groups = [(whole, list(range(len(slots))))]
        if self._is_regional and previous is not None:
            groups = regions.grouped(regions.find_regions(previous, self._bank.gaps(key[0], slots)))
        found = [self._decoded_in(window, key, [slots[i] for i in group], reach, decode) for window, group in groups]
        if any(regions.is_touched(probs, window) for probs, (window, _) in zip(found, groups, strict=True)):
            groups = [(whole, list(range(len(slots))))]
            found = [self._decoded_in(whole, key, slots, reach, decode)]
        if groups[0][0].is_whole and len(groups) == 1:
            return aggregate(found[0])
        planes = found[0].new_zeros(len(slots), *self._geometry.working)
        for probs, (window, group) in zip(found, groups, strict=True):
            for plane, number in zip(probs, group, strict=True):
                window.finer(regions.CELL).cut(planes)[number] = plane
        return aggregate(planes)

    def before(self, slots: Sequence[int]) -> Tensor | None:
        """[len(slots), Hp, Wp] of the frame before; None outside a pass."""
        return None if self._previous is None else self._previous[[1 + slot for slot in slots]]

    def _decoded_in(
        self, window: Window, key: Tensor, slots: Sequence[int], reach: Reach, decode: Decode
    ) -> Tensor:
        """Probability [len(slots), h, w] of each object by itself, at the pixels of the window."""
        wide = reach(window)

        def logits(part: Sequence[int]) -> Tensor:
            read = self._bank.read(wide.cut(key[0]).flatten(1), part, wide.shape)
            return decode(without_cover(read).unflatten(2, wide.shape), part, window)

        return torch.sigmoid(self.in_chunks(slots, logits).float())

    def store(
        self,
        frame: int,
        key: Tensor,
        value: Tensor,
        masks: Tensor,
        slots: Sequence[int],
        kind: Memory,
        *,
        is_view: bool = False,
    ) -> None:
        """key [1, Ck, Hf, Wf] shared or [len(slots), Ck, Hf, Wf] per object, value [len(slots), Cv, Hf, Wf] and the
        masks [len(slots), Hp, Wp] that it was made of. A view of a key frame is kept beside the whole of it."""
        is_beside = is_view and kind is Memory.PINNED
        self._bank.put(frame, key.flatten(2), with_cover(value, masks).flatten(2), slots, kind, is_beside=is_beside)

    def pixels(self, image: ImageU8) -> Tensor:
        """uint8 [H, W, 3] -> float32 [1, 3, Hp, Wp] as the network wants it."""
        mean, std = self.normalisation
        return self._geometry.image_to_working(image, mean, std, self._compute.device)

    def pack(self, features: FrameFeatures) -> dict[str, Tensor]:
        """See `SupportsStoring`: the key as it is, for similarities are differences; the rest in half precision."""
        assert isinstance(features, EncodedFrame)
        named = dict(zip(self.maps_type._fields, features.maps, strict=True))
        small = {name: maps if name == "key" else _halved(maps) for name, maps in named.items()}
        return {name: maps.permute(_LAST).contiguous().cpu() for name, maps in small.items()}

    def unpack(self, image: ImageU8, packed: Mapping[str, Tensor]) -> EncodedFrame[tuple[Tensor, ...]]:
        """See `SupportsStoring`."""
        if set(packed) != set(self.maps_type._fields):
            raise ValueError(f"features {sorted(packed)} of another network")
        dtype = self._compute.half or torch.float32
        placed = {name: self.place(maps.permute(_FIRST)) for name, maps in packed.items()}
        maps = {name: m if name == "key" else m.to(dtype) for name, m in placed.items()}
        return EncodedFrame(self.pixels(image), self.maps_type(**maps))

    def in_chunks(self, slots: Sequence[int], compute: Callable[[Sequence[int]], Tensor]) -> Tensor:
        """What `compute` makes of some slots, [len(slots), ...], for all of them: at once unless memory is short."""
        return joined([compute(part) for part in self.chunks(slots)])

    def chunks(self, slots: Sequence[int]) -> list[Sequence[int]]:
        size = self._chunk or len(slots)
        return [slots[start : start + size] for start in range(0, len(slots), size)]

    def spare_objects(self, num_objects: int) -> str | None:
        now = min(self._chunk or num_objects, num_objects)
        if now <= 1:
            return None
        self._chunk = now // 2
        return f"Objects are computed {self._chunk} at a time; the masks stay the same."

    def spare_frames(self) -> str | None:
        held = self.memory_frames(Memory.ROLLING)
        if held <= 1:
            return None
        self._bank.limit_rolling(held // 2)
        frames = f"{held // 2} frame{'s'[held < 4:]}"
        return f"Besides the key frames {frames} instead of {held} are remembered; masks may be less accurate."

    def spare_pixels(self) -> str | None:
        side = int(min(self._geometry.resized) * _SHRINK)
        if side < MIN_SHORT_SIDE:
            return None
        self._geometry = self._geometry.with_short_side(side)
        self._cells = Size(*(side // self._stride for side in self._geometry.working))
        search = self._bank.search
        self._bank.restart(None if search is None else replace(search, grid=self._cells))
        height, width = self._geometry.resized
        return f"The network works at {width}x{height} pixels; masks are coarser."

    def to_cells(self, maps: Tensor) -> Tensor:
        return F.interpolate(maps, tuple(self._cells), mode="area")

    def move_maps(self, anchor: int, key: Tensor, maps: Tensor, slots: Sequence[int]) -> Tensor:
        """Carry maps [A, 2, Hf, Wf] of the objects in `slots` from the anchor to the frame with this key
        [1, Ck, Hf, Wf]."""
        attention = full_softmax_attention(self._bank.key(anchor, slots), key[0].flatten(1), self._similarity)
        return transfer_maps(maps[:, 0], maps[:, 1], attention, self._cells, self._geometry.working)

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


def _halved(maps: Tensor) -> Tensor:
    """In 16 bits; what already is stays."""
    limit = torch.finfo(torch.float16).max
    return maps.clamp(-limit, limit).half() if maps.dtype is torch.float32 else maps


def others(masks: Tensor) -> Tensor:
    """Sum of the masks of all other objects, per object, not clamped: [K, H, W] -> [K, H, W]."""
    return masks.sum(0, keepdim=True) - masks


def joined(parts: Sequence[Tensor]) -> Tensor:
    """One behind the other along the first dimension; a single one as it is."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
