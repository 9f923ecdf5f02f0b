"""What has been looked at and what still has to be: one object over the frames of a review. Pure; no Qt.

The states of an object on a frame, which can hold together: *key* (the user fixed it), *locked*, *verified*, *absent*
(no pixel, and the user fixed or verified that), *empty* (no pixel, and nobody said that this is right), *suspect* (the
engine carried it with a quality below `inference_core.confidence.SUSPECT_BELOW`, or its mask flickers more than
`util.flicker.FLICKER_ABOVE`, and no mark of the user settles it). A frame is done where the object is verified or
absent.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_core.confidence import SUSPECT_BELOW
from interact.frame_confidence import is_suspect
from interact.frame_flicker import Flickers, is_flickering
from interact.frame_marks import MarkKind
from storage.confidence_file import Confidences
from util.flicker import FLICKER_ABOVE

StateKind = Literal["empty", "suspect", "verified", "locked", "unverified"]
STATE_KINDS: tuple[StateKind, ...] = ("empty", "suspect", "verified", "locked", "unverified")

Flags = NDArray[np.bool_]
"""bool [T], one per frame."""


class Doubt(NamedTuple):
    """What is known against one mask. Args: confidence, flicker: 0..1, NaN where unknown."""

    frame: int
    object_id: int
    confidence: float
    flicker: float

    @property
    def reason(self) -> str:
        """Why it is suspect, in words; what is as usual is left out."""
        reasons = [f"quality {self.confidence:.2f}"] if self.confidence < SUSPECT_BELOW else []
        reasons += [f"flicker {self.flicker:.0%}"] if self.flicker > FLICKER_ABOVE else []
        return ", ".join(reasons)

    @property
    def rank(self) -> float:
        """0 for the worst there can be to 1 for what is just no suspect; both reasons weigh alike."""
        sure = self.confidence / SUSPECT_BELOW
        steady = (1 - self.flicker) / (1 - FLICKER_ABOVE)
        return float(np.nanmin([sure, steady, 1.0]))


@dataclass(frozen=True)
class ObjectReview:
    """One object. Args: present: where it has pixels. confidence: of what the engine carried. flicker: of all masks."""

    object_id: int
    name: str
    present: Flags
    key: Flags
    locked: Flags
    verified: Flags
    confidence: Confidences
    flicker: Flickers

    @classmethod
    def of(
        cls,
        object_id: int,
        name: str,
        present: Iterable[range],
        marks: Mapping[MarkKind, Iterable[range]],
        confidence: Confidences,
        flicker: Flickers | None = None,
    ) -> ObjectReview:
        """Args: present, marks: as stretches of frames. flicker: None where nothing is known of it."""
        count = len(confidence)
        key, locked, verified = (flags_of(marks[kind], count) for kind in ("key", "locked", "verified"))
        flicker = np.full(count, np.nan, np.float32) if flicker is None else flicker
        return cls(object_id, name, flags_of(present, count), key, locked, verified, confidence, flicker)

    @property
    def absent(self) -> Flags:
        return ~self.present & (self.key | self.verified)

    @property
    def empty(self) -> Flags:
        return ~self.present & ~self.key & ~self.verified

    @property
    def suspect(self) -> Flags:
        doubtful = is_suspect(self.confidence) | is_flickering(self.flicker)
        return doubtful & ~self.key & ~self.locked & ~self.verified

    def doubt(self, frame: int) -> Doubt:
        """What is known against the mask on a frame."""
        return Doubt(frame, self.object_id, float(self.confidence[frame]), float(self.flicker[frame]))

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


def worst_first(reviews: Iterable[ObjectReview], within: range, limit: int) -> list[Doubt]:
    """Suspects in order of frames; of more than `limit` the most doubtful ones.

    Of every stretch the worst frame comes before the others, so that none of them is left out for another's sake.
    """
    ranked: list[tuple[bool, float, Doubt]] = []
    for review in reviews:
        for run in review.runs("suspect", within):
            doubts = [review.doubt(frame) for frame in run]
            worst = min(doubts, key=lambda doubt: doubt.rank)
            ranked += [(doubt is not worst, doubt.rank, doubt) for doubt in doubts]
    return sorted(doubt for *_, doubt in sorted(ranked)[:limit])


def flags_of(runs: Iterable[range], num_frames: int) -> Flags:
    """bool [T]: set on stretches of frames."""
    flags = np.zeros(num_frames, np.bool_)
    for run in runs:
        flags[run.start : run.stop] = True
    return flags
