"""The headless job with a core that carries a row of pixels per object: what is synced, asked and written."""
from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping, Sequence

import numpy as np
import pytest

from inference_core.api import FrameResult, KeyFrame, MemoryReport, PropagationRequest
from interact.annotations import object_ids
from interact.headless import HeadlessRun
from interact.headless_schedule import plan_stops
from util.jobs import Cancelled, CancelToken
from util.types import IGNORE, IndexMask

SHAPE = (6, 8)


def rows(**columns: int) -> IndexMask:
    """Object n of `on=c` fills row n up to column c."""
    mask = np.zeros(SHAPE, np.uint8)
    for name, column in columns.items():
        mask[int(name[1:]), :column] = int(name[1:])
    return mask


class MemoryMasks:
    """Masks without a disk."""

    def __init__(self) -> None:
        self.masks: dict[int, IndexMask] = {}

    def get(self, frame: int) -> IndexMask:
        return self.masks.get(frame, np.zeros(SHAPE, np.uint8))

    def set(self, frame: int, mask: IndexMask) -> None:
        self.masks[frame] = mask.copy()


class RowCore:
    """Follows the contract: carries the anchor's objects up to each one's next key frame, adding a column per frame."""

    engine = "rows"
    device = "none"
    settings: Mapping[str, str | int | float] = {}

    def __init__(self, masks: MemoryMasks) -> None:
        self.masks = masks
        self.keys: dict[int, KeyFrame] = {}
        self.requests: list[PropagationRequest] = []
        self.synced: list[dict[int, set[int]]] = []

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        assert [key.frame for key in key_frames] == sorted({key.frame for key in key_frames})
        self.keys = {key.frame: key for key in key_frames}
        self.synced.append({key.frame: set(key.object_ids) for key in key_frames})

    def plan(self, request: PropagationRequest) -> int:
        return sum(1 for _ in self._visits(request))

    def _visits(self, request: PropagationRequest) -> Generator[tuple[int, set[int]], None, None]:
        assert request.last is not None
        step = 1 if request.direction == "forward" else -1
        active = set(self.keys[request.anchor].object_ids)
        for frame in range(request.anchor + step, (request.last if step > 0 else request.first) + step, step):
            if frame in self.keys:
                active -= self.keys[frame].object_ids
            if not active:
                return
            yield frame, set(active)

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        self.requests.append(request)
        anchor = self.keys[request.anchor].mask
        for done, (frame, active) in enumerate(self._visits(request), 1):
            token.check()
            mask = self.masks.get(frame).copy()
            for object_id in active:
                width = int((anchor == object_id).sum())
                mask[mask == object_id] = 0
                mask[object_id, : width + (1 if width else 0)] = object_id
            yield FrameResult(frame, mask, done, self.plan(request))

    def memory(self) -> MemoryReport:
        return MemoryReport(len(self.keys), 0, 0)

    def close(self) -> None:
        self.keys.clear()


class Case:
    """One run over `num_frames` frames."""

    def __init__(self, annotations: dict[int, IndexMask], num_frames: int, *, is_partial: bool = False) -> None:
        self.masks = MemoryMasks()
        self.core = RowCore(self.masks)
        present = {frame: object_ids(mask) for frame, mask in annotations.items()}
        stops = plan_stops(present, range(num_frames), is_partial=is_partial)
        self.job = HeadlessRun(self.core, stops, annotations, self.masks, is_partial=is_partial)

    def run(self) -> list[int]:
        return list(self.job.run(CancelToken()))


def test_first_frame_only() -> None:
    case = Case({0: rows(o1=3)}, 4)
    assert case.run() == [1, 2, 3]
    assert case.job.total == 3
    assert case.job.finished == {0, 1, 2, 3}
    assert np.array_equal(case.masks.get(0), rows(o1=3))
    assert all(np.array_equal(case.masks.get(frame), rows(o1=4)) for frame in (1, 2, 3))


def test_later_object_is_not_carried_back() -> None:
    annotations = {0: rows(o1=3), 4: rows(o1=3, o2=2)}
    case = Case(annotations, 8)
    case.run()
    assert [object_ids(case.masks.get(frame)) for frame in range(8)] == [{1}] * 4 + [{1, 2}] * 4
    assert np.array_equal(case.masks.get(4), annotations[4])
    # On the way back frame 4 fixes object 1 alone.
    assert case.core.synced == [{0: {1}}, {0: {1}, 4: {1}}, {0: {1}, 4: {1, 2}}]


def test_baseline_is_what_was_predicted_there() -> None:
    case = Case({0: rows(o1=3), 4: rows(o1=1)}, 6)
    keys: list[KeyFrame] = []
    original = case.core.sync

    def sync(key_frames: Sequence[KeyFrame]) -> None:
        keys.extend(key_frames)
        original(key_frames)

    case.core.sync = sync  # type: ignore[method-assign]
    case.run()
    baselines = {key.frame: key.baseline for key in keys}
    assert baselines[0] is None
    assert baselines[4] is not None
    assert np.array_equal(baselines[4], rows(o1=4))


def test_absent_object_is_fixed_as_absent() -> None:
    case = Case({0: rows(o1=3, o2=3), 3: rows(o1=3)}, 6)
    case.run()
    assert np.array_equal(case.masks.get(3), rows(o1=3))
    assert case.core.keys[3].object_ids == {1, 2}
    assert object_ids(case.masks.get(5)) == {1}


def test_partial_frame_keeps_the_prediction_of_others_beneath_it() -> None:
    annotation = rows(o2=4)
    annotation[1, :2] = 2  # over object 1
    annotation[5, 0] = IGNORE
    case = Case({0: rows(o1=3), 3: annotation}, 6, is_partial=True)
    case.run()
    expected = rows(o1=4, o2=4)
    expected[1, :2] = 2
    expected[5, 0] = IGNORE
    assert np.array_equal(case.masks.get(3), expected)
    assert case.core.keys[3].object_ids == {2}
    assert [object_ids(case.masks.get(frame)) for frame in range(6)] == [{1}] * 3 + [{1, 2}] * 3


def test_partial_annotation_wins_when_another_object_passes_later() -> None:
    annotation = rows(o2=4)
    annotation[1, :3] = 2
    case = Case({0: rows(o1=2), 3: annotation, 6: rows(o1=5)}, 8, is_partial=True)
    case.run()
    shown = case.masks.get(3)
    assert (shown[annotation != 0] == annotation[annotation != 0]).all()
    assert (shown[1, 3:6] == 1).all()


def test_annotated_frames_come_out_unchanged() -> None:
    rng = np.random.default_rng(0)
    annotations = {frame: rng.integers(0, 5, SHAPE).astype(np.uint8) for frame in (0, 1, 4, 9)}
    annotations[4][0, 0] = IGNORE
    case = Case(annotations, 10)
    case.run()
    for frame, mask in annotations.items():
        assert np.array_equal(case.masks.get(frame), mask)


def test_every_frame_annotated_needs_no_engine() -> None:
    case = Case({frame: rows(o1=2) for frame in range(4)}, 4)
    assert case.run() == []
    assert case.core.requests == []
    assert case.job.finished == {0, 1, 2, 3}


def test_total_is_what_the_core_makes() -> None:
    case = Case({2: rows(o1=3), 6: rows(o1=3, o2=2), 7: rows(o2=2)}, 12)
    assert case.run()[-1] == case.job.total


def test_cancel_keeps_what_is_finished() -> None:
    case = Case({0: rows(o1=3)}, 9)
    token = CancelToken()
    with pytest.raises(Cancelled):
        for done in case.job.run(token):
            if done == 3:
                token.cancel()
    assert case.job.finished == {0, 1, 2, 3}
    assert sorted(case.masks.masks) == [0, 1, 2, 3]


def test_what_no_later_stop_visits_is_not_kept() -> None:
    case = Case({0: rows(o1=3), 4: rows(o1=3)}, 8)
    case.run()
    assert [(r.anchor, r.direction, r.visited_again) for r in case.core.requests] == [
        (0, "forward", range(1, 8)), (4, "backward", range(0)), (4, "forward", range(0)),
    ]  # fmt: skip


def test_notices_of_the_engine_are_told_with_their_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case({0: rows(o1=3)}, 4)
    plain = case.core.propagate

    def short_of_memory(request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        for result in plain(request, token):
            yield dataclasses.replace(result, notice="The memory ran out." if result.frame == 2 else "")

    monkeypatch.setattr(case.core, "propagate", short_of_memory)
    told: list[str] = []
    case.job.tell = told.append
    case.run()
    assert told == ["Frame 2: The memory ran out."]
