"""The order of a headless job: tables of small cases, and what must hold for every case."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interact.headless_schedule import Carry, Stop, plan_stops, visited_later

Plan = dict[int, tuple[set[int], list[tuple[str, set[int], int, int]]]]


def plan(present: dict[int, set[int]], frames: range, *, is_partial: bool = False) -> Plan:
    """frame -> (fixed objects, [(direction, objects, first, last)])"""
    stops = plan_stops({f: frozenset(ids) for f, ids in present.items()}, frames, is_partial=is_partial)
    return {
        stop.frame: (set(stop.object_ids), [(c.direction, set(c.object_ids), c.first, c.last) for c in stop.carries])
        for stop in stops
    }


def test_first_frame_only() -> None:
    assert plan({0: {1, 2}}, range(10)) == {0: ({1, 2}, [("forward", {1, 2}, 1, 9)])}


def test_last_frame_only() -> None:
    assert plan({9: {1}}, range(10)) == {9: ({1}, [("backward", {1}, 0, 8)])}


def test_frame_in_the_middle_of_a_range() -> None:
    assert plan({5: {1}}, range(2, 8)) == {5: ({1}, [("backward", {1}, 2, 4), ("forward", {1}, 6, 7)])}


def test_single_frame_has_nothing_to_do() -> None:
    assert plan({4: {1}}, range(4, 5)) == {4: ({1}, [])}


def test_between_two_annotated_frames_the_way_leads_there_and_back() -> None:
    """Forward up to and including the next one, whose prediction tells what its annotation corrected."""
    assert plan({0: {1}, 5: {1}}, range(10)) == {
        0: ({1}, [("forward", {1}, 1, 5)]),
        5: ({1}, [("backward", {1}, 1, 4), ("forward", {1}, 6, 9)]),
    }


def test_neighbours_have_nothing_between_them() -> None:
    assert plan({0: {1}, 1: {1}, 2: {1}}, range(3)) == {0: ({1}, []), 1: ({1}, []), 2: ({1}, [])}
    assert plan({0: {1}, 1: {1}}, range(5))[0] == ({1}, [])


def test_object_missing_from_a_later_frame_is_absent_there() -> None:
    assert plan({0: {1, 2}, 5: {1}}, range(10))[5] == (
        {1, 2}, [("backward", {1, 2}, 1, 4), ("forward", {1, 2}, 6, 9)]
    )


def test_frame_without_objects_means_all_are_gone() -> None:
    assert plan({0: {1, 2}, 5: set()}, range(10))[5][0] == {1, 2}


def test_later_object_starts_where_it_is_first_seen() -> None:
    """Object 2 is not carried back, and its frame is a barrier for object 1 all the same."""
    assert plan({0: {1}, 5: {1, 2}}, range(10)) == {
        0: ({1}, [("forward", {1}, 1, 5)]),
        5: ({1, 2}, [("backward", {1}, 1, 4), ("forward", {1, 2}, 6, 9)]),
    }


def test_only_the_first_annotated_frame_reaches_back_to_the_start() -> None:
    stops = plan({3: {1}, 6: {2}}, range(10))
    assert stops[3][1][0] == ("backward", {1}, 0, 2)
    assert stops[6] == ({1, 2}, [("backward", {1}, 4, 5), ("forward", {1, 2}, 7, 9)])


def test_empty_first_frame_says_that_nothing_is_there() -> None:
    assert plan({0: set(), 4: {1}}, range(8)) == {0: (set(), []), 4: ({1}, [("forward", {1}, 5, 7)])}


def test_partial_frames_fix_what_they_show() -> None:
    assert plan({0: {1, 2}, 5: {1}}, range(10), is_partial=True) == {
        0: ({1, 2}, [("forward", {1, 2}, 1, 9)]),
        5: ({1}, [("backward", {1}, 1, 4), ("forward", {1}, 6, 9)]),
    }


def test_partial_objects_started_one_after_another() -> None:
    assert plan({0: {1}, 5: {2}, 8: {3}}, range(12), is_partial=True) == {
        0: ({1}, [("forward", {1}, 1, 11)]),
        5: ({2}, [("forward", {2}, 6, 11)]),
        8: ({3}, [("forward", {3}, 9, 11)]),
    }


def test_partial_object_passes_frames_of_others() -> None:
    """Object 1 is fused between its own frames 0 and 9, across frame 4 that is about object 2."""
    assert plan({0: {1}, 4: {2}, 9: {1}}, range(12), is_partial=True) == {
        0: ({1}, [("forward", {1}, 1, 9)]),
        4: ({2}, [("forward", {2}, 5, 11)]),
        9: ({1}, [("backward", {1}, 1, 8), ("forward", {1}, 10, 11)]),
    }


def test_partial_empty_frame_says_nothing() -> None:
    assert plan({0: set(), 4: {1}}, range(8), is_partial=True) == {
        0: (set(), []),
        4: ({1}, [("backward", {1}, 0, 3), ("forward", {1}, 5, 7)]),
    }


def test_number_of_frames() -> None:
    assert Carry("forward", frozenset({1}), 3, 7).num_frames == 5


@st.composite
def jobs(draw: st.DrawFn) -> tuple[dict[int, frozenset[int]], range]:
    start = draw(st.integers(0, 5))
    frames = range(start, start + draw(st.integers(1, 14)))
    annotated = draw(st.sets(st.sampled_from(frames), min_size=1, max_size=5))
    ids = st.frozensets(st.integers(1, 4), max_size=3)
    return {frame: draw(ids) for frame in annotated}, frames


@given(jobs(), st.booleans())
def test_every_plan(job: tuple[dict[int, frozenset[int]], range], is_partial: bool) -> None:
    present, frames = job
    stops = plan_stops(present, frames, is_partial=is_partial)
    assert [stop.frame for stop in stops] == sorted(present)
    start = {i: min(f for f, ids in present.items() if i in ids) for i in frozenset().union(*present.values())}
    told = [f for f in sorted(present) if present[f] or not is_partial]
    for stop in stops:
        assert stop.object_ids >= present[stop.frame]
        assert all(start[i] <= stop.frame for i in stop.object_ids)
        for carry in stop.carries:
            check_carry(stop, carry, frames)
            if carry.direction == "backward" and stop.frame != told[0]:
                assert all(start[i] < stop.frame for i in carry.object_ids)
    reached = {f for stop in stops for carry in stop.carries for f in range(carry.first, carry.last + 1)}
    if present[told[0]] if told else False:
        assert reached | set(present) == set(frames)


def check_carry(stop: Stop, carry: Carry, frames: range) -> None:
    assert carry.object_ids
    assert carry.object_ids <= stop.object_ids
    assert carry.first in frames
    assert carry.last in frames
    if carry.direction == "forward":
        assert carry.first == stop.frame + 1
    else:
        assert carry.last == stop.frame - 1


@pytest.mark.parametrize("is_partial", [False, True])
def test_objects_fixed_everywhere_cost_two_passes_at_most(is_partial: bool) -> None:
    stops = plan_stops({f: frozenset({1}) for f in range(0, 101, 10)}, range(101), is_partial=is_partial)
    assert sum(carry.num_frames for stop in stops for carry in stop.carries) <= 2 * 101


def test_nothing_is_visited_again_after_a_single_annotation() -> None:
    assert visited_later(plan_stops({3: frozenset({1})}, range(1000), is_partial=False)) == (range(0),)


def test_what_lies_before_the_next_annotation_is_visited_again() -> None:
    present = {3: frozenset({1}), 9: frozenset({1}), 10: frozenset({1})}
    assert visited_later(plan_stops(present, range(1000), is_partial=False)) == (
        range(4, 1000), range(10, 1000), range(0),
    )  # fmt: skip


@given(
    st.dictionaries(st.integers(0, 19), st.frozensets(st.integers(1, 3)), min_size=1, max_size=5), st.booleans()
)
def test_later_stops_visit_nothing_else(present: dict[int, frozenset[int]], is_partial: bool) -> None:
    stops = plan_stops(present, range(20), is_partial=is_partial)
    for position, allowed in enumerate(visited_later(stops)):
        for stop in stops[position + 1 :]:
            visited = {stop.frame}.union(*(range(c.first, c.last + 1) for c in stop.carries))
            assert visited <= set(allowed)
