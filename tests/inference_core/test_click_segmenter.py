"""What every click network promises, with random weights and a small zoom; and the parts of a click."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from inference_core.api import ImageClick
from inference_core.click.points import point_rows, squares
from inference_core.click.segmenter import ClicksSoFar, NetworkClickSegmenter
from inference_core.click.settings import ClickSettings, Mode, ZoomSettings
from inference_core.click.zoom import Region, View, choose_region, object_region, paste
from inference_core.device import ComputeDevice
from model.click.deeplab import DeepLabClickNet
from model.click.parts import resize
from model.click.variants import FBRS_CODING, PUBLISHED, ClickNet
from model.folding import fold_batch_norm
from util.jobs import Cancelled, CancelToken
from util.types import ImageU8, Size

CPU = ComputeDevice(torch.device("cpu"), None)
ZOOM = ZoomSettings(side=64, min_region=24, longest_side=80)
SIZE = Size(61, 97)  # larger than longest_side, and odd
CLICKS = (ImageClick(30.4, 40.0, True), ImageClick(5.0, 88.6, False), ImageClick(33.0, 52.5, True))
SMALL = "fbrs_resnet34_dh128"


def last_layer(network: ClickNet) -> nn.Conv2d:
    layer = network.head.layers[2] if isinstance(network, DeepLabClickNet) else network.feature_extractor.cls_head
    assert isinstance(layer, nn.Conv2d)
    return layer


def network_named(name: str) -> ClickNet:
    """Random weights, the last layer scaled so that logits spread around 0."""
    torch.manual_seed(0)
    network = PUBLISHED[name]().eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):  # as loud as its input, so that clicks are still heard at the end
            module.weight.normal_(std=module.weight[0].numel() ** -0.5)
    logits = network(torch.randn(1, 3, 64, 64), torch.rand(1, network.coding.num_planes, 64, 64))
    last = last_layer(network)
    last.weight *= 2 / logits.std()
    last.bias += (last.bias - logits.mean()) * (2 / logits.std()) - last.bias
    return network


def settings_of(network: ClickNet, mode: Mode = "f-BRS-B") -> ClickSettings:
    is_fbrs = network.coding == FBRS_CODING
    settings = ClickSettings.of_fbrs(mode) if is_fbrs else ClickSettings.of_ritm()
    zoom = replace(ZOOM, skip_clicks=settings.zoom.skip_clicks)
    return replace(settings, zoom=zoom, brs=replace(settings.brs, max_evaluations=3))


def picture(seed: int = 0) -> ImageU8:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)


def run(segmenter: NetworkClickSegmenter, clicks: tuple[ImageClick, ...] = CLICKS) -> list[ClicksSoFar]:
    states = [segmenter.start(picture())]
    for click in clicks:
        states.append(segmenter.click(states[-1], click, CancelToken()))
    return states


@dataclass
class Count:
    runs: int = 0


@contextmanager
def counted(network: ClickNet) -> Iterator[Count]:
    """How often the network's last layers run."""
    count = Count()

    def hook(*_: object) -> None:
        count.runs += 1

    handle = last_layer(network).register_forward_hook(hook)
    yield count
    handle.remove()


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_click_network(name: str) -> None:
    """Odd sizes, the same answer again, and a click that is undone leaves the state before as it was, at no cost."""
    network = network_named(name)
    segmenter = NetworkClickSegmenter(name, [network], settings_of(network), CPU)
    states = run(segmenter)
    for count, state in enumerate(states):
        assert state.clicks == CLICKS[:count]
        assert state.prob.shape == SIZE and state.prob.dtype == np.float32
        assert np.isfinite(state.prob).all() and 0 <= state.prob.min() <= state.prob.max() <= 1
    assert not states[0].prob.any() and all(state.prob.std() > 1e-4 for state in states[1:])
    assert not np.array_equal(states[2].prob, states[3].prob)
    before = states[2].prob.copy()
    with counted(network) as count:
        undone = states[2]
        np.testing.assert_array_equal(undone.prob, before)
        assert count.runs == 0
        again = segmenter.click(undone, CLICKS[2], CancelToken())
        assert count.runs >= 1
    np.testing.assert_array_equal(again.prob, states[3].prob)
    np.testing.assert_array_equal(undone.prob, before)


def against(state: ClicksSoFar) -> ImageClick:
    """A positive click where the network is surest of the opposite, away from the border."""
    row, column = np.unravel_index(int(np.argmin(state.prob[2:-2, 2:-2])), (SIZE.height - 4, SIZE.width - 4))
    return ImageClick(float(row) + 2, float(column) + 2, True)


@pytest.mark.parametrize("mode", get_args(Mode))
def test_optimisation_comes_closer_to_the_clicks(mode: Mode) -> None:
    """At the first click nothing is optimised; at the second the answer there is better than without."""
    network = network_named(SMALL)
    plain = NetworkClickSegmenter("x", [network], settings_of(network, "NoBRS"), CPU)
    brs = NetworkClickSegmenter("x", [network], settings_of(network, mode), CPU)
    first, plain_first = run(brs, CLICKS[:1])[-1], run(plain, CLICKS[:1])[-1]
    np.testing.assert_allclose(first.prob, plain_first.prob, atol=1e-5)
    assert first.evaluations == 0
    click = against(first)
    second, plain_second = brs.click(first, click, CancelToken()), plain.click(plain_first, click, CancelToken())
    there = int(click.row), int(click.column)
    if mode == "NoBRS":
        assert second.solution is None
        np.testing.assert_array_equal(second.prob, plain_second.prob)
    else:
        assert second.solution is not None and np.abs(second.solution).max() > 0
        assert 2 <= second.evaluations <= 6
        assert second.prob[there] > plain_second.prob[there]


@pytest.mark.parametrize("name", [SMALL, "fbrs_hrnet18s_ocr48", "ritm_h18s_itermask"])
def test_folded_networks_answer_the_same(name: str) -> None:
    network = network_named(name)
    settings = replace(settings_of(network), mode="NoBRS")
    plain = run(NetworkClickSegmenter(name, [network], settings, CPU))
    folded = run(NetworkClickSegmenter(name, [fold_batch_norm(network)], settings, CPU))
    np.testing.assert_allclose(plain[3].prob, folded[3].prob, atol=1e-4)


@pytest.mark.parametrize("name", ["fbrs_resnet34_dh128", "fbrs_hrnet18s_ocr48"])
def test_a_network_cut_anywhere_is_the_network(name: str) -> None:
    network = network_named(name)
    image, planes = torch.randn(2, 3, 45, 61), torch.rand(2, 2, 45, 61)
    whole = network(image, planes)
    for place in network.places:
        parts = network.decode(network.encode(image, planes, place), place)
        torch.testing.assert_close(resize(parts, Size(45, 61)), whole)


def test_cancelled_between_two_runs() -> None:
    class Limited(CancelToken):
        left = 2

        def check(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Cancelled

    network = network_named(SMALL)
    segmenter = NetworkClickSegmenter("x", [network], settings_of(network), CPU)
    state = run(segmenter, CLICKS[:1])[-1]
    with counted(network) as count, pytest.raises(Cancelled):
        segmenter.click(state, against(state), Limited())
    assert count.runs == 1


def test_long_interaction_encodes_once_and_answers_the_same() -> None:
    """Beyond the clicks that the network sees, features are kept; without them the answer is no other."""
    network = network_named(SMALL)
    settings = replace(settings_of(network), clicks_seen=2, zoom=replace(ZOOM, skip_clicks=99))
    kept = NetworkClickSegmenter("x", [network], settings, CPU)
    runs = 0

    def hook(*_: object) -> None:
        nonlocal runs
        runs += 1

    network.feature_extractor.backbone.conv1.register_forward_hook(hook)
    states = run(kept)
    assert runs == 2
    fresh = NetworkClickSegmenter("x", [network], settings, CPU)
    np.testing.assert_array_equal(fresh.click(states[2], CLICKS[2], CancelToken()).prob, states[3].prob)
    assert runs == 3


def test_ritm_sees_the_mask_it_starts_from() -> None:
    network = network_named("ritm_h18s_itermask")
    segmenter = NetworkClickSegmenter("x", [network], settings_of(network), CPU)
    assert segmenter.takes_mask
    mask = np.zeros(SIZE, np.bool_)
    mask[20:40, 30:60] = True
    start = segmenter.start(picture(), mask)
    np.testing.assert_array_equal(start.prob, mask.astype(np.float32))
    with_mask = segmenter.click(start, CLICKS[0], CancelToken())
    without = segmenter.click(segmenter.start(picture()), CLICKS[0], CancelToken())
    assert with_mask.region is not None and with_mask.region != without.region
    assert not np.array_equal(with_mask.prob, without.prob)


def test_one_network_per_click() -> None:
    first, second = network_named("ritm_h18s_itermask"), network_named("ritm_h18s_itermask")
    last_layer(second).bias += 1
    states = run(NetworkClickSegmenter("x", [first, second], settings_of(first), CPU))
    alone = run(NetworkClickSegmenter("x", [first], settings_of(first), CPU))
    np.testing.assert_array_equal(states[1].prob, alone[1].prob)
    assert states[2].prob.mean() > alone[2].prob.mean() and states[3].prob.mean() > alone[3].prob.mean()


def test_given_clicks_run_nothing() -> None:
    network = network_named(SMALL)
    segmenter = NetworkClickSegmenter("x", [network], settings_of(network), CPU)
    with counted(network) as count:
        state = segmenter.start(picture(), np.ones(SIZE, np.bool_), CLICKS[:1])
    assert count.runs == 0 and state.clicks == CLICKS[:1] and state.prob.all() and not segmenter.takes_mask


def test_point_rows() -> None:
    rows = point_rows([CLICKS, CLICKS[:1]], 8, torch.device("cpu"))
    assert rows[0].tolist() == [[pytest.approx(30.4), 40], [33, 52.5], [5, pytest.approx(88.6)], [-1, -1]]
    assert rows[1, 1:].eq(-1).all()
    assert point_rows([CLICKS], 1, torch.device("cpu")).shape == (1, 2, 2)  # the later positive click is not seen
    assert point_rows([[]], 8, torch.device("cpu")).tolist() == [[[-1, -1], [-1, -1]]]


def test_squares_end_at_the_border_and_as_published_they_do_not() -> None:
    clicks = [ImageClick(0.0, 5.5, True), ImageClick(-6.0, 3.0, False), ImageClick(50.0, 3.0, True)]
    positive, negative = squares([clicks], Size(20, 30), torch.device("cpu"), is_exact=False)
    assert positive.sum() == 6 and positive[0, 0, :2, 5:8].all() and not negative.any()
    positive, negative = squares([clicks], Size(20, 30), torch.device("cpu"), is_exact=True)
    assert not positive.any() and negative[0, 0, 13:16, 2:5].all()


def found(rows: slice, columns: slice) -> torch.Tensor:
    prob = torch.zeros(1, 1, 300, 400)
    prob[..., rows, columns] = 1.0
    return prob


def test_region_follows_object_and_positive_clicks() -> None:
    settings = ZoomSettings()
    prob, size = found(slice(100, 151), slice(200, 281)), Size(300, 400)
    assert object_region(torch.zeros(1, 1, 300, 400), CLICKS, settings) is None
    region = object_region(prob, (), settings)
    assert region == Region(25, 225, 140, 340)  # at least 200 pixels around the middle
    near, far = ImageClick(120.0, 210.0, True), ImageClick(20.0, 20.0, True)
    outside = ImageClick(10.0, 10.0, False)
    assert choose_region(prob, [near], None, size, settings) is None  # the first click sees the frame
    assert choose_region(prob, [near, outside], None, size, settings) == region
    kept = Region(30, 230, 140, 340)
    assert choose_region(prob, [near, outside], kept, size, settings) == kept
    wide = choose_region(prob, [near, far], kept, size, settings)
    assert wide is not None and wide.left == 0 and wide.holds(far)
    assert choose_region(prob, [near, outside], Region(200, 299, 0, 60), size, settings) == region
    always = replace(settings, skip_clicks=-1)
    assert choose_region(None, [near], None, size, always) == Region.full(size)


def test_view_there_and_back() -> None:
    region = Region(10, 49, 20, 99)
    view = View.of(region, 160)
    assert view.size == Size(80, 160)
    assert view.place(ImageClick(10.0, 20.0, True)) == ImageClick(0.0, 0.0, True)
    assert view.place(ImageClick(30.0, 60.0, False)) == ImageClick(40.0, 80.0, False)
    ramp = torch.arange(60.0)[:, None] + torch.arange(120.0)
    shown = view.show(ramp[None, None])
    back = paste(shown, region, Size(60, 120))[0, 0]
    torch.testing.assert_close(back[10:50, 20:100], ramp[10:50, 20:100])
    assert back[:10].sum() == 0 and back[:, 100:].sum() == 0


def test_a_lost_object_lets_go_of_its_region_except_as_published() -> None:
    network = network_named(SMALL)
    last_layer(network).bias -= 20  # nothing is ever found
    for is_exact in (False, True):
        settings = replace(settings_of(network, "NoBRS"), is_exact=is_exact)
        segmenter = NetworkClickSegmenter("x", [network], settings, CPU)
        state = replace(segmenter.start(picture()), found=torch.zeros(1, 1, *SIZE), region=Region(0, 30, 0, 30))
        state = segmenter.click(replace(state, clicks=CLICKS[:1]), CLICKS[1], CancelToken())
        assert state.region == (Region(0, 30, 0, 30) if is_exact else None)
        assert state.prob[:, 40:].any() != is_exact
