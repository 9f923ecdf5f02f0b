"""The engine's contract, as the window and the command line see it. No torch here: numpy arrays cross this border.

One thread (the worker) calls everything below except reading the frozen values.
"""
from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from inference_core.confidence import ObjectMeasure
from util.errors import AppError
from util.jobs import CancelToken
from util.types import ImageU8, IndexMask, Size

Direction = Literal["forward", "backward", "both"]

ExistingMask: TypeAlias = Callable[[int], IndexMask]
"""frame -> the native-size index mask stored for it at this moment; all zeros where there is none."""


class FrameReader(Protocol):
    """What the core needs of a video; `storage.frame_store.FrameStore` is one."""

    @property
    def size(self) -> Size: ...
    def __len__(self) -> int: ...
    def get(self, frame: int) -> ImageU8: ...
    def prefetch(self, frames: Iterable[int]) -> None: ...


@dataclass(frozen=True)
class KeyFrame:
    """A frame on which the user fixed some objects.

    Args:
        frame: 0-based index.
        mask: index mask at native size, all objects in it.
        object_ids: the objects fixed here. One of them without a pixel in `mask` is fixed as "absent here".
        baseline: the mask of this frame before the user changed it, which tells fusion what the correction was;
            None when unknown (fusion then weighs by distance alone).
    """

    frame: int
    mask: IndexMask
    object_ids: frozenset[int]
    baseline: IndexMask | None = None


@dataclass(frozen=True)
class PropagationRequest:
    """Carry the objects fixed on `anchor` through the frames `first..last` (inclusive; None: the last frame).

    Args:
        visited_again: frames that a later request will come by; nothing is kept of the others that would save work then
            or be fused. None: any frame may be visited again, as far as memory allows.
    """

    anchor: int
    direction: Direction = "both"
    first: int = 0
    last: int | None = None
    visited_again: range | None = None


@dataclass(frozen=True)
class FrameResult:
    """One finished frame: the whole new index mask (uint8 [H, W], native size) and how far the run is.

    Args:
        measures: by object id, how good the masks of the objects carried here may be; empty where the engine does
            not know.
        notice: what the user should be told: the memory ran out and settings were lowered. Mostly empty.
    """

    frame: int
    mask: IndexMask
    done: int
    total: int
    measures: Mapping[int, ObjectMeasure] = field(default_factory=dict)
    notice: str = ""


class MemoryExhausted(AppError):
    """There was no memory for a frame, and nothing left to give up. The frames before it are finished and good."""


@dataclass(frozen=True)
class BankFill:
    """A memory with a budget, in cells: what it holds, what fits, and what it merged and removed in this pass."""

    cells: int
    budget: int
    merged: int
    removed: int


@dataclass(frozen=True)
class MemoryReport:
    """What the memory bank holds now; `bank` only for an engine whose memory has a budget."""

    key_frames: int
    rolling_frames: int
    nbytes: int
    bank: BankFill | None = None


class SoftMasks(Protocol):
    """What an engine knows beyond the masks that are stored; `inference_core.core.InferenceCore` is one."""

    def object_probs(self, frame: int, object_ids: Sequence[int]) -> NDArray[np.float32]:
        """How likely each pixel belongs to each object, float32 [K, H, W] at native size.

        From the engine's result where the stored mask still shows it, else 0 and 1 from that mask.
        """


class CoreApi(SoftMasks, Protocol):
    """One engine bound to one video."""

    engine: str
    device: str
    settings: Mapping[str, str | int | float]

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        """Make the pinned memory equal to these key frames: commit what is new or changed, forget what is gone."""

    def plan(self, request: PropagationRequest) -> int:
        """How many frames `propagate` would yield."""

    def propagate(
        self, request: PropagationRequest, token: CancelToken
    ) -> Generator[FrameResult, None, None]:
        """Carry the objects fixed on the anchor; yields every finished frame.

        Frames on which an object is fixed are its barriers: the pass stops before them and, where an earlier result
        lies between, fuses with it. All other objects keep their pixels. Raises `util.jobs.Cancelled` through `token`,
        ValueError when the anchor is no key frame or outside the video.
        """

    def memory(self) -> MemoryReport: ...

    def close(self) -> None:
        """Free the networks and the memory."""


@dataclass(frozen=True)
class FeatureStorage:
    """A place on disk for what an engine makes of frames before it knows any mask.

    Args:
        folder: may be deleted at any time.
        video: what the frames are known by, such that others have another one.
        nbytes: at most.
    """

    folder: Path
    video: str
    nbytes: int


@runtime_checkable
class KeepsFeatures(Protocol):
    """A core that can do part of its work before it is asked to, and keep it."""

    def keep_features(self, storage: FeatureStorage) -> None:
        """From here on keep the features of frames there, and use those that are. Nothing happens where it cannot."""

    def encode_ahead(self, frames: Iterable[int], token: CancelToken) -> Generator[int, None, None]:
        """Make and keep the features of these frames, in this order; yields every frame that had none.

        Ends when the place is full. Raises `util.jobs.Cancelled` through `token`, between two frames.
        """


WEIGHTS_SETTING = "weights_sha256"
"""The entry of `CoreApi.settings` that names the weights for good: their path may hold others tomorrow."""

class QualityAssessor(Protocol):
    """A network that looks at masks and estimates how good they are. `inference_core.advice` builds it."""

    @property
    def name(self) -> str:
        """What the estimate rests on, for the user."""

    def quality(self, image: ImageU8, objects: NDArray[np.float32]) -> float:
        """The mean over the objects, 0 (worst) to 1.

        Args:
            image: uint8 [H, W, 3].
            objects: float32 [K, H, W] as `SoftMasks.object_probs` gives them. ValueError for K = 0.
        """


class FrameRanker(Protocol):
    """Says which frames to correct first. `inference_core.advice` builds it."""

    @property
    def name(self) -> str:
        """How it decides, for the user."""

    def rank(self, quality: Sequence[float], annotations: Sequence[int]) -> list[int]:
        """All frames, the one to correct next first.

        Args:
            quality: of every frame, 0..1.
            annotations: how many times every frame was annotated so far.
        """


INTERACTION_WEIGHTS = "light_interaction"
"""What `model.zoo` calls the interaction network's file."""

HINT_DIAMETER = 9.0
"""How wide a click, and at least a stroke, is drawn for the interaction network: in pixels of the picture it gets.

Its training draws them as wide.
"""


class CropSegmenter(Protocol):
    """An interaction network on one picture; `inference_core.interaction` builds it. No memory between calls."""

    def segment(
        self,
        image: ImageU8,
        previous: NDArray[np.bool_],
        inside: NDArray[np.bool_],
        outside: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """How likely each pixel belongs to the object.

        Args:
            image: uint8 [h, w, 3], of any size.
            previous: bool [h, w], the object before the latest prompt; empty when nothing was there.
            inside, outside: bool [h, w], the pixels of the positive and negative prompts, `HINT_DIAMETER` wide.

        Returns:
            float32 [h, w], 0..1.
        """


class ImageClick(NamedTuple):
    """A click as click networks count: (0, 0) is the middle of the first pixel."""

    row: float
    column: float
    positive: bool


class ClickState(Protocol):
    """What some clicks on one picture have led to. It never changes, so undoing a click is going back to a state."""

    @property
    def clicks(self) -> tuple[ImageClick, ...]: ...

    @property
    def prob(self) -> NDArray[np.float32]:
        """float32 [h, w]: how likely each pixel belongs to the object; the mask it started from before any click."""


class ClickSegmenter(Protocol):
    """A click network that goes on from click to click; `inference_core.click` builds it. No memory between calls."""

    @property
    def name(self) -> str: ...

    @property
    def takes_mask(self) -> bool:
        """Whether the network sees the mask found so far; otherwise only clicks tell it of the object."""

    def start(
        self, image: ImageU8, mask: NDArray[np.bool_] | None = None, clicks: Sequence[ImageClick] = ()
    ) -> ClickState:
        """A picture, bool [h, w] where the object is known to be, and clicks to take for given. Runs no network."""

    def click(self, state: ClickState, click: ImageClick, token: CancelToken) -> ClickState:
        """One more click. Raises `util.jobs.Cancelled` through `token`, between two runs of the network."""


@dataclass(frozen=True)
class Proposal:
    """An object that a network found by itself.

    Args:
        number: 1, 2, ...: on the following frames the same object has the same number.
        prob: float32 [H, W] at native size, 0..1, how likely each pixel belongs to it; proposals may overlap.
        score: 0.5..1, the mean of `prob` over the pixels above one half: how sure the network is of what it shows.
    """

    number: int
    prob: NDArray[np.float32]
    score: float


class ObjectProposer(Protocol):
    """Suggests objects without being shown any; `inference_core.proposals` builds it. Worker thread only."""

    engine: str
    device: str
    settings: Mapping[str, str | int | float]

    def start(self) -> None:
        """The next frame is the first one: numbers are given anew."""

    def propose(self, image: ImageU8) -> tuple[Proposal, ...]:
        """The objects on this frame, by number; it follows the one given before. Those without a pixel are left out."""

    def close(self) -> None:
        """Free the network."""
