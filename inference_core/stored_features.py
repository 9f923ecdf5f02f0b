"""Features of frames on disk, from one run of the program to the next.

Keys are kept as they are, everything else in half precision. What was just encoded goes the same way before it is used,
so that masks do not depend on which frames happened to be there. Read by safetensors: no code in a file is ever run.
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from safetensors import SafetensorError
from safetensors.torch import load, save

from inference_core.api import WEIGHTS_SETTING, FeatureStorage
from inference_core.propagator import FrameFeatures, SupportsStoring
from storage.feature_folder import FeatureFolder
from util.types import ImageU8, Size

_FORMAT = 1
"""To be counted up when the same network comes to give other features for a frame."""


class StoredFeatures:
    """Of one engine and one video. Worker thread only."""

    def __init__(self, propagator: SupportsStoring, folder: FeatureFolder) -> None:
        self._propagator = propagator
        self._folder = folder
        self._largest = 0

    def __contains__(self, frame: int) -> bool:
        return frame in self._folder

    @property
    def has_room(self) -> bool:
        """Whether another frame's fit without pushing out others."""
        return self._folder.fits(self._largest)

    def load(self, frame: int, image: ImageU8) -> FrameFeatures | None:
        """What was saved of this frame, which shows `image`; None when there is nothing of use."""
        data = self._folder.get(frame)
        if data is None:
            return None
        try:
            return self._propagator.unpack(image, load(data))
        except (SafetensorError, ValueError):
            return None

    def save(self, frame: int, image: ImageU8, features: FrameFeatures) -> FrameFeatures:
        """Keep them; returns what `load` will."""
        packed = self._propagator.pack(features)
        data = save(dict(packed))
        self._largest = max(self._largest, len(data))
        self._folder.put(frame, data)
        return self._propagator.unpack(image, packed)


def open_stored(
    propagator: SupportsStoring,
    storage: FeatureStorage,
    engine: str,
    device: str,
    settings: Mapping[str, str | int | float],
    size: Size,
) -> StoredFeatures:
    """The place on disk for what depends on exactly these."""
    depends = [_FORMAT, storage.video, engine, device, str(settings.get(WEIGHTS_SETTING, "")), str(size)]
    identity = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:16]
    return StoredFeatures(propagator, FeatureFolder(storage.folder, identity, storage.nbytes))
