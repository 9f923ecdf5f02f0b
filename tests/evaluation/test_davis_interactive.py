"""Scribbles of the robot as pixels, and when the protocol refines a mask and when it carries it through the video."""
from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.davis_interactive import Answer, DavisProcessor, ScribblePath, hints, rasterise
from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from util.types import IndexMask, Size

FRAMES, SIZE, PADDED, PAD = 4, Size(5, 7), Size(16, 16), (4, 5, 5, 6)


def path(object_id: int, *points: tuple[float, float]) -> ScribblePath:
    return ScribblePath(points, object_id)


def pixels(labels: NDArray[np.int16], object_id: int) -> list[tuple[int, int]]:
    """(x, y) of one object."""
    return [(int(x), int(y)) for y, x in np.argwhere(labels == object_id)]


@pytest.mark.parametrize(
    ("start", "end", "drawn"),
    [
        ((0, 0), (4, 2), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)]),
        ((4, 2), (0, 0), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2)]),
        ((1, 0), (3, 4), [(1, 0), (2, 1), (2, 2), (3, 3), (3, 4)]),
        ((2, 3), (2, 3), [(2, 3)]),
        ((0, 4), (2, 2), [(0, 4), (1, 3), (2, 2)]),
    ],
)
def test_lines(start: tuple[int, int], end: tuple[int, int], drawn: list[tuple[int, int]]) -> None:
    shares = [((x + 0.5) / 4, (y + 0.5) / 4) for x, y in (start, end)]  # of sides of 5 pixels; rounded down
    assert sorted(pixels(rasterise([path(1, *shares)], Size(5, 5)), 1)) == drawn


def test_lines_keep_their_corners_and_the_latest_wins() -> None:
    labels = rasterise([path(1, (0, 0), (1, 0), (1, 1)), path(0, (0, 0), (0, 1)), path(2, (0.5, 0.5))], Size(3, 3))
    assert labels.tolist() == [[0, 1, 1], [0, 2, 1], [0, -1, 1]]


def test_hints_are_a_pixel_wider_and_everything_else_is_outside() -> None:
    labels = rasterise([path(1, (0, 0)), path(0, (1, 1))], Size(5, 5))
    inside, outside = hints(labels, 2)
    assert np.argwhere(inside[0]).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert np.argwhere(outside[0]).tolist() == [[3, 3], [3, 4], [4, 3], [4, 4]]
    assert not inside[1].any()
    assert np.argwhere(outside[1]).tolist() == np.argwhere(inside[0] | outside[0]).tolist()


class FakeCore:
    """Carries a mask one frame on, and notes what it was given."""

    def __init__(self) -> None:
        self.committed: list[tuple[KeyFrame, NDArray[np.float32]]] = []

    def commit_frame(self, key_frame: KeyFrame, soft: NDArray[np.float32]) -> None:
        self.committed.append((key_frame, soft))

    def propagate(self, request: PropagationRequest) -> Generator[FrameResult, None, None]:
        yield FrameResult(request.anchor + 1, self.committed[-1][0].mask, 1, 1)


class FakeSegmenter:
    """Answers with the pixels inside each object's prompts, and notes the masks it was shown."""

    def __init__(self) -> None:
        self.shown: list[IndexMask] = []

    def segment_all(
        self, image: object, previous: IndexMask, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        self.shown.append(previous.copy())
        return np.concatenate([np.full((1, *previous.shape), 0.5), inside]).astype(np.float32)


class Scene:
    def __init__(self) -> None:
        self.core, self.segmenter = FakeCore(), FakeSegmenter()
        self.masks = np.zeros((FRAMES, *PADDED), np.uint8)
        frames = [np.zeros((*SIZE, 3), np.uint8)] * FRAMES
        self.processor = DavisProcessor(self.core, self.segmenter, frames, self.masks, 2, PAD)

    def interact(self, frame: int, object_id: int = 1) -> Answer:
        return self.processor.interact(frame, [path(object_id, (0.4, 0.4))])  # pixel (6, 6), at (2, 1) of the result


def test_schedule() -> None:
    """Three rounds, three and two: the last of each is carried, then the robot chooses; later rounds only refine."""
    scene = Scene()
    told = [scene.interact(1).next_frames for _ in range(10)]
    assert told == [(1,), (1,), None, (1,), (1,), None, (1,), None, (1,), (1,)]
    assert [key.frame for key, _ in scene.core.committed] == [1, 1, 1]


def test_refining_shows_a_mask_that_the_engine_does_not_know() -> None:
    scene = Scene()
    answer = scene.interact(1)
    assert answer.masks.shape == (FRAMES, *SIZE)
    assert answer.masks[1, 1, 2] == 1 and not answer.masks[[0, 2, 3]].any()
    assert not scene.masks.any()
    scene.interact(1, object_id=2)
    assert scene.segmenter.shown[1][6, 6] == 1


def test_carrying_replaces_every_mask_by_what_the_engine_knows() -> None:
    """A frame that was refined but not carried falls back, as in the published program."""
    scene = Scene()
    scene.interact(3)
    scene.interact(3)
    answer = scene.interact(0)
    assert answer.masks[0, 1, 2] == answer.masks[1, 1, 2] == 1
    assert not answer.masks[3].any()
    key, soft = scene.core.committed[0]
    assert key.object_ids == {1, 2} and soft.shape == (3, *PADDED)
    assert np.array_equal(scene.masks[0], key.mask)
