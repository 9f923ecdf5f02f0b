"""Features of frames, so that a frame that is visited again is not encoded again."""
from __future__ import annotations

from collections import OrderedDict

from inference_core.api import FrameReader
from inference_core.propagator import FrameFeatures, Propagator


class FeatureCache:
    """Least-recently-used features within a byte budget, and those of the newest frame. Worker thread only."""

    def __init__(self, frames: FrameReader, propagator: Propagator, budget_bytes: int) -> None:
        self._frames = frames
        self._propagator = propagator
        self._budget = budget_bytes
        self._features: OrderedDict[int, FrameFeatures] = OrderedDict()
        self._nbytes = 0
        self._passing: tuple[int, FrameFeatures] | None = None

    def get(self, frame: int, *, is_visited_again: bool = True) -> FrameFeatures:
        """Args: is_visited_again: otherwise they are kept only until the next frame."""
        if frame in self._features:
            self._features.move_to_end(frame)
            return self._features[frame]
        if self._passing is not None and self._passing[0] == frame:
            return self._passing[1]
        self._passing = None
        features = self._propagator.encode(self._frames.get(frame))
        if not is_visited_again:
            self._passing = frame, features
            return features
        self._features[frame] = features
        self._nbytes += features.nbytes
        while self._nbytes > self._budget and len(self._features) > 1:
            _, oldest = self._features.popitem(last=False)
            self._nbytes -= oldest.nbytes
        return features

    @property
    def nbytes(self) -> int:
        return self._nbytes + (0 if self._passing is None else self._passing[1].nbytes)

    def clear(self) -> None:
        self._features.clear()
        self._passing = None
        self._nbytes = 0

    def spare(self) -> bool:
        """Keep none but the newest frame's from here on; whether there was more than that to give up."""
        had_more = len(self._features) > 1
        self.clear()
        self._budget = 0
        return had_more
