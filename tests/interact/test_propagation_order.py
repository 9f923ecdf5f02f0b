"""Which objects a propagation carries, and how many frames it will visit."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inference_core.pass_planner import plan_passes
from tests.interact.scene import NUM_FRAMES, SIZE, Driver
from util.errors import AppError


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def two_objects(hand: Driver, frame: int) -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[2:6, 2:6], mask[10:14, 10:14] = 1, 2
    hand.session.import_masks({frame: mask})
    hand.session.seek(frame)


def test_the_selected_object_alone_is_carried(hand: Driver) -> None:
    session = hand.session
    two_objects(hand, 4)
    session.select_object(2)
    session.carries_selected_only = True
    hand.propagate("both")
    found = {frame: set(np.unique(session.masks.get(frame)).tolist()) - {0} for frame in range(NUM_FRAMES)}
    assert found == {frame: {1, 2} if frame == 4 else {2} for frame in range(NUM_FRAMES)}
    session.carries_selected_only = False
    hand.propagate("forward")
    assert all(set(np.unique(session.masks.get(frame))) == {0, 1, 2} for frame in range(4, NUM_FRAMES))


def test_a_selected_object_that_is_not_here_is_told(hand: Driver) -> None:
    two_objects(hand, 4)
    hand.session.add_object("dog")
    hand.session.carries_selected_only = True
    with pytest.raises(AppError, match="dog is not marked on this frame"):
        hand.propagate()
    assert hand.session.reach("both") == 0


def test_reach_counts_up_to_key_frames_locks_and_marks(hand: Driver) -> None:
    session = hand.session
    assert session.reach("both") == 0
    two_objects(hand, 4)
    assert [session.reach(way) for way in ("forward", "backward", "both")] == [7, 4, 11]
    two_objects(hand, 9)
    session.seek(4)
    assert session.reach("forward") == 4
    session.in_out.set_first(2)
    assert session.reach("both") == 6
    session.in_out.set_first(5)
    assert session.reach("both") == 0
    session.in_out.clear()
    fixed = {frame: set(ids) for frame, ids in session.key_frames.items()}
    passes = plan_passes(4, "both", 0, NUM_FRAMES - 1, fixed, {1, 2})
    assert session.reach("both") == sum(len(one.frames) for one in passes) == 8
