"""Click networks: published key names, reading a variant off its tensors, RITM's config, clicks as planes."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.click.distance_maps import ClickCoding
from model.click.hrnet import HRNetShape
from model.click.ocr import HRNetClickNet, gather
from model.click.parts import rgb_conv
from model.click.variants import PUBLISHED, RELEASED, Shapes, build_click_net, read_config
from util.types import Size

CONFIG: dict[str, Any] = {
    "class": "isegm.model.is_hrnet_model.HRNetModel",
    "params": {
        "width": {"type": "builtin", "value": 18, "specified": True},
        "use_leaky_relu": {"type": "builtin", "value": True, "specified": True},
        "use_disks": {"type": "builtin", "value": True, "specified": True},
        "norm_radius": {"type": "builtin", "value": 5, "specified": True},
        "with_prev_mask": {"type": "builtin", "value": True, "specified": True},
        "norm_layer": {"type": "class", "value": "torch.nn.modules.batchnorm.BatchNorm2d", "specified": False},
        "clicks_groups": {"type": "builtin", "value": None, "specified": False},
        "norm_mean_std": {"value": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), "specified": False},
    },
}


def shapes_of(name: str) -> Shapes:
    with torch.device("meta"):
        return {key: tuple(tensor.shape) for key, tensor in PUBLISHED[name]().state_dict().items()}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_keys(shared: Path, name: str) -> None:
    pattern = f"keys_{name}*.json" if name.startswith("fbrs") else f"keys_*_{name.removeprefix('ritm_')}.json"
    files = sorted((shared / "compat").glob(pattern))
    assert len(files) == 1
    assert shapes_of(name) == {key: tuple(shape) for key, shape, _ in json.loads(files[0].read_text())["keys"]}


@pytest.mark.parametrize("counters", [True, False])
@pytest.mark.parametrize("name", PUBLISHED)
def test_variant_is_read_off_the_tensors(name: str, counters: bool) -> None:
    shapes = shapes_of(name)
    given = {key: shape for key, shape in shapes.items() if counters or not key.endswith("num_batches_tracked")}
    with torch.device("meta"):
        network = build_click_net(given)
    assert {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()} == shapes
    if name.startswith("ritm"):
        assert network.coding == ClickCoding("disks", 5.0, with_previous=True)
    else:
        assert network.coding == ClickCoding("rounded", 260.0, with_previous=False)


@pytest.mark.parametrize("shapes", [{}, {"feature_extractor.stage2.0.branches.0.0.conv1.weight": (18, 18, 3, 3)}])
def test_other_tensors_are_refused(shapes: Shapes) -> None:
    with pytest.raises(ValueError, match="missing|neither"):
        build_click_net(shapes)


def test_config_of_a_released_file() -> None:
    assert read_config(CONFIG) == RELEASED


def test_config_decides_what_the_tensors_do_not_show() -> None:
    shapes = shapes_of("ritm_h18s_itermask")
    params = {**CONFIG["params"], "norm_radius": {"value": 7}, "use_leaky_relu": {"value": False}}
    with torch.device("meta"):
        network = build_click_net(shapes, {**CONFIG, "params": params})
    assert network.coding == ClickCoding("disks", 7.0, with_previous=True)
    assert isinstance(network.maps_transform[1], torch.nn.ReLU)


@pytest.mark.parametrize(
    "config",
    [
        None,
        {"class": "isegm.model.HRNetModel"},
        {**CONFIG, "class": "os.system"},
        {**CONFIG, "params": {"clicks_groups": {"value": [1, 2]}}},
        {**CONFIG, "params": {"norm_radius": {"value": "5"}}},
        {**CONFIG, "params": {"use_disks": {"value": 1}}},
        {**CONFIG, "params": {"norm_mean_std": {"value": ([0.5] * 3, [0.5] * 3)}}},
    ],
)
def test_config_of_another_network_is_refused(config: object) -> None:
    with pytest.raises(ValueError, match="config"):
        read_config(config)


def test_ritm_with_mixed_in_planes() -> None:
    """RITM's own order of layers in `rgb_conv`: the normalisation comes first; its tensors tell."""
    network = HRNetClickNet(HRNetShape.of(18, small=True), 48, RELEASED.coding, norm_first=True)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    assert [type(layer).__name__ for layer in rgb_conv(3, norm_first=True)][1:3] == ["BatchNorm2d", "LeakyReLU"]
    assert [type(layer).__name__ for layer in rgb_conv(3)][1:3] == ["LeakyReLU", "BatchNorm2d"]
    with torch.device("meta"):
        assert build_click_net(shapes, CONFIG).coding == RELEASED.coding


def test_distances_match_their_definition() -> None:
    """Brute force over pixels and clicks; fillers and clicks outside do not count among rounded ones."""
    size = Size(9, 13)
    points = torch.tensor([[[2.5, 3.5], [-1, -1], [7.2, 20.0], [-1, -1], [-1, -1], [-1, -1]]])
    rounded = ClickCoding("rounded", 260.0, with_previous=False).planes(points, size)
    exact = ClickCoding("exact", 260.0, with_previous=False).planes(points, size)
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(13.0), indexing="ij")

    def plane(*clicks: tuple[float, float]) -> Tensor:
        nearest = torch.stack([((rows - r) ** 2 + (columns - c) ** 2).sqrt() for r, c in clicks]).amin(0)
        return (2 * nearest / 260).tanh()

    torch.testing.assert_close(rounded[0, 0], plane((2, 4)))  # halves go to the even pixel
    torch.testing.assert_close(exact[0, 0], plane((2.5, 3.5), (7.2, 20.0)))
    assert (rounded[0, 1] == 1).all() and (exact[0, 1] == 1).all()


def test_disks() -> None:
    coding = ClickCoding("disks", 2.0, with_previous=True)
    planes = coding.planes(torch.tensor([[[3.0, 3.0, 0.0], [-1, -1, -1]]]), Size(6, 7))
    assert planes[0, 0].sum() == 13 and planes[0, 0, 3, 1] == 1 and planes[0, 0, 2, 1] == 0
    assert planes[0, 1].sum() == 0
    assert coding.num_planes == 3


def test_gathering_is_a_weighted_mean() -> None:
    features, logits = torch.randn(2, 3, 4, 5), torch.randn(2, 2, 4, 5)
    weight = F.softmax(logits.flatten(2), -1).unflatten(2, (4, 5))
    expected = torch.einsum("bchw,bkhw->bck", features, weight)[..., None]
    torch.testing.assert_close(gather(features, logits), expected)
