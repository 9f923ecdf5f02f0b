"""How sure the engine was: kept with the masks' source, through undo, redo, hand work, closing and damage."""
from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from inference_core.api import Direction, FrameResult, PropagationRequest
from inference_core.confidence import ObjectMeasure
from interact.frame_confidence import is_suspect
from interact.session import VideoSession
from storage.confidence_file import NAME, Noted, Origin, confidence_text, read_confidence
from tests.interact.scene import NUM_FRAMES, SIZE, Driver, ShiftCore
from util.errors import AppError
from util.jobs import CancelToken, Outcome, run_inline


class MeasuringCore(ShiftCore):
    """Less sure by a tenth per frame from the anchor."""

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        anchor = next(key for key in self.synced if key.frame == request.anchor)
        for result in super().propagate(request, token):
            value = max(0.0, 1 - abs(result.frame - request.anchor) / 10)
            measures = {i: ObjectMeasure(value, 1.0) for i in anchor.object_ids}
            yield FrameResult(result.frame, result.mask, result.done, result.total, measures)


def propagate(session: VideoSession, frame: int, direction: Direction = "forward", **faults: int) -> Outcome:
    session.seek(frame)
    core = MeasuringCore(session.masks.get, **faults)
    return run_inline(session.propagate_job(lambda: core, direction))


def marked(driver: Driver) -> VideoSession:
    mask = np.zeros(SIZE, np.uint8)
    mask[4:10, 4:10] = 1
    driver.session.import_masks({0: mask})
    return driver.session


@pytest.fixture
def session(tmp_path: Path) -> Generator[VideoSession, None, None]:
    driver = Driver(tmp_path)
    yield marked(driver)
    driver.session.close()


def known(session: VideoSession) -> list[int]:
    return np.flatnonzero(~np.isnan(session.confidence.values(1))).tolist()


def test_values_come_and_go_with_their_masks(session: VideoSession) -> None:
    assert known(session) == []
    assert propagate(session, 0).error is None
    assert known(session) == list(range(1, NUM_FRAMES))
    values = session.confidence.values(1)
    assert values[3] == pytest.approx(0.7) and session.confidence.on(3, 1) == pytest.approx(values[3])
    assert session.confidence.on(0, 1) is None, "a frame by hand"
    assert is_suspect(values).tolist() == [False] * 5 + [True] * (NUM_FRAMES - 5)
    session.undo()
    assert known(session) == []
    session.redo()
    assert known(session) == list(range(1, NUM_FRAMES))
    session.seek(5)
    session.clear_frame()
    assert known(session) == [frame for frame in range(1, NUM_FRAMES) if frame != 5]


def test_while_it_runs_and_when_it_fails(session: VideoSession) -> None:
    seen: list[int] = []
    session.confidence.changed.connect(lambda: seen.append(len(known(session))))
    outcome = propagate(session, 0, fail_at=4)
    assert outcome.error is not None
    assert seen == [1, 2, 3, 0] and known(session) == []


def test_closing_and_opening_again(tmp_path: Path) -> None:
    driver = Driver(tmp_path)
    session = marked(driver)
    propagate(session, 0)
    before = session.confidence.values(1)
    session.close()
    again = Driver(tmp_path).session
    np.testing.assert_allclose(again.confidence.values(1), before, atol=1e-3)
    again.undo()
    assert known(again) == []
    again.close()
    (tmp_path / "workspace" / NAME).write_text("{")
    damaged = Driver(tmp_path).session
    assert NAME in damaged.workspace.notice and known(damaged) == []
    damaged.close()


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / NAME
    assert read_confidence(path, 5) == []
    note = Noted(7, Origin("2026-11-21T07:00:00Z", "propagate 3 frames", 0), 2, np.float32([0.25, np.nan, 1]))
    path.write_text(confidence_text([note]))
    (back,) = read_confidence(path, 5)
    assert back[:3] == note[:3]
    np.testing.assert_array_equal(back.values, note.values)
    with pytest.raises(AppError, match="reaches beyond 4 frames"):
        read_confidence(path, 4)
    path.write_text(path.read_text().replace("250", "2500"))
    with pytest.raises(AppError, match=r"notes\[0\]\.values"):
        read_confidence(path, 5)


def test_values_by_other_rules_are_not_taken_for_predicted_quality(tmp_path: Path) -> None:
    path = tmp_path / NAME
    note = Noted(7, Origin("2026-11-21T07:00:00Z", "propagate 3 frames", 0), 2, np.float32([0.25, 1]))
    now = confidence_text([note])
    path.write_text(now.replace('"version": 2', '"version": 1'))
    assert path.read_text() != now and read_confidence(path, 5) == []
    path.write_text(now.replace('"version": 2', '"version": 3'))
    with pytest.raises(AppError, match="must be 2"):
        read_confidence(path, 5)
