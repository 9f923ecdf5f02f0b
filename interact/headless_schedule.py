"""In which order given masks are carried through a video when no person is there to do it. Pure.

It replays what a user would do from the first annotated frame to the last: correct the frame, carry its objects back to
where they were fixed before (which fuses the new result with the old one), then forward to where they are fixed next.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Carry:
    """One propagation from an annotated frame: `object_ids` through the frames `first..last` (inclusive)."""

    direction: Literal["forward", "backward"]
    object_ids: frozenset[int]
    first: int
    last: int

    @property
    def num_frames(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Stop:
    """One annotated frame.

    Args:
        frame: its index.
        object_ids: all objects fixed there, those that are absent there included.
        carries: what to do from here; empty when no frame lies between this and its neighbours.
    """

    frame: int
    object_ids: frozenset[int]
    carries: tuple[Carry, ...]


def plan_stops(present: Mapping[int, frozenset[int]], frames: range, *, is_partial: bool) -> tuple[Stop, ...]:
    """The whole job, a stop for every annotated frame, in order.

    An object starts on the first frame that shows it and is on no earlier one; only the objects of the first annotated
    frame are carried back to the start of the range. By default an annotated frame says everything about the objects
    started so far: one that it does not show is absent there.

    Args:
        present: annotated frame -> objects seen on it; all within `frames`.
        frames: the range of the job.
        is_partial: an annotated frame says something only about the objects that it shows.
    """
    fixed = _fixed_objects(present, is_partial)
    earliest = next((frame for frame, ids in fixed.items() if ids or not is_partial), None)
    before, after = _neighbours(fixed, sorted(fixed)), _neighbours(fixed, sorted(fixed, reverse=True))
    stops = []
    for frame, ids in fixed.items():
        if frame == earliest:
            back = _carry("backward", ids, frames.start, frame - 1)
        else:
            # Objects that start here stay behind.
            known = before[frame]
            back = _carry("backward", frozenset(known), min(known.values(), default=frame) + 1, frame - 1)
        last = _end_of_way_forward(frame, ids, after[frame], frames.stop - 1)
        stops.append(Stop(frame, ids, (*back, *_carry("forward", ids, frame + 1, last))))
    return tuple(stops)


def visited_later(stops: Sequence[Stop]) -> tuple[range, ...]:
    """For each stop, frames among which are all that later stops come by: what is found elsewhere serves nobody again.

    Empty for the last stop: a video of any length that is annotated once needs nothing kept of its frames.
    """
    later: list[range] = []
    frames = range(0)
    for stop in reversed(stops):
        later.append(frames)
        firsts = [stop.frame, *(carry.first for carry in stop.carries), *frames[:1]]
        lasts = [stop.frame, *(carry.last for carry in stop.carries), *frames[-1:]]
        frames = range(min(firsts), max(lasts) + 1)
    return tuple(reversed(later))


def _fixed_objects(present: Mapping[int, frozenset[int]], is_partial: bool) -> dict[int, frozenset[int]]:
    """Annotated frame -> objects fixed there, in order of frames."""
    fixed = {}
    started = frozenset[int]()
    for frame in sorted(present):
        started |= present[frame]
        fixed[frame] = present[frame] if is_partial else started
    return fixed


def _neighbours(fixed: Mapping[int, frozenset[int]], order: Sequence[int]) -> dict[int, dict[int, int]]:
    """frame -> object id -> the frame that fixed it last when walking in `order`; for the objects fixed on `frame`."""
    seen: dict[int, int] = {}
    found = {}
    for frame in order:
        found[frame] = {object_id: seen[object_id] for object_id in fixed[frame] if object_id in seen}
        seen.update(dict.fromkeys(fixed[frame], frame))
    return found


def _end_of_way_forward(frame: int, object_ids: frozenset[int], after: Mapping[int, int], end: int) -> int:
    """The last frame to be visited from `frame`: the next one where the objects are fixed, or the end.

    What is found on that next frame tells fusion what its annotation corrected, so it is visited if there are frames in
    between to be fused.
    """
    last = frame
    for object_id in object_ids:
        following = after.get(object_id)
        if following is None:
            return end
        if following > frame + 1:
            last = max(last, following)
    return last


def _carry(
    direction: Literal["forward", "backward"], object_ids: frozenset[int], first: int, last: int
) -> tuple[Carry, ...]:
    return (Carry(direction, object_ids, first, last),) if object_ids and first <= last else ()
