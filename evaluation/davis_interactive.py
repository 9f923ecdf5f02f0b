"""The DAVIS interactive protocol as the published programs take part in it: scribbles in, masks and the next frame out.

A robot draws scribbles on one frame at a time. A few rounds on the same frame refine its mask, then the result is
carried through the video and the robot chooses the worst frame itself (Caelles et al., "The 2018 DAVIS Challenge on
Video Object Segmentation"; Cheng, Tai, Tang, CVPR 2021). What belongs to the networks comes in through two Protocols:
this is how a program is examined, not what a user does with it, and needs no torch.
"""
from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from util.types import ImageU8, IndexMask, Size

UNLABELLED = -1
SCHEDULE = (3, 3, 2)
"""Rounds of scribbles on one frame before its mask is carried through the video."""


@dataclass(frozen=True)
class ScribblePath:
    """One line of the robot.

    Args:
        points: (x, y) as shares of the frame's sides, 0..1.
        object_id: what it says these pixels are; 0 background.
    """

    points: tuple[tuple[float, float], ...]
    object_id: int


@dataclass(frozen=True)
class Answer:
    """After one interaction.

    Args:
        masks: uint8 [T, H, W] of all frames.
        next_frames: the only frames the robot may scribble on next; None: it chooses the worst one.
    """

    masks: NDArray[np.uint8]
    next_frames: tuple[int, ...] | None


class DavisCore(Protocol):
    """Of `inference_core.core.InferenceCore`, with `CompatPolicy.published` to get the published results."""

    def commit_frame(self, key_frame: KeyFrame, soft: NDArray[np.float32]) -> None: ...
    def propagate(self, request: PropagationRequest) -> Generator[FrameResult, None, None]: ...


class FrameSegmenter(Protocol):
    """Of `inference_core.scribble_predictor.ScribbleSegmenter`."""

    def segment_all(
        self, image: ImageU8, previous: IndexMask, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
    ) -> NDArray[np.float32]: ...


class DavisProcessor:
    """One video, from its first scribble on.

    The published programs pad the video before anything else and draw the scribbles on the padded frame, so everything
    here has the padded size [Hp, Wp], the results excepted.

    Args:
        core: knows the objects, works on padded masks (`PaddedPlanes`) and reads `masks` as what exists.
        frames: uint8 [H, W, 3] each.
        masks: uint8 [T, Hp, Wp], all zero; written here.
        num_objects: with the ids 1..num_objects.
        pad: left, right, top, bottom.
    """

    def __init__(
        self,
        core: DavisCore,
        segmenter: FrameSegmenter,
        frames: Sequence[ImageU8],
        masks: NDArray[np.uint8],
        num_objects: int,
        pad: tuple[int, int, int, int],
        schedule: Sequence[int] = SCHEDULE,
    ) -> None:
        self._core = core
        self._segmenter = segmenter
        self._frames = frames
        self._masks = masks
        self._shown = masks.copy()
        self._objects = frozenset(range(1, num_objects + 1))
        self._pad = pad
        self._carrying = frozenset(count - 1 for count in accumulate(schedule))
        self._count = 0

    def interact(self, frame: int, paths: Iterable[ScribblePath]) -> Answer:
        """Answer the scribbles on one frame."""
        size = Size(*self._masks.shape[1:])
        inside, outside = hints(rasterise(paths, size), len(self._objects))
        soft = self._segmenter.segment_all(self._frames[frame], self._shown[frame], inside, outside)
        mask = soft.argmax(0).astype(np.uint8)
        is_carried = self._count in self._carrying
        self._count += 1
        if is_carried:
            self._carry(frame, mask, soft)
        else:
            # Only shown: what the engine knows, and corrects in the end, is the mask before these rounds.
            self._shown[frame] = mask
        left, right, top, bottom = self._pad
        inner = self._shown[:, top : size.height - bottom, left : size.width - right]
        return Answer(inner.copy(), None if is_carried else (frame,))

    def _carry(self, frame: int, mask: IndexMask, soft: NDArray[np.float32]) -> None:
        self._masks[frame] = mask
        self._core.commit_frame(KeyFrame(frame, mask, self._objects), soft)
        for result in self._core.propagate(PropagationRequest(frame)):
            self._masks[result.frame] = result.mask
        self._shown = self._masks.copy()


def hints(labels: NDArray[np.int16], num_objects: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What a scribble map says about each object: bool [K, H, W] inside and outside, both a pixel wider all round."""
    own = [labels == number for number in range(1, num_objects + 1)]
    drawn = labels != UNLABELLED
    return np.stack([_widened(mask) for mask in own]), np.stack([_widened(drawn & ~mask) for mask in own])


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)), np.bool_)


def rasterise(paths: Iterable[ScribblePath], size: Size) -> NDArray[np.int16]:
    """int16 [H, W]: the object under each line, the latest where they cross; -1 where there is none."""
    labels = np.full(size, UNLABELLED, np.int16)
    for path in paths:
        corners = (np.array(path.points) * (size.width - 1, size.height - 1)).astype(np.int64)
        for start, end in zip(corners, corners[1:] if len(corners) > 1 else corners, strict=False):
            x, y = _line(start, end).T
            labels[y, x] = path.object_id
    return labels


def _line(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pixels [N, 2] of Bresenham's line: one for each step along the longer side, halves away from the start."""
    steps = int(np.abs(end - start).max())
    along = np.arange(steps + 1)[:, None]
    moved = (2 * along * np.abs(end - start) + steps) // max(2 * steps, 1)
    return np.asarray(start + np.sign(end - start) * moved, np.int64)
