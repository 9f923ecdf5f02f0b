"""What the published window makes of prompts, against recorded results; and the places the recordings do not reach."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from inference_core.geometry import Geometry
from inference_core.mivos_interactions import (
    LocalRegion,
    after_click,
    after_edit,
    after_scribble,
    draw_free_hand,
    scribble_map,
)
from model.scribble_net import IMAGE_MEAN, IMAGE_STD
from tests.golden_inputs import boxes, golden_input
from tests.golden_weights import Golden, golden_cases, require_golden
from util.mivos_overlay import Style, mivos_overlay
from util.types import Rect, Size

Points = list[tuple[float, float]]
CPU = torch.device("cpu")


class Recorded:
    """One case with its inputs rebuilt from what the meta says of them."""

    def __init__(self, golden: Golden | Path) -> None:
        self.golden = require_golden(golden)
        self.meta = self.golden.meta
        self.frame = self.golden.arrays["frames"][0]
        self.size = Size(*self.frame.shape[:2])
        self.geometry = Geometry.padded(self.size, None)
        assert list(self.geometry.pad) == self.meta["pad"]
        self.points: Points = [tuple(point) for point in self.meta["free_points_xy"]]

    def planes(self, name: str) -> Tensor:
        """[K, Hp, Wp]"""
        return torch.from_numpy(golden_input(self.meta[name]))[:, 0]

    def region(self, name: str) -> LocalRegion:
        left, right, top, bottom = self.meta[name]  # all of them inside
        return LocalRegion(self.geometry, Rect(left, top, right + 1, bottom + 1))

    def check(self, name: str, actual: Tensor, step: int = 2) -> None:
        self.golden.check(name, actual[..., ::step, ::step])


@pytest.fixture(scope="module", params=golden_cases("GUI interactions"))
def case(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


@pytest.mark.golden
def test_golden_local_region(case: Recorded) -> None:
    region, planes = case.region("box_lx_ux_ly_uy"), case.planes("prev")
    assert list(region.geometry.pad) == case.meta["local_pad"]
    case.check("cropper_out_mask", after_edit(region.cut(planes)))
    image = case.geometry.image_to_working(case.frame, IMAGE_MEAN, IMAGE_STD, CPU)
    case.check("cropper_im", region.cut(image[0])[None], 4)
    case.check("local_out_mask", after_edit(region.paste(planes, case.planes("region_prob"))))
    small = case.region("box_small")
    case.check("local_small_out_prob", small.paste(planes, case.planes("region_prob_small")))


@pytest.mark.golden
def test_golden_free_hand(case: Recorded) -> None:
    dx, dy, object_id = re.fullmatch(
        r"reversed points \+\((\d+),(\d+)\), object (\d+).*", case.meta["free_second_path"]
    ).groups()  # type: ignore[union-attr]
    second = [(x + int(dx), y + int(dy)) for x, y in case.points[::-1]]
    before, width = case.planes("prev"), case.meta["brush"]
    once = draw_free_hand(before, case.points, 0, width, case.geometry)
    slot = int(object_id) - 1 if int(object_id) else None
    twice = draw_free_hand(once, second, slot, width, case.geometry)
    drawn = case.geometry.to_native(twice) != case.geometry.to_native(before)
    assert np.array_equal(drawn.numpy().astype(np.uint8), case.golden.arrays["free_drawn"])
    case.check("free_out_mask", after_edit(twice))
    case.check("free_undo_out_mask", after_edit(once))


@pytest.mark.golden
def test_golden_scribble(case: Recorded) -> None:
    (shift,) = re.findall(r"\(y\+(\d+), x\)", case.meta["steps"])
    background = [(y + int(shift), x) for x, y in case.points]
    drawn = scribble_map([(case.points, 1), (background, 0)], case.size)
    assert np.array_equal(drawn, case.golden.arrays["scribble_map"])
    case.check("scribble_out_mask", after_scribble(case.planes("controller_prob")))


@pytest.mark.golden
def test_golden_click(case: Recorded) -> None:
    expression, threshold = case.meta["click_obj_mask"].split(">")
    region = torch.from_numpy(golden_input(expression))[0, 0] > float(threshold)
    case.check("click_out_mask", after_click(case.planes("prev"), case.meta["click_obj"] - 1, region))


@pytest.mark.golden
@pytest.mark.parametrize("style", ["davis", "light", "fade"])
def test_golden_overlay(case: Recorded, style: Style) -> None:
    """The recording shows the rule's boxes, one for each object."""
    mask = boxes(1, *case.size, len(case.planes("prev")))[0]
    drawn = mivos_overlay(case.frame, mask, style)
    assert np.array_equal(drawn[::2, ::2], case.golden.arrays[f"overlay_{style}"])


def test_region_returns_what_was_cut_out_of_it() -> None:
    """Odd sizes, and a region at the border: nothing outside it changes, and its own planes come back unchanged."""
    frame = Geometry.padded(Size(21, 35), None)
    planes = F.pad(torch.rand(3, 21, 35, generator=torch.Generator().manual_seed(0)), frame.pad)
    region = LocalRegion(frame, Rect(20, 0, 35, 13))
    local = region.cut(planes)
    assert local.shape == (3, 16, 16)
    assert torch.equal(region.paste(planes, local), planes)
    changed = (region.paste(planes, local + 1) != planes).any(0)
    rows, columns = torch.nonzero(frame.to_native(changed[None].float())[0]).unbind(1)
    assert (int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())) == (3, 9, 23, 31)


def test_free_hand_takes_its_pixels_from_every_other_object() -> None:
    frame = Geometry.padded(Size(16, 16), None)
    planes = torch.full((2, 16, 16), 0.5)
    drawn = draw_free_hand(planes, [(2, 8), (13, 8)], 1, 1, frame)
    assert drawn[:, 8, 5].tolist() == [0, 1]
    assert torch.equal(planes, torch.full((2, 16, 16), 0.5))
    erased = draw_free_hand(drawn, [(2, 8), (13, 8)], None, 1, frame)
    assert erased[:, 8, 5].tolist() == [0, 0]
