"""Where objects can be on a frame, and that decoding there alone finds what decoding everything finds."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import NewestFuser
from inference_core.look import match_gaps, memory_blocks, with_cover
from inference_core.policy import CompatPolicy
from inference_core.propagators import light
from inference_core.regions import CELL, find_regions, grouped, is_touched
from model import zoo
from model.attention import l2_similarity
from model.window import Window
from tests.inference_core.engines import FLOAT32
from tests.inference_core.fakes import ArrayFrames
from util.types import Rect, Size

GRID = Size(6, 8)
NOWHERE = torch.full((1, *GRID), torch.inf)


def plane(*rects: Rect, value: float = 1.0) -> Tensor:
    """[1, H, W] with an object on these cells."""
    found = torch.zeros(1, GRID.height * CELL, GRID.width * CELL)
    for rect in rects:
        Window(rect, GRID).finer(CELL).cut(found)[:] = value
    return found


def window(*rect: int) -> Window:
    return Window(Rect(*rect), GRID)


def test_a_region_is_where_the_object_was_and_one_cell_around() -> None:
    assert find_regions(plane(Rect(2, 2, 4, 3)), NOWHERE) == [window(1, 1, 5, 4)]


def test_unlikely_pixels_count_once_the_object_is_there() -> None:
    faint = torch.maximum(plane(Rect(2, 2, 3, 3)), plane(Rect(6, 4, 7, 5), value=0.2))
    assert find_regions(faint, NOWHERE) == [window(1, 1, 8, 6)]


def test_a_region_reaches_what_looks_like_the_object() -> None:
    gaps = NOWHERE.clone()
    gaps[0, 5, 7], gaps[0, 0, 0] = 0.1, 0.5
    assert find_regions(plane(Rect(2, 2, 4, 3)), gaps) == [window(1, 1, 8, 6)]


def test_blocks_of_two_cells_are_told_from_blocks_of_one() -> None:
    gaps = torch.full((1, 3, 4), torch.inf)
    gaps[0, 2, 3] = 0
    assert find_regions(plane(Rect(5, 3, 6, 4)), gaps) == [window(4, 2, 8, 6)]


def test_an_object_that_is_gone_is_looked_for_everywhere() -> None:
    assert find_regions(plane(value=0.4), NOWHERE) == [Window.whole(GRID)]


def test_neighbours_are_decoded_together_and_distant_objects_apart() -> None:
    near = [window(0, 0, 3, 3), window(1, 0, 4, 3)]
    assert grouped(near) == [(window(0, 0, 4, 3), [0, 1])]
    far = [window(0, 0, 1, 1), window(7, 5, 8, 6), window(0, 0, 2, 1)]
    assert sorted(members for _, members in grouped(far)) == [[0, 2], [1]]


@pytest.mark.parametrize(("rect", "touches"), [((1, 1, 4, 4), True), ((0, 0, 8, 6), False), ((0, 1, 4, 4), True)])
def test_an_object_on_the_side_of_its_region_is_noticed(rect: tuple[int, ...], touches: bool) -> None:
    region = window(*rect)
    probs = torch.zeros(1, *(CELL * side for side in region.shape))
    assert not is_touched(probs, region)
    probs[0, 0, 20] = 0.9
    assert is_touched(probs, region) is touches


def test_at_the_border_of_the_frame_nothing_is_touched() -> None:
    region = window(0, 0, 4, 4)
    probs = torch.zeros(1, 64, 64)
    probs[0, 0], probs[0, :, 0] = 1, 1
    probs[0, 0, -1] = probs[0, -1, 0] = 0
    assert not is_touched(probs, region)
    probs[0, -1, 5] = 1
    assert is_touched(probs, region)


def test_gaps_are_none_where_the_best_match_shows_the_object() -> None:
    """Two frames in memory; the object has a look of its own and covers the left half of the second one."""
    grid, channels = Size(4, 6), 3
    keys = torch.zeros(channels, 2, *grid)
    keys[0], keys[1, 1, :, :3] = 1, 4
    value = torch.zeros(2, 5, *grid)
    masks = torch.zeros(2, grid.height * CELL, grid.width * CELL)
    masks[0, :, : 3 * CELL - 1] = 1
    stored = with_cover(value, masks)
    cover = torch.cat([torch.zeros(2, 1, *grid), stored[:, -1:]], 1).flatten(1)
    query = keys[:, 1].roll(2, 2)
    memory = l2_similarity(keys.flatten(1), query.flatten(1)).memory
    found = match_gaps(memory_blocks(memory, grid), query, cover, l2_similarity)
    assert found.shape == (2, 2, 3)
    assert found[0, 0].tolist() == pytest.approx([found[0, 0, 0].item(), 0, found[0, 0, 2].item()])
    assert found[0, 0, 0] > 1
    assert torch.isinf(found[1]).all()


class Clip:
    """Squares, each with its own stripes, on a smooth ground; `places[t]` are their (x, y, side)."""

    def __init__(self, places: list[list[tuple[int, int, int] | None]]) -> None:
        size = Size(192, 288)
        rows, columns = np.mgrid[: size.height, : size.width]
        ground = np.stack([90 + columns // 4, 60 + rows // 3, 120 + 0 * rows], 2).astype(np.uint8)
        frames, masks = [], []
        for squares in places:
            frame, mask = ground.copy(), np.zeros(size, np.uint8)
            for number, square in enumerate(squares, 1):
                if square is None:
                    continue
                x, y, side = square
                frame[y : y + side, x : x + side] = (220 - 90 * number, 40, 90 * number)
                frame[y : y + side : 6, x : x + side] = 255
                mask[y : y + side, x : x + side] = number
            frames.append(frame)
            masks.append(mask)
        self.frames, self.masks = ArrayFrames(np.stack(frames)), masks

    def carried(self, *, is_plain: bool) -> tuple[list[np.ndarray], list[int]]:
        """Masks of the frames after the first, and the pixels decoded on each."""
        setup = EngineSetup(self.frames.size, zoo.resolve("light"), FLOAT32)
        engine = light.build(replace(setup, is_plain=is_plain))
        decode, areas = engine._network.decode, [0]

        def counted(read: Tensor, features: object, masks: Tensor, rest: Tensor, where: Window) -> Tensor:
            areas[-1] += where.shape.height * where.shape.width * len(read)
            return decode(read, features, masks, rest, where)  # type: ignore[arg-type]

        engine._network.decode = counted  # type: ignore[method-assign,assignment]
        nothing = np.zeros(self.frames.size, np.uint8)
        policy = CompatPolicy.product()
        core = InferenceCore(self.frames, engine, NewestFuser(), lambda _: nothing, policy=policy)
        first = self.masks[0]
        core.sync([KeyFrame(0, first, frozenset(range(1, int(first.max()) + 1)))])
        found = []
        for result in core.propagate(PropagationRequest(0, "forward")):
            found.append(result.mask)
            areas.append(0)
        return found, areas[:-1]


def iou(one: np.ndarray, other: np.ndarray, number: int) -> float:
    a, b = one == number, other == number
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


STEADY = [[(40 + 3 * t, 50, 44), (200 - 3 * t, 120, 40)] for t in range(5)]
JUMPING: list[list[tuple[int, int, int] | None]] = [
    [(20, 20, 48)], [(22, 20, 48)], [(230, 130, 48)], [(228, 130, 48)],
]  # fmt: skip
RETURNING: list[list[tuple[int, int, int] | None]] = [
    [(20, 20, 48)], [None], [None], [(200, 120, 48)], [(202, 120, 48)],
]  # fmt: skip


@pytest.mark.weights
@pytest.mark.parametrize("places", [STEADY, JUMPING, RETURNING], ids=["steady", "jumping", "returning"])
def test_regions_change_no_mask(places: list[list[tuple[int, int, int] | None]]) -> None:
    clip = Clip(places)
    (fast, areas), (plain, all_areas) = clip.carried(is_plain=False), clip.carried(is_plain=True)
    objects = len(places[0])
    for one, other in zip(fast, plain, strict=True):
        assert min(iou(one, other, number) for number in range(1, objects + 1)) >= 0.995
    assert iou(plain[-1], clip.masks[-1], 1) > 0.8, "the clip shows nothing if the network does not follow it"
    assert min(areas) < 0.5 * all_areas[0]
