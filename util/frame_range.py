"""`--range A:B`: a part of a video, as in Python."""
from __future__ import annotations

import argparse
from dataclasses import dataclass

from util.errors import AppError


@dataclass(frozen=True)
class FrameRange:
    """`--range A:B` as in Python: frames A .. B-1, counted from 0; a missing end is the video's own."""

    start: int | None = None
    stop: int | None = None

    def resolve(self, num_frames: int) -> range:
        """The frames meant in a video of `num_frames` frames. AppError when the video does not have them."""
        start = 0 if self.start is None else self.start
        stop = num_frames if self.stop is None else self.stop
        if start >= num_frames or stop > num_frames:
            raise AppError(
                f"--range {self} reaches beyond the video, which has {num_frames} frames (0 to {num_frames - 1}).",
                f"Give a range within 0:{num_frames}; the second number is the first frame left out.",
            )
        return range(start, stop)

    def __str__(self) -> str:
        return f"{'' if self.start is None else self.start}:{'' if self.stop is None else self.stop}"


def parse_range(text: str) -> FrameRange:
    """The value of the flag; ArgumentTypeError for anything else."""
    parts = text.split(":")
    if len(parts) != 2 or not all(part == "" or (part.isascii() and part.isdigit()) for part in parts):
        raise argparse.ArgumentTypeError(f"needs A:B with frame numbers from 0 (either may be left out), got '{text}'")
    start, stop = (int(part) if part else None for part in parts)
    if stop is not None and stop <= (start or 0):
        raise argparse.ArgumentTypeError(f"is empty: frames A to B-1 of '{text}' are none")
    return FrameRange(start, stop)
