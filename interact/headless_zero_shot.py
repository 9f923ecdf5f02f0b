"""A video in, a mask of whatever objects a network finds on every frame out. The caller's thread does everything."""
from __future__ import annotations

from collections.abc import Generator, Mapping

from inference_core.api import FrameReader, ObjectProposer
from interact.annotations import object_ids
from interact.headless import Masks
from interact.suggestions import merged
from util.jobs import CancelToken

_PREFETCH = 4


class ZeroShotRun:
    """One job; `run` may be called once. An object keeps its id through the video: the number of its proposal.

    Args:
        masks: nothing but background at the beginning, as far as `wanted` goes.
        wanted: the frames, in order.
    """

    def __init__(self, proposer: ObjectProposer, frames: FrameReader, masks: Masks, wanted: range) -> None:
        self._proposer = proposer
        self._frames = frames
        self._masks = masks
        self._wanted = wanted
        self._first_seen: dict[int, int] = {}
        self.total = len(wanted)
        """Predictions to be made."""
        self.finished: set[int] = set()
        """Frames that have got a mask so far."""

    def run(self, token: CancelToken) -> Generator[int, None, None]:
        """Do it, yielding how many predictions are made after each. Raises `Cancelled` between two frames."""
        self._proposer.start()
        for done, frame in enumerate(self._wanted, 1):
            token.check()
            self._frames.prefetch(range(frame + 1, min(frame + 1 + _PREFETCH, self._wanted.stop)))
            mask = merged(self._proposer.propose(self._frames.get(frame)), self._frames.size)
            self._masks.set(frame, mask)
            self.finished.add(frame)
            for object_id in object_ids(mask):
                self._first_seen.setdefault(object_id, frame)
            yield done

    @property
    def key_frames(self) -> Mapping[int, frozenset[int]]:
        """Every object is fixed where it is first seen: from there it can be carried on."""
        frames = sorted(set(self._first_seen.values()))
        return {f: frozenset(i for i, first in self._first_seen.items() if first == f) for f in frames}
