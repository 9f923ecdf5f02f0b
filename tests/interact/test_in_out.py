"""In and out marks bound propagation; what lies outside them stays as it is."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from interact.in_out import InOut
from tests.interact.scene import NUM_FRAMES, Driver
from util.errors import AppError


def test_marks() -> None:
    marks, heard = InOut(10), []
    marks.changed.connect(lambda: heard.append(marks.frames))
    assert marks.frames == range(10) and not marks.is_set
    marks.set_first(3)
    marks.set_last(6)
    assert marks.frames == range(3, 7) and marks.is_set
    marks.set_first(8)
    assert marks.frames == range(8, 10), "an out mark before the in mark is forgotten"
    marks.set_last(2)
    assert marks.frames == range(0, 3)
    marks.set_last(2)
    marks.clear()
    assert heard == [range(3, 10), range(3, 7), range(8, 10), range(3), range(10)]


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def test_propagation_keeps_to_the_marks(hand: Driver) -> None:
    session = hand.session
    session.seek(5)
    hand.click(10, 10)
    session.in_out.set_first(3)
    session.in_out.set_last(7)
    hand.propagate("both")
    with_masks = [frame for frame in range(NUM_FRAMES) if session.masks.get(frame).any()]
    assert with_masks == [3, 4, 5, 6, 7]
    session.in_out.clear()
    hand.propagate("forward")
    assert session.masks.get(NUM_FRAMES - 1).any() and not session.masks.get(0).any()


def test_a_start_outside_the_marks_is_refused(hand: Driver) -> None:
    hand.click(10, 10)
    hand.session.in_out.set_first(3)
    with pytest.raises(AppError, match="lies outside the marked part, frames 3 to 11"):
        hand.propagate()
