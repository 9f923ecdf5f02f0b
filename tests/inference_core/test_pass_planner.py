"""Which frames a propagation visits."""
from __future__ import annotations

import pytest

from inference_core.pass_planner import plan_passes

LAST = 9


def frames_of(anchor: int, direction: str, key_frames: dict[int, set[int]], ids: tuple[int, ...] = (1,), **bounds: int):  # noqa: ANN201
    passes = plan_passes(anchor, direction, bounds.get("first", 0), bounds.get("last", LAST), key_frames, ids)  # type: ignore[arg-type]
    return [list(one_pass.frames) for one_pass in passes]


@pytest.mark.parametrize(
    ("anchor", "direction", "keys", "expected"),
    [
        (0, "both", {0}, [[1, 2, 3, 4, 5, 6, 7, 8, 9]]),
        (9, "both", {9}, [[8, 7, 6, 5, 4, 3, 2, 1, 0]]),
        (4, "both", {4}, [[5, 6, 7, 8, 9], [3, 2, 1, 0]]),
        (4, "forward", {4}, [[5, 6, 7, 8, 9]]),
        (4, "backward", {4}, [[3, 2, 1, 0]]),
        (4, "both", {1, 4, 7}, [[5, 6], [3, 2]]),
        (4, "both", {3, 4, 5}, []),
        (0, "backward", {0}, []),
    ],
)
def test_one_object(anchor: int, direction: str, keys: set[int], expected: list[list[int]]) -> None:
    assert frames_of(anchor, direction, {frame: {1} for frame in keys}) == expected


def test_bounds_are_inclusive() -> None:
    assert frames_of(4, "both", {4: {1}}, first=3, last=6) == [[5, 6], [3]]


def test_a_key_frame_is_a_barrier_only_for_its_objects() -> None:
    (forward,) = plan_passes(0, "forward", 0, LAST, {0: {1, 2}, 4: {2}}, (1, 2))
    assert list(forward.frames) == list(range(1, 10))
    assert [span.object_id for span in forward.active(3)] == [1, 2]
    assert [span.object_id for span in forward.active(4)] == [1]
    assert [span.fuse_with for span in forward.spans] == [None, 4]


def test_a_bound_before_the_key_frame_still_fuses_with_it() -> None:
    (forward,) = plan_passes(0, "forward", 0, 3, {0: {1}, 6: {1}}, (1,))
    assert list(forward.frames) == [1, 2, 3]
    assert forward.spans[0].fuse_with == 6


def test_no_object_no_pass() -> None:
    assert frames_of(4, "both", {4: {1}}, ids=()) == []
