"""What has been looked at and what still has to be: one object over the frames of a review. Pure; no Qt.

The states of an object on a frame, which can hold together: *key* (the user fixed it), *locked*, *verified*, *absent*
(no pixel, and the user fixed or verified that), *empty* (no pixel, and nobody said that this is right), *suspect* (the
engine carried it, its confidence is below `inference_core.confidence.SUSPECT_BELOW`, and no mark of the user settles
it). A frame is done where the object is verified or absent.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interact.frame_confidence import is_suspect
from interact.frame_marks import MarkKind
from storage.confidence_file import Confidences

StateKind = Literal["empty", "suspect", "verified", "locked", "unverified"]
STATE_KINDS: tuple[StateKind, ...] = ("empty", "suspect", "verified", "locked", "unverified")

Flags = NDArray[np.bool_]
"""bool [T], one per frame."""


@dataclass(frozen=True)
class ObjectReview:
    """One object. Args: present: where it has pixels. confidence: of what the engine carried."""

    object_id: int
    name: str
    present: Flags
    key: Flags
    locked: Flags
    verified: Flags
    confidence: Confidences

    @classmethod
    def of(
        cls,
        object_id: int,
        name: str,
        present: Iterable[range],
        marks: Mapping[MarkKind, Iterable[range]],
        confidence: Confidences,
    ) -> ObjectReview:
        """Args: present, marks: as stretches of frames."""
        count = len(confidence)
        key, locked, verified = (_flags(marks[kind], count) for kind in ("key", "locked", "verified"))
        return cls(object_id, name, _flags(present, count), key, locked, verified, confidence)

    @property
    def absent(self) -> Flags:
        return ~self.present & (self.key | self.verified)

    @property
    def empty(self) -> Flags:
        return ~self.present & ~self.key & ~self.verified

    @property
    def suspect(self) -> Flags:
        return is_suspect(self.confidence) & ~self.key & ~self.locked & ~self.verified

    @property
    def done(self) -> Flags:
        return self.verified | self.absent

    @property
    def unverified(self) -> Flags:
        """Has pixels that nobody has called right yet."""
        return self.present & ~self.verified

    def flags(self, kind: StateKind) -> Flags:
        """One state."""
        found: Flags = getattr(self, kind)
        return found

    def runs(self, kind: StateKind, within: range | None = None) -> tuple[range, ...]:
        """The stretches of frames in one state."""
        return flag_runs(self.flags(kind), within)

    def beside(self, kind: StateKind, frame: int, direction: int) -> int | None:
        """The next (1) or previous (-1) frame in a state; None if there is none."""
        frames = np.flatnonzero(self.flags(kind))
        beyond = frames[frames > frame] if direction > 0 else frames[frames < frame]
        return None if not len(beyond) else int(beyond[0] if direction > 0 else beyond[-1])


def flag_runs(flags: Flags, within: range | None = None) -> tuple[range, ...]:
    """The stretches where flags are set, between two frames."""
    first = 0 if within is None else within.start
    part = flags if within is None else flags[within.start : within.stop]
    edges = np.flatnonzero(np.diff(part.astype(np.int8), prepend=0, append=0)) + first
    return tuple(range(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def progress(reviews: Sequence[ObjectReview], within: range) -> float:
    """Share of all frames of all objects that are done, 0..1; 0 without an object."""
    if not reviews or not within:
        return 0.0
    done = sum(int(review.done[within.start : within.stop].sum()) for review in reviews)
    return done / (len(reviews) * len(within))


@dataclass(frozen=True)
class Missing:
    """What one object lacks for being done, as stretches of frames; `suspect` ones are among the others, too."""

    object_id: int
    name: str
    empty: tuple[range, ...]
    unverified: tuple[range, ...]
    suspect: tuple[range, ...]

    @property
    def is_nothing(self) -> bool:
        return not (self.empty or self.unverified or self.suspect)


def missing(reviews: Iterable[ObjectReview], within: range) -> list[Missing]:
    """By object, those that lack something."""
    found = [
        Missing(
            review.object_id, review.name, review.runs("empty", within), review.runs("unverified", within),
            review.runs("suspect", within),
        )
        for review in reviews
    ]
    return [one for one in found if not one.is_nothing]


def count(runs: Iterable[range]) -> int:
    """Frames in stretches."""
    return sum(len(run) for run in runs)


def worst_first(reviews: Iterable[ObjectReview], within: range, limit: int) -> list[tuple[int, int, float]]:
    """Suspects as (frame, object id, confidence), in order of frames; of more than `limit` the least sure ones.

    Of every stretch the worst frame comes before the others, so that none of them is left out for another's sake.
    """
    ranked: list[tuple[bool, float, int, int]] = []
    for review in reviews:
        for run in review.runs("suspect", within):
            values = review.confidence[run.start : run.stop]
            worst = run.start + int(np.argmin(values))
            ranked += [(f != worst, float(review.confidence[f]), f, review.object_id) for f in run]
    chosen = sorted(ranked)[:limit]
    return sorted((frame, object_id, value) for _, value, frame, object_id in chosen)


def _flags(runs: Iterable[range], num_frames: int) -> Flags:
    flags = np.zeros(num_frames, np.bool_)
    for run in runs:
        flags[run.start : run.stop] = True
    return flags
