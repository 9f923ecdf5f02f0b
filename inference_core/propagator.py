"""What every propagation network has to offer the core, whatever its memory looks like.

AFB-URR's `memorize` merges and evicts instead of storing a frame, so its `forget` replays the key frames. RVOS has no
bank at all: `begin_pass` resets the recurrent state and `memorize` only keeps key frames.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Protocol, runtime_checkable

from torch import Tensor

from inference_core.api import BankFill
from inference_core.views import View
from util.types import ImageU8, Size


class Memory(Enum):
    """How long a memorised frame stays."""

    NONE = "none"
    PREVIOUS = "previous"  # until the next frame is memorised
    ROLLING = "rolling"  # until the pass ends or the bank is full
    PINNED = "pinned"  # until the key frame is forgotten


class EmptyMemoryError(RuntimeError):
    """A frame was to be segmented before any key frame was memorised."""


class FrameFeatures(Protocol):
    """What one frame looks like to an engine: independent of masks, so it may be cached."""

    @property
    def image(self) -> Tensor:
        """float [1, 3, Hp, Wp], normalised and padded the engine's way."""

    @property
    def nbytes(self) -> int: ...


class Propagator(Protocol):
    """A video object segmentation engine bound to one video.

    The adapter owns normalising, padding and resizing, since these differ between the published systems. Tensors at
    this border have the engine's working size [Hp, Wp]. Slot i is channel i of a value and channel i+1 of a prob.
    """

    name: str

    @property
    def settings(self) -> Mapping[str, int | float]:
        """What the memory was built with, for statistics."""

    def set_objects(self, object_ids: Sequence[int]) -> None:
        """Slot i belongs to object_ids[i]. Memory of objects that stay is kept."""

    def working_size(self) -> Size:
        """[Hp, Wp], padding included."""

    def encode(self, image: ImageU8) -> FrameFeatures:
        """Features of a native-size uint8 [H, W, 3] RGB frame."""

    def to_working(self, planes: Tensor) -> Tensor:
        """float [C, H, W] at native size, or of a part of a frame -> [C, Hp, Wp]; padding is filled with zeros."""

    def to_native(self, planes: Tensor) -> Tensor:
        """float [C, Hp, Wp] -> [C, H, W] at native size."""

    def place(self, planes: Tensor) -> Tensor:
        """Move to the engine's device."""

    def begin_pass(self, anchor: int, prob: Tensor) -> None:
        """Start from the anchor's prob [K+1, Hp, Wp]; resets whatever is recurrent."""

    def segment(self, frame: int, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        """Prob [len(slots)+1, Hp, Wp], background first, of the objects in `slots`. Raises EmptyMemoryError."""

    def follow(self, prob: Tensor) -> None:
        """What became of the frame just segmented, prob [K+1, Hp, Wp]: for engines that carry it to the next one."""

    def wants_memory(self, frame: int, last: int) -> Memory:
        """What to keep of `frame` when `last` was the latest frame kept for good in this pass."""

    def memorize(
        self, frame: int, features: FrameFeatures, prob: Tensor, slots: Sequence[int], kind: Memory
    ) -> None:
        """Learn how the objects in `slots` look on this frame. prob [K+1, Hp, Wp] covers all objects."""

    def end_pass(self) -> None:
        """Drop everything but pinned memory."""

    def forget(self, frame: int) -> None:
        """Remove a pinned frame."""

    def snapshot(self) -> object:
        """The pinned memory as a value for `restore`."""

    def restore(self, state: object) -> None: ...

    def memory_frames(self, kind: Memory) -> int: ...

    def memory_bytes(self) -> int: ...


@runtime_checkable
class SupportsViews(Protocol):
    """An engine that can be shown a part of a frame, enlarged, in place of the whole.

    `segment` and `memorize` take such features like any others; the prob that they give or take then is that of the
    view. What `begin_pass` and `follow` are told is always that of the whole frame.
    """

    def encode_view(self, image: ImageU8, view: View) -> FrameFeatures:
        """Features of the part of a native-size uint8 [H, W, 3] RGB frame that the view shows."""


@runtime_checkable
class SupportsAffinity(Protocol):
    """An engine whose keys say where a change on the anchor is seen in another frame; fusion needs it."""

    def to_cells(self, maps: Tensor) -> Tensor:
        """Average maps [A, 2, Hp, Wp] over memory cells: [A, 2, Hf, Wf]."""

    def transfer(self, anchor: int, features: FrameFeatures, maps: Tensor, slots: Sequence[int]) -> Tensor:
        """Carry maps [A, 2, Hf, Wf] of the objects in `slots` from the anchor to the frame of `features`:
        [A, 2, Hp, Wp]."""


@runtime_checkable
class SupportsStoring(Protocol):
    """An engine whose features can be kept outside the program."""

    def pack(self, features: FrameFeatures) -> Mapping[str, Tensor]:
        """What has to be kept of a frame besides its picture: contiguous, on the CPU, as small as is good enough."""

    def unpack(self, image: ImageU8, packed: Mapping[str, Tensor]) -> FrameFeatures:
        """The features of a frame again. Raises ValueError for what `pack` does not give."""


@runtime_checkable
class SupportsBudget(Protocol):
    """An engine whose memory stays within a number of cells."""

    @property
    def fill(self) -> BankFill | None:
        """How full it is; None between passes."""


@runtime_checkable
class SupportsSparing(Protocol):
    """An engine that can do with less memory. Each step says in words what is different from here on, or returns None
    when there is nothing left to give up that way."""

    def spare_objects(self, num_objects: int) -> str | None:
        """Compute fewer of `num_objects` at a time; the masks stay the same."""

    def spare_frames(self) -> str | None:
        """Remember fewer rolling frames."""

    def spare_pixels(self) -> str | None:
        """Work at a smaller size. Everything memorised is gone then, and a running pass has to begin anew."""
