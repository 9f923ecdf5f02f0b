"""States of an object on frames, progress, what is missing, suspects for the contact sheet, advice from quality."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference_core.frame_choice import WorstFirst
from inference_core.registry import Basis
from interact.advice import choose, is_anything_known, is_anything_open, known_confidence, open_objects
from interact.frame_marks import MarkKind
from interact.review import STATE_KINDS, ObjectReview, count, flag_runs, missing, progress, worst_first

BASIS = Basis("by a fake", is_trained=True)
T = 20


def make(object_id: int = 1, doubts: dict[int, float] | None = None, **marks: tuple[range, ...]) -> ObjectReview:
    """Has a mask on frames 0 to 14, carried from frame 0; its values are 0.9 but for `doubts`."""
    values = np.full(T, np.nan, np.float32)
    values[1:15] = 0.9
    for frame, value in (doubts or {}).items():
        values[frame] = value
    kinds: dict[MarkKind, tuple[range, ...]] = {"key": (range(1),), "locked": (), "verified": ()}
    return ObjectReview.of(object_id, f"object {object_id}", [range(15)], {**kinds, **marks}, values)  # type: ignore[dict-item]


def frames(flags: np.ndarray) -> list[int]:
    return np.flatnonzero(flags).tolist()


def test_states() -> None:
    review = make(doubts={3: 0.2, 4: 0.2, 5: 0.2, 6: 0.2, 0: 0.1}, key=(range(1), range(5, 6), range(16, 17)),
                  locked=(range(4, 5),), verified=(range(6, 8), range(18, 19)))
    assert frames(review.absent) == [16, 18] and frames(review.empty) == [15, 17, 19]
    assert frames(review.suspect) == [3], "what the user fixed, locked or verified is settled"
    assert frames(review.done) == [6, 7, 16, 18]
    assert frames(review.unverified) == [0, 1, 2, 3, 4, 5, *range(8, 15)]
    assert review.runs("empty", range(16, 20)) == (range(17, 18), range(19, 20))
    assert all(review.flags(kind).dtype == np.bool_ for kind in STATE_KINDS)


def test_beside() -> None:
    review = make(verified=(range(4, 6),))
    assert [review.beside("verified", frame, 1) for frame in (0, 4, 5)] == [4, 5, None]
    assert [review.beside("verified", frame, -1) for frame in (9, 5, 4)] == [5, 4, None]


def test_progress_counts_frames_times_objects_between_the_marks() -> None:
    done, half = make(1, verified=(range(20),)), make(2, verified=(range(10),))
    assert progress([done, half], range(T)) == 0.75 and progress([done, half], range(10)) == 1
    assert progress([], range(T)) == 0


def test_missing_names_every_lack() -> None:
    done, other = make(1, verified=(range(20),)), make(2, {8: 0.3}, verified=(range(5),))
    (one,) = missing([done, other], range(2, 18))
    assert (one.object_id, one.empty, one.unverified, one.suspect) == (
        2, (range(15, 18),), (range(5, 15),), (range(8, 9),)
    )
    assert count(one.unverified) == 10 and missing([done], range(T)) == []


def test_the_sheet_leaves_no_stretch_out() -> None:
    review = make(1, {2: 0.5, 3: 0.1, 4: 0.2, 9: 0.58})
    other = make(2, {12: 0.59})
    everything = worst_first([review, other], range(T), 10)
    assert [(f, i) for f, i, *_ in everything] == [(2, 1), (3, 1), (4, 1), (9, 1), (12, 2)]
    assert [f for f, *_ in worst_first([review, other], range(T), 3)] == [3, 9, 12], "the worst of each stretch"
    assert worst_first([review], range(5, 20), 10)[0][2] == pytest.approx(0.58)


def test_flicker_makes_a_suspect_unless_the_user_settled_it() -> None:
    flicker = np.full(T, np.nan, np.float32)
    flicker[[0, 3, 4, 5, 7]] = 0.9, 0.5, 0.1, 0.6, 0.3
    steady = make(doubts={7: 0.3}, verified=(range(5, 6),))
    review = replace(steady, flicker=flicker)
    assert frames(review.suspect) == [3, 7] and frames(steady.suspect) == [7]
    assert [review.doubt(frame).reason for frame in (3, 7)] == ["flicker 50%", "quality 0.30, flicker 30%"]
    assert review.doubt(4).reason == "" and review.doubt(4).rank == 1
    assert review.doubt(3).rank == pytest.approx(0.5 / 0.8) and review.doubt(7).rank == pytest.approx(0.5)
    assert [f for f, *_ in worst_first([review], range(T), 1)] == [7]


def test_runs_of_flags() -> None:
    flags = np.array([1, 1, 0, 1, 0, 1], np.bool_)
    assert flag_runs(flags) == (range(2), range(3, 4), range(5, 6))
    assert flag_runs(flags, range(1, 4)) == (range(1, 2), range(3, 4)) and flag_runs(np.zeros(3, np.bool_)) == ()


def test_advice_from_a_propagation_is_the_worst_object() -> None:
    """Three objects: the mean of frame 5 is lower, but on frame 9 one of them is lost."""
    reviews = [make(1, {5: 0.6, 9: 0.9}), make(2, {5: 0.6, 9: 0.9}), make(3, {5: 0.6, 9: 0.2})]
    known = known_confidence(reviews, range(T))
    found = choose(known, reviews, WorstFirst(), BASIS, is_carried=True)
    assert found is not None and (found.frame, found.object_id) == (9, 3) and found.quality == pytest.approx(0.2)
    trained = choose(known, reviews, WorstFirst(), BASIS, is_carried=False)
    assert trained is not None and (trained.frame, trained.object_id) == (5, 1), "by the mean, as it was trained"


def test_settled_masks_are_not_judged() -> None:
    review = make(1, {9: 0.2}, verified=(range(9, 10),), locked=(range(3, 5),))
    todo = open_objects([review], range(2, 12))
    assert list(todo) == [2, 5, 6, 7, 8, 10, 11] and set(todo.values()) == {(1,)}
    assert is_anything_open([review], range(2, 12)) and is_anything_known([review], range(2, 12))
    assert not is_anything_open([review], range(9, 10)) and not is_anything_known([], range(T))
    assert open_objects([], range(T)) == {} and choose({}, [review], WorstFirst(), BASIS, is_carried=True) is None
