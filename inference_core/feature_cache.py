"""Features of frames, so that a frame that is visited again is not encoded again."""
from __future__ import annotations

from collections import OrderedDict

from inference_core.api import FrameReader
from inference_core.propagator import FrameFeatures, Propagator
from inference_core.stored_features import StoredFeatures


class FeatureCache:
    """Least-recently-used features within a byte budget, and those of the newest frame. Worker thread only."""

    def __init__(self, frames: FrameReader, propagator: Propagator, budget_bytes: int) -> None:
        self._frames = frames
        self._propagator = propagator
        self._budget = budget_bytes
        self._features: OrderedDict[int, FrameFeatures] = OrderedDict()
        self._nbytes = 0
        self._passing: tuple[int, FrameFeatures] | None = None
        self._stored: StoredFeatures | None = None

    def keep_on_disk(self, stored: StoredFeatures) -> None:
        """From here on, and use what is there."""
        self.clear()
        self._stored = stored

    @property
    def stored(self) -> StoredFeatures | None:
        return self._stored

    def resized(self) -> None:
        """Features have another size from here on: nothing that is known is of use."""
        self.clear()
        self._stored = None

    def get(self, frame: int, *, is_visited_again: bool = True) -> FrameFeatures:
        """Args: is_visited_again: otherwise they are kept only until the next frame."""
        if frame in self._features:
            self._features.move_to_end(frame)
            return self._features[frame]
        if self._passing is not None and self._passing[0] == frame:
            return self._passing[1]
        self._passing = None
        features = self._encoded(frame)
        if not is_visited_again:
            self._passing = frame, features
            return features
        self._features[frame] = features
        self._nbytes += features.nbytes
        while self._nbytes > self._budget and len(self._features) > 1:
            _, oldest = self._features.popitem(last=False)
            self._nbytes -= oldest.nbytes
        return features

    def _encoded(self, frame: int) -> FrameFeatures:
        image = self._frames.get(frame)
        if self._stored is None:
            return self._propagator.encode(image)
        known = self._stored.load(frame, image)
        return known or self._stored.save(frame, image, self._propagator.encode(image))

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
