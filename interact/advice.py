"""Which frame is worth correcting next, and for which object. Pure; no Qt, no torch.

By the published quality network every frame with an object to correct is judged; without it, the quality that the
propagation left is all there is, and a frame without any is not judged.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inference_core.api import FrameRanker
from inference_core.registry import Basis
from interact.review import Flags, ObjectReview

Qualities = Mapping[int, Mapping[int, float]]
"""frame -> object id -> 0 (worst) to 1."""


@dataclass(frozen=True)
class NextFrame:
    """Args:
        quality: of the object there, 0..1.
        basis: what it rests on. decided: how the frame was chosen, for the user.
        is_carried: the propagation left it; otherwise the mask was looked at since.
    """

    frame: int
    object_id: int
    quality: float
    basis: Basis
    decided: str
    is_carried: bool


def is_open(review: ObjectReview) -> Flags:
    """bool [T]: where a correction of the object would help: it has a mask, and the user has not settled it."""
    return review.present & ~review.key & ~review.locked & ~review.verified


def is_anything_open(reviews: Sequence[ObjectReview], within: range) -> bool:
    """Whether there is a mask worth judging."""
    return any(is_open(review)[within.start : within.stop].any() for review in reviews)


def is_anything_known(reviews: Sequence[ObjectReview], within: range) -> bool:
    """Whether the propagations left a quality of a mask worth judging."""
    known = (is_open(review) & ~np.isnan(review.confidence) for review in reviews)
    return any(flags[within.start : within.stop].any() for flags in known)


def open_objects(reviews: Sequence[ObjectReview], within: range) -> dict[int, tuple[int, ...]]:
    """frame -> the objects worth judging there; frames without any are left out."""
    if not reviews:
        return {}
    flags = np.stack([is_open(review) for review in reviews])
    frames = [frame for frame in np.flatnonzero(flags.any(axis=0)).tolist() if frame in within]
    return {f: tuple(review.object_id for review, on in zip(reviews, flags[:, f], strict=True) if on) for f in frames}


def known_confidence(reviews: Sequence[ObjectReview], within: range) -> dict[int, dict[int, float]]:
    """What the propagations left, of the objects that are worth judging."""
    by_id = {review.object_id: review for review in reviews}
    found: dict[int, dict[int, float]] = {}
    for frame, object_ids in open_objects(reviews, within).items():
        values = {i: float(by_id[i].confidence[frame]) for i in object_ids}
        known = {i: value for i, value in values.items() if not np.isnan(value)}
        if known:
            found[frame] = known
    return found


def choose(
    qualities: Qualities, reviews: Sequence[ObjectReview], ranker: FrameRanker, basis: Basis, *, is_carried: bool
) -> NextFrame | None:
    """The frame to correct next; None where nothing was judged.

    A frame counts by the mean over its objects where the published networks judge, as they were trained; else by its
    worst object, since one lost object among five is what the user wants to see.
    """
    if not qualities:
        return None
    num_frames = len(reviews[0].present)
    pool = np.min if is_carried else np.mean
    state = [float(pool(list(qualities[f].values()))) if f in qualities else 1.0 for f in range(num_frames)]
    annotated = np.array([review.key for review in reviews]).any(axis=0).astype(int).tolist()
    ranked = ranker.rank(state, annotated)
    frame = next(frame for frame in ranked if frame in qualities)
    object_id = min(qualities[frame], key=lambda i: qualities[frame][i])
    return NextFrame(frame, object_id, qualities[frame][object_id], basis, ranker.name, is_carried)
