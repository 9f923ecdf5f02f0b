"""Sets of frames as unbroken stretches, so that a mark on every frame of a long video is one line in a file."""
from __future__ import annotations

from collections.abc import Iterable, Mapping

Runs = Mapping[int, tuple[range, ...]]
"""object id -> the stretches of frames that carry a mark: ascending, apart from one another, none empty."""


def to_runs(frames: Iterable[int]) -> tuple[range, ...]:
    """The stretches that ascending frame numbers form."""
    runs: list[range] = []
    for frame in frames:
        if runs and runs[-1].stop == frame:
            runs[-1] = range(runs[-1].start, frame + 1)
        else:
            runs.append(range(frame, frame + 1))
    return tuple(runs)


def runs_by_object(marks: Mapping[int, Iterable[int]]) -> dict[int, tuple[range, ...]]:
    """Args: marks: frame -> objects marked there, in order of frames."""
    frames: dict[int, list[int]] = {}
    for frame, object_ids in marks.items():
        for object_id in object_ids:
            frames.setdefault(object_id, []).append(frame)
    return {object_id: to_runs(frames[object_id]) for object_id in sorted(frames)}


def marks_by_frame(runs: Runs) -> dict[int, set[int]]:
    """The inverse of `runs_by_object`, in order of frames."""
    marks: dict[int, set[int]] = {}
    for object_id, stretches in runs.items():
        for stretch in stretches:
            for frame in stretch:
                marks.setdefault(frame, set()).add(object_id)
    return dict(sorted(marks.items()))
