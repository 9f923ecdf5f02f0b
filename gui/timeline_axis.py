"""Frames on a horizontal axis: which frames the timeline shows and where, and runs of frames. Pure values, no Qt."""
from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MAX_FRAME_WIDTH = 40.0
"""Widget pixels per frame at the closest look, unless the whole video has room for more."""


@dataclass(frozen=True)
class TimeAxis:
    """`num_frames` cells of equal width; frame f covers [x(f), x(f + 1)) and is pointed at by its middle.

    Args:
        num_frames: length of the video, at least 1.
        left: widget x where the axis starts.
        width: widget pixels that it has.
        zoom: 1 shows the whole video.
        start: first shown frame, with fraction.
    """

    num_frames: int
    left: float
    width: float
    zoom: float = 1.0
    start: float = 0.0

    @property
    def frame_width(self) -> float:
        """Widget pixels per frame."""
        return self.width / self.num_frames * self.zoom

    @property
    def shown(self) -> float:
        """How many frames fit."""
        return self.num_frames / self.zoom

    def x(self, frame: float) -> float:
        """Widget x of a frame's left edge."""
        return self.left + (frame - self.start) * self.frame_width

    def middle(self, frame: int) -> float:
        """Widget x of a frame's middle: where its playhead and its key-frame tick stand."""
        return self.x(frame + 0.5)

    def frame_at(self, x: float) -> int:
        """The frame whose cell holds x; the first or last one beside the axis."""
        return min(max(math.floor(self._position(x)), 0), self.num_frames - 1)

    def zoomed(self, factor: float, x: float) -> TimeAxis:
        """Closer or farther by `factor`, what is at x staying there as far as the video's ends allow."""
        closest = max(1.0, MAX_FRAME_WIDTH * self.num_frames / self.width)
        zoom = min(max(self.zoom * factor, 1.0), closest)
        position = self._position(x)
        start = position - (position - self.start) * self.zoom / zoom
        return replace(self, zoom=zoom, start=start).scrolled(0.0)

    def scrolled(self, frames: float) -> TimeAxis:
        """Moved by frames, without leaving the video."""
        return replace(self, start=min(max(self.start + frames, 0.0), self.num_frames - self.shown))

    def showing(self, frame: int) -> TimeAxis:
        """Scrolled so that the whole cell of a frame is shown; unchanged if it is.

        A frame that has run out of view comes in a tenth from the edge it left behind, so that playing turns pages.
        """
        lead = self.shown / 10
        if frame + 1 > self.start + self.shown:
            return self.scrolled(frame - lead - self.start)
        if frame < self.start:
            return self.scrolled(frame + 1 + lead - self.shown - self.start)
        return self

    def major_step(self, spacing: float) -> int:
        """Frames between two numbers of the ruler, 1, 2 or 5 times a power of ten, at least `spacing` pixels apart."""
        return _nice(spacing / self.frame_width)

    def _position(self, x: float) -> float:
        return (x - self.left) / self.frame_width + self.start


def _nice(least: float) -> int:
    decade = 1
    while True:
        for step in (1, 2, 5):
            if step * decade >= least:
                return step * decade
        decade *= 10


def pixel_runs(
    starts: NDArray[np.int64], stops: NDArray[np.int64], axis: TimeAxis, pixel: float
) -> NDArray[np.float64]:
    """Where runs of frames lie on screen, those that share a screen pixel joined: never more than pixels.

    Args:
        starts: first frames of the runs, ascending.
        stops: the frames after their last ones; runs do not overlap.
        axis: gives positions.
        pixel: size of a screen pixel in widget pixels.

    Returns: float64 [n, 2], left and right of each run in widget pixels, on screen pixels, not clipped to the axis.
    """
    if not starts.size:
        return np.empty((0, 2))
    left = np.floor((axis.left + (starts - axis.start) * axis.frame_width) / pixel)
    right = np.ceil((axis.left + (stops - axis.start) * axis.frame_width) / pixel)
    apart = left[1:] > right[:-1]
    lefts = left[np.concatenate(([True], apart))]
    rights = right[np.concatenate((apart, [True]))]
    return np.stack((lefts, rights), axis=1) * pixel
