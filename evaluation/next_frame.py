"""Who chooses the frame that is corrected next in the interactive benchmark, and by what.

Robot, random, equally spaced, worst and recommended frames as Yin et al. compare them: "Learning to Recommend Frame for
Interactive Video Object Segmentation in the Wild", CVPR 2021.
"""
from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics import frame_scores
from inference_core.api import FrameRanker, FrameReader, QualityAssessor, SoftMasks
from inference_core.frame_choice import spaced_frames
from util.types import IndexMask

Quality = Callable[[], Sequence[float]]
"""The quality of every frame's masks at this moment, 0..1."""


class FrameChooser(Protocol):
    """Of one sample; asked after every round."""

    def choose(self, annotated: Sequence[int]) -> int | None:
        """The next frame; None leaves it to the robot, which takes the truly worst one. Args: annotated: so far."""


class RobotsChoice:
    """See `FrameChooser`."""

    def choose(self, annotated: Sequence[int]) -> int | None:
        """See `FrameChooser`."""
        return None


class RandomChoice:
    """Any frame not annotated yet; any at all, once every frame is."""

    def __init__(self, num_frames: int, generator: random.Random) -> None:
        self._num_frames, self._generator = num_frames, generator

    def choose(self, annotated: Sequence[int]) -> int | None:
        """See `FrameChooser`."""
        frames = range(self._num_frames)
        return self._generator.choice([frame for frame in frames if frame not in annotated] or frames)


class SpacedChoice:
    """Frames spread evenly over the video, the first annotated one among them, from the beginning to the end.

    Args:
        rounds: how many frames there are to be in all.
    """

    def __init__(self, num_frames: int, rounds: int) -> None:
        self._num_frames, self._rounds = num_frames, rounds

    def choose(self, annotated: Sequence[int]) -> int | None:
        """See `FrameChooser`."""
        spread = [f for f in spaced_frames(annotated[0], self._num_frames, self._rounds) if f < self._num_frames]
        return min(spread, key=annotated.count)


class ChoiceByQuality:
    """What a ranker makes of the quality of every frame."""

    def __init__(self, ranker: FrameRanker, quality: Quality) -> None:
        self._ranker, self._quality = ranker, quality

    def choose(self, annotated: Sequence[int]) -> int | None:
        """See `FrameChooser`."""
        quality = self._quality()
        return self._ranker.rank(quality, [annotated.count(frame) for frame in range(len(quality))])[0]


def true_quality(truth: Sequence[IndexMask], masks: NDArray[np.uint8], object_ids: Sequence[int]) -> list[float]:
    """J&F of every frame, the mean over the objects."""
    scores = [frame_scores(gt, mask, tuple(object_ids)) for gt, mask in zip(truth, masks, strict=True)]
    return [float(np.mean([score.j_and_f for score in frame.values()])) for frame in scores]


def estimated_quality(
    assessor: QualityAssessor, frames: FrameReader, soft: SoftMasks, object_ids: Sequence[int], num_frames: int
) -> list[float]:
    """What is estimated of each of the first frames, without the truth."""
    return [assessor.quality(frames.get(f), soft.object_probs(f, object_ids)) for f in range(num_frames)]
