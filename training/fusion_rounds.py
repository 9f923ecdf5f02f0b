"""Corrections played through the product's own loop: what the fusion network will be given, with the truth beside it.

A clip is followed from its first frame, the true mask is given where that went wrong, and the way back is recorded
frame by frame. Nothing is imitated: memory, attention and the rounding of older results are those of `InferenceCore`.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation.metrics import region_similarity
from generation.clips import ClipBatch
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import FusionInput
from inference_core.policy import CompatPolicy
from inference_core.propagator import Propagator
from inference_core.propagators import light
from util.config import NATIVE_SIZE
from util.types import ImageU8, IndexMask, Size

FIRST_CORRECTION = 3
"""No frame before this one is corrected: something must lie between the key frames."""

_SPOILT_SHARE = 0.3
"""How often an object's first mask is an imperfect one, as people draw them."""
_MARGIN = 0.12
"""Most that a mask is grown or shrunk, as a share of the root of its area."""
_LOST = (0.15, 0.45)
"""How much of an object is cut away where a part is forgotten."""
_DULL = 0.03
"""Weight of a frame without a mistake, against 1 for one where everything is wrong."""


@dataclass(frozen=True)
class FusionFrame:
    """A frame between two key frames.

    Args:
        given: what the fuser got; all A objects of the clip.
        truth: float32 [A, H, W] 0/1, of the same objects.
    """

    given: FusionInput
    truth: Tensor


@dataclass(frozen=True)
class Clip:
    """One clip as the engine takes it: frames uint8 [T, H, W, 3], labels uint8 [T, H, W] with objects 1, 2, ..."""

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    @property
    def size(self) -> Size:
        return Size(*self.labels.shape[1:])

    def __len__(self) -> int:
        return len(self.frames)

    def get(self, frame: int) -> ImageU8:
        return self.frames[frame]

    def prefetch(self, frames: Iterable[int]) -> None:
        """Everything is here."""


def clips_of(batch: ClipBatch) -> list[Clip]:
    """The clips of a batch, without the objects that are not there."""
    frames = (batch.image.permute(0, 1, 3, 4, 2) * 255).round().to(torch.uint8).cpu().numpy()
    number = torch.arange(1, batch.mask.shape[2] + 1, device=batch.mask.device).view(1, 1, -1, 1, 1)
    labels = (batch.mask * number).sum(2).to(torch.uint8).cpu().numpy()
    return [Clip(*pair) for pair in zip(frames, labels, strict=True)]


class _Recorder:
    """A fuser that keeps what it is given and takes the new result."""

    name = "recorder"
    needs_attention = True

    def __init__(self) -> None:
        self.given: FusionInput | None = None

    def fuse(self, given: FusionInput) -> Tensor:
        self.given = given
        return given.new


class SecondRounds:
    """Plays clips with the light network of a weight file."""

    def __init__(self, weights: Path, compute: ComputeDevice) -> None:
        self._weights, self._compute = weights, compute
        self._engines: dict[Size, Propagator] = {}

    def play(self, clip: Clip, rng: np.random.Generator, *, spoil: bool) -> list[FusionFrame]:
        """Two rounds; the frames between the first one and the corrected one, from there back to the start.

        Args:
            rng: chooses the frame that is corrected, the worse the likelier.
            spoil: whether some first masks are imperfect.

        Returns:
            Nothing for a clip without an object on its first frame.
        """
        first = spoilt(clip.labels[0], rng) if spoil else clip.labels[0]
        ids = frozenset(np.unique(first).tolist()) - {0}
        if not ids:
            return []
        masks: list[IndexMask] = [first, *np.zeros_like(clip.labels[1:])]
        recorder = _Recorder()
        core = InferenceCore(
            clip, self._engine(clip.size), recorder, masks.__getitem__, policy=CompatPolicy.product()
        )
        start = KeyFrame(0, first, ids)
        core.sync([start])
        for result in core.propagate(PropagationRequest(0, "forward")):
            masks[result.frame] = result.mask
        chosen = _worse_likelier(clip.labels, masks, ids, rng)
        core.sync([start, KeyFrame(chosen, clip.labels[chosen], ids, baseline=masks[chosen])])
        frames = []
        for result in core.propagate(PropagationRequest(chosen, "backward")):
            assert recorder.given is not None
            planes = np.stack([clip.labels[result.frame] == i for i in sorted(ids)]).astype(np.float32)
            frames.append(FusionFrame(recorder.given, torch.from_numpy(planes).to(self._compute.device)))
        core.close()
        return frames

    def _engine(self, size: Size) -> Propagator:
        if size not in self._engines:
            setup = EngineSetup(size, self._weights, self._compute, short_side=NATIVE_SIZE)
            self._engines[size] = light.build(setup)
        return self._engines[size]


def _worse_likelier(
    labels: NDArray[np.uint8], masks: list[IndexMask], ids: frozenset[int], rng: np.random.Generator
) -> int:
    weight = np.zeros(len(labels))
    for frame in range(min(FIRST_CORRECTION, len(labels) - 1), len(labels)):
        missed = [1 - region_similarity(labels[frame] == i, masks[frame] == i) for i in ids]
        weight[frame] = _DULL + np.mean(missed) ** 2
    return int(rng.choice(len(weight), p=weight / weight.sum()))


def spoilt(labels: IndexMask, rng: np.random.Generator) -> IndexMask:
    """Labels [H, W] with some objects grown, shrunk or without a part; none of them vanishes."""
    result = labels.copy()
    for object_id in np.unique(labels)[1:] if labels.any() else ():
        area = labels == object_id
        if rng.random() >= _SPOILT_SHARE:
            continue
        changed = _without_part(area, rng) if rng.random() < 0.5 else _resized(area, rng)
        if changed.any():
            result[area] = 0
            result[changed & (result == 0)] = object_id
    return result


def _resized(area: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    radius = max(1, round(rng.uniform(0.02, _MARGIN) * float(np.sqrt(area.sum()))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    change = cv2.erode if rng.random() < 0.5 else cv2.dilate
    return np.asarray(change(area.astype(np.uint8), kernel), np.bool_)


def _without_part(area: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """What lies on one side of a line in a random direction."""
    ys, xs = np.nonzero(area)
    angle = rng.uniform(0, 2 * np.pi)
    along = xs * np.cos(angle) + ys * np.sin(angle)
    kept = along >= np.quantile(along, rng.uniform(*_LOST))
    result = np.zeros_like(area)
    result[ys[kept], xs[kept]] = True
    return result
