"""Scene cuts: found between unlike frames, not in motion or changing light; a propagation ends there."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from interact.scene_cuts import CutFinder
from tests.interact.scene import NUM_FRAMES, Driver
from util.jobs import CancelToken
from util.types import ImageU8


def textured(seed: int, tint: tuple[int, int, int]) -> ImageU8:
    """A picture of coloured blobs."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 40, (9, 16, 3)) + np.array(tint)
    return np.clip(np.kron(coarse, np.ones((20, 20, 1))), 0, 255).astype(np.uint8)


def cuts(frames: list[ImageU8]) -> list[int]:
    finder = CutFinder()
    return [number for number, frame in enumerate(frames) if finder.is_cut(frame)]


def test_a_cut_is_found_once() -> None:
    one, other = textured(1, (200, 60, 60)), textured(2, (40, 90, 180))
    assert cuts([one] * 4 + [other] * 4 + [one] * 2) == [4, 8]


def test_motion_light_and_stillness_are_no_cuts() -> None:
    image = textured(3, (120, 120, 90))
    moving = [np.roll(image, 25 * step, axis=1) for step in range(8)]
    fading = [np.clip(image * (1 - 0.06 * step), 0, 255).astype(np.uint8) for step in range(10)]
    assert cuts(moving) == cuts(fading) == cuts([image] * 5) == cuts([image]) == []


def test_wild_motion_needs_more_than_usual() -> None:
    """Every frame of a whip pan looks different; that is its usual."""
    frames = [textured(seed, (90 + 8 * seed, 120, 160 - 8 * seed)) for seed in range(8)]
    assert len(cuts(frames)) <= 1


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def cut_at(hand: Driver, monkeypatch: pytest.MonkeyPatch, *firsts: int) -> None:
    """Let the video cut to another scene before these frames."""
    scenes = [textured(n, (200 - 90 * n % 200, 40 + 60 * n % 200, 60 * n)) for n in range(len(firsts) + 1)]

    def get(frame: int) -> ImageU8:
        return scenes[sum(frame >= first for first in firsts)]

    monkeypatch.setattr(hand.session.frames, "get", get)


def test_a_propagation_ends_at_the_cuts_on_both_sides(hand: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    session, said = hand.session, []
    session.message.connect(said.append)
    session.seek(5)
    hand.click(10, 10)
    cut_at(hand, monkeypatch, 3, 8)
    hand.propagate("both")
    assert [frame for frame in range(NUM_FRAMES) if session.masks.get(frame).any()] == [3, 4, 5, 6, 7]
    assert "between frames 7 and 8" in said[-1] and "between frames 2 and 3" in said[-1]
    assert session.undo() == "propagate 4 frames"
    session.stops_at_cuts = False
    hand.propagate("both")
    assert all(session.masks.get(frame).any() for frame in range(NUM_FRAMES))


def test_a_cut_beside_the_key_frame_leaves_nothing_to_do(hand: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    session, said = hand.session, []
    session.message.connect(said.append)
    hand.click(10, 10)
    cut_at(hand, monkeypatch, 1)
    hand.propagate("forward")
    assert said[-1].startswith("Nothing was propagated.") and "between frames 0 and 1" in said[-1]
    assert session.history.undo_label == "click on object 1"


def test_what_is_left_is_counted_anew(hand: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    session = hand.session
    session.seek(5)
    hand.click(10, 10)
    cut_at(hand, monkeypatch, 8)
    seen: list[tuple[int, int]] = []
    job = session.propagate_job(lambda: hand.core, "both")
    for result in job.run(CancelToken()):
        seen.append((result.done, result.total))
    assert seen[:2] == [(1, 11), (2, 11)] and seen[-1] == (7, 7)
