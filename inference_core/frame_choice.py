"""Which frame to correct next, by rule. No torch here.

Equally spaced and worst frames as Yin et al. use them: "Learning to Recommend Frame for Interactive Video Object
Segmentation in the Wild", CVPR 2021.
"""
from __future__ import annotations

from collections.abc import Collection, Sequence


def worst_frame(quality: Sequence[float], annotated: Collection[int] = ()) -> int:
    """The frame with the lowest quality of those not annotated yet; of all, once every frame is. ValueError if none."""
    frames = range(len(quality))
    return min([f for f in frames if f not in annotated] or frames, key=lambda frame: quality[frame])


class WorstFirst:
    """See `FrameRanker`: by quality, frames that were annotated already last."""

    name = "the frame with the lowest quality"

    def rank(self, quality: Sequence[float], annotations: Sequence[int]) -> list[int]:
        """See `FrameRanker`."""
        return sorted(range(len(quality)), key=lambda frame: (annotations[frame] > 0, quality[frame]))


def spaced_frames(first: int, num_frames: int, count: int) -> list[int]:
    """`count` frames spread over the video, `first` among them, in order.

    Args:
        first: the frame annotated first.
        num_frames: of the video. In a shorter one than `count` the numbers go on beyond its end, as published.
    """
    if num_frames <= count:
        return list(range(count))
    spread = [i * (num_frames - 1) // count for i in range(count + 1)]
    shift = first - max(frame for frame in spread if frame <= first)
    moved = [frame + shift for frame in spread]
    return moved[1:] if first == num_frames - 1 else moved[:-1]


def frames_around(first: int, num_frames: int, count: int) -> list[int]:
    """`count` neighbouring frames with `first` in their middle, as far as the video allows; ValueError if too short."""
    if num_frames < count:
        raise ValueError(f"{count} frames of a video with {num_frames}")
    earliest, latest = max(0, first - count + 1), min(first, num_frames - count)
    start = (earliest + latest) // 2
    return list(range(start, start + count))
