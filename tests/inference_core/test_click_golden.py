"""Clicks on a frame, click by click, against recordings of the published programs: zooming in, BRS, RITM."""
from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evaluation.click_robot import next_click
from inference_core.api import ImageClick
from inference_core.click.segmenter import ClicksSoFar, NetworkClickSegmenter
from inference_core.click.settings import ClickSettings, Mode, ZoomSettings
from inference_core.click.zoom import Region, View, choose_region, paste
from inference_core.device import ComputeDevice
from interact.prompts import Click
from model.click.parts import resize
from tests.click_goldens import golden_click_net
from tests.golden_weights import Golden, golden_cases, require_golden
from util.jobs import CancelToken
from util.types import Size

pytestmark = pytest.mark.golden

CPU = ComputeDevice(torch.device("cpu"), None)
MODES = sorted(get_args(Mode), key=len, reverse=True)


def run_clicks(golden: Golden, settings: ClickSettings, pad: tuple[int, int, int, int]) -> list[ClicksSoFar]:
    """The state after every click, (x, y, positive) of which the meta tells; `pad` is left, right, top, bottom."""
    segmenter = NetworkClickSegmenter("golden", [golden_click_net(golden)], settings, CPU)
    left, right, top, bottom = pad
    state = segmenter.start(np.pad(golden.arrays["frames"][0], ((top, bottom), (left, right), (0, 0))))
    states = []
    clicks = next(value for key, value in golden.meta.items() if key.startswith("clicks_x_y_positive"))
    for x, y, positive in clicks:
        state = segmenter.click(state, ImageClick(y + top, x + left, bool(positive)), CancelToken())
        states.append(state)
    return states


def check_states(golden: Golden, states: list[ClicksSoFar], *, is_optimised: bool) -> None:
    """Regions exactly, masks by the share of equal pixels, probabilities and solutions within the rule's tolerance."""
    for index, state in enumerate(states):
        golden.check_equal(f"roi_{index}", (-1,) * 4 if state.region is None else state.region)
        golden.check_labels(f"mask_{index}", state.prob > 0.5)
        golden.check(f"prob_{index}", torch.from_numpy(state.prob[::2, ::2].copy()), is_optimised=is_optimised)
        if is_optimised and f"opt_data_{index}" in golden.arrays:  # that of a whole image may be too large to record
            assert state.solution is not None
            solution = state.solution.reshape(golden.arrays[f"opt_data_{index}"].shape)
            golden.check(f"opt_data_{index}", torch.from_numpy(solution), is_optimised=True)


@pytest.mark.parametrize("golden", golden_cases(re.compile(r"FBRSController .*")))
def test_golden_fbrs_controller(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    mode = next(mode for mode in MODES if mode in golden.meta["system"])
    settings = ClickSettings.of_fbrs(mode, is_exact=True)
    settings = replace(settings, brs=replace(settings.brs, max_evaluations=golden.meta.get("maxfun", 20)))
    pad = tuple(golden.meta.get("pad_lwuw_lhuh", (0, 0, 0, 0)))
    check_states(golden, run_clicks(golden, settings, pad), is_optimised=mode != "NoBRS")


@pytest.mark.parametrize("golden", golden_cases(re.compile(r"FasterMiVOS FBRSController .*")))
def test_golden_ritm_controller(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    pad = tuple(golden.meta.get("pad_lwuw_lhuh", (0, 0, 0, 0)))
    check_states(golden, run_clicks(golden, ClickSettings.of_ritm(is_exact=True), pad), is_optimised=False)


def stream(name: str, seed: int) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()) ^ (seed * 0x9E3779B1 & 0xFFFFFFFF))


def zoom_settings(system: str) -> ZoomSettings:
    """The arguments as the name of the system lists them."""
    names = {"skip_clicks": "skip_clicks", "target_size": "side", "expansion_ratio": "expansion",
             "min_crop_size": "min_region", "recompute_thresh_iou": "keep_iou", "prob_thresh": "threshold"}
    given = re.findall(r"(\w+)=(-?[\d.]+)", system)
    return ZoomSettings(**{names[key]: float(value) if "." in value else int(value) for key, value in given})


def probabilities(call: dict[str, Any], index: int, seed: int, size: Size, *, zoomed: bool) -> torch.Tensor:
    values = stream(f"p{index}", seed).uniform(0, 0.3, (1, 1, *size)).astype(np.float32)
    rows, columns = slice(size.height // 4, size.height // 2 + 40), slice(size.width // 5, size.width // 2)
    if not zoomed:
        top, bottom, left, right = call["mask_box_rmin_rmax_cmin_cmax_exclusive"]
        rows, columns = slice(top, bottom), slice(left, right)
    values[..., rows, columns] += np.float32(0.6)
    return torch.from_numpy(values)


@pytest.mark.parametrize("golden", golden_cases(re.compile(r"f-BRS ZoomIn.*")))
def test_golden_fbrs_zoom(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    meta = golden.meta
    drawn = re.match(r"normal\('im',(\d+),", meta["image"])
    assert drawn is not None
    seed = int(drawn[1])
    settings, size = zoom_settings(meta["system"]), Size(meta["h"], meta["w"])
    image = torch.from_numpy(stream("im", seed).standard_normal((1, 3, *size)).astype(np.float32))
    region, prob = None, None
    for index, call in enumerate(meta["calls"]):
        clicks = [ImageClick(row, column, positive) for row, column, positive in call["clicks_row_col_pos"]]
        shown = choose_region(prob, clicks, region, size, settings)
        assert call["image_changed"] == (shown not in (None, region))
        region = region if shown is None else shown
        assert call["roi"] == (None if region is None else list(region))
        view = View(Region.full(size), size) if shown is None else View.of(shown, settings.side)
        assert call["crop_size"] == list(view.size)
        np.testing.assert_allclose([view.place(click)[:2] for click in clicks], call["transformed_clicks"], rtol=1e-12)
        crop = image if shown is None else view.show(image)
        check_close(golden, f"crop_{index}_sub16", crop[..., ::16, ::16])
        found = probabilities(call, index, seed, view.size, zoomed=shown is not None)
        prob = found if region is None else paste(found, region, size)
        check_close(golden, f"inv_{index}_sub8", prob[0, 0, ::8, ::8])


def check_close(golden: Golden, name: str, actual: torch.Tensor) -> None:
    """No noise was recorded for arrays that hold no network's output."""
    expected = golden.arrays[name]
    difference = float(np.abs(actual.numpy() - expected).max())
    assert difference <= 1e-4 * np.abs(expected).max(), f"{name} differs by {difference:.3g}"


@pytest.mark.parametrize("golden", golden_cases(re.compile(r"f-BRS ZoomIn.*")))
def test_golden_longest_side(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    name = next(key for key in golden.meta if key.startswith("limit_longest"))
    match = re.fullmatch(r"limit_longest_(\d+)_of_(\d+)x(\d+)", name)
    assert match is not None
    limit, height, width = map(int, match.groups())
    recorded = golden.meta[name]
    view = View.of(Region.full(Size(height, width)), limit)
    assert list(view.size) == recorded["size"]
    row, column = recorded["click"]
    source = ImageClick(row * height / view.size.height, column * width / view.size.width, True)
    assert view.place(source)[:2] == pytest.approx((row, column))
    assert view.show(torch.zeros(1, 3, height, width)).shape[-2:] == tuple(view.size)
    assert resize(torch.zeros(1, 1, *view.size), Size(height, width)).shape[-2:] == (height, width)


def boxes(height: int, width: int, objects: int) -> NDArray[np.uint8]:
    """The first label map of the recording rule's `boxes_mask`."""
    rows, columns = np.mgrid[0:height, 0:width]
    labels = np.zeros((height, width), np.uint8)
    for index in range(objects):
        x, y = width * (index + 1) / (objects + 1), height * (0.4 + 0.2 * (index % 2))
        reach_x, reach_y = width * 0.42 / (objects + 1), height * 0.28
        if index % 2 == 0:
            inside = (abs(columns - x) <= reach_x) & (abs(rows - y) <= reach_y)
        else:
            inside = ((columns - x) / reach_x) ** 2 + ((rows - y) / reach_y) ** 2 <= 1
        labels[inside] = index + 1
    return labels


@pytest.mark.parametrize("golden", golden_cases(re.compile(r"f-BRS ZoomIn.*")))
def test_golden_automatic_clicks(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    recorded = golden.meta["auto_clicks"]
    _, height, width, objects = map(int, re.findall(r"\d+", recorded["gt"].partition(")")[0]))
    down, across = map(int, re.findall(r"[rc]-(\d+)", recorded["rule"]))
    truth = boxes(height, width, objects) > 0
    found, clicked = np.zeros_like(truth), list[Click]()
    for row, column, positive in recorded["clicks_row_col_pos"]:
        click = next_click(truth, found, clicked)
        assert click is not None
        assert (int(click.y), int(click.x), click.positive) == (row, column, positive)
        clicked.append(click)
        found[row - down : row + down, column - across : column + across] = positive  # as the rule is written
