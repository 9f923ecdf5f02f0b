"""Features of frames, so that a frame that is visited again is not encoded again."""
from __future__ import annotations

from collections import OrderedDict

from inference_core.api import FrameReader
from inference_core.propagator import FrameFeatures, Propagator


class FeatureCache:
    """Least-recently-used features within a byte budget; the newest frame always stays. Worker thread only."""

    def __init__(self, frames: FrameReader, propagator: Propagator, budget_bytes: int) -> None:
        self._frames = frames
        self._propagator = propagator
        self._budget = budget_bytes
        self._features: OrderedDict[int, FrameFeatures] = OrderedDict()
        self._nbytes = 0

    def get(self, frame: int) -> FrameFeatures:
        if frame in self._features:
            self._features.move_to_end(frame)
            return self._features[frame]
        features = self._propagator.encode(self._frames.get(frame))
        self._features[frame] = features
        self._nbytes += features.nbytes
        while self._nbytes > self._budget and len(self._features) > 1:
            _, oldest = self._features.popitem(last=False)
            self._nbytes -= oldest.nbytes
        return features

    @property
    def nbytes(self) -> int:
        return self._nbytes

    def clear(self) -> None:
        self._features.clear()
        self._nbytes = 0
