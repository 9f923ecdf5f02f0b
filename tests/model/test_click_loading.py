"""Files of click networks: plain, with RITM's config, a list of them; and files that are something else."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.click.loading import load_click_nets
from model.click.variants import PUBLISHED, RELEASED
from model.stcn import STCN
from tests.model.test_click_networks import CONFIG
from util.errors import AppError

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def fbrs() -> State:
    torch.manual_seed(0)
    return PUBLISHED["fbrs_hrnet18s_ocr48"]().state_dict()


@pytest.fixture(scope="module")
def ritm() -> State:
    torch.manual_seed(1)
    return PUBLISHED["ritm_h18s_itermask"]().state_dict()


def without_counters(state: State) -> State:
    return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}


@pytest.mark.parametrize(
    "store",
    [
        lambda state: state,
        without_counters,
        lambda state: {**state, "aspp_dropout": torch.tensor(0.5), "of_training": torch.zeros(3)},
        lambda state: {"state_dict": {f"module.{key}": value for key, value in state.items()}},
    ],
)
def test_fbrs_files(fbrs: State, tmp_path: Path, store: Callable[[State], object]) -> None:
    """Counters may be missing and tensors may be left over: the published program loads such files."""
    torch.save(store(fbrs), tmp_path / "fbrs.pth")
    (network,) = load_click_nets(tmp_path / "fbrs.pth")
    assert not network.training
    loaded = network.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in fbrs.items())


def test_ritm_file_with_its_config(ritm: State, tmp_path: Path) -> None:
    torch.save({"config": CONFIG, "state_dict": ritm}, tmp_path / "ritm.pth")
    (network,) = load_click_nets(tmp_path / "ritm.pth")
    assert network.coding == RELEASED.coding
    assert torch.equal(network.state_dict()["maps_transform.0.weight"], ritm["maps_transform.0.weight"])


def test_ritm_file_with_a_network_per_click(ritm: State, tmp_path: Path) -> None:
    other = {**CONFIG, "params": {**CONFIG["params"], "norm_radius": {"value": 7}}}
    parts = [{"config": CONFIG, "state_dict": ritm}, {"config": other, "state_dict": ritm}]
    torch.save(parts, tmp_path / "ritm.pth")
    assert [network.coding.radius for network in load_click_nets(tmp_path / "ritm.pth")] == [5, 7]


def test_a_missing_tensor_is_told(fbrs: State, tmp_path: Path) -> None:
    path = tmp_path / "fbrs.pth"
    torch.save({key: value for key, value in fbrs.items() if key != "feature_extractor.cls_head.bias"}, path)
    with pytest.raises(AppError, match=r"fbrs\.pth.*missing feature_extractor\.cls_head\.bias"):
        load_click_nets(path)


def test_unknown_config_is_told(ritm: State, tmp_path: Path) -> None:
    path = tmp_path / "ritm.pth"
    torch.save({"config": {**CONFIG, "class": "isegm.model.is_deeplab_model.DeeplabModel"}, "state_dict": ritm}, path)
    with pytest.raises(AppError, match=r"ritm\.pth.*DeeplabModel"):
        load_click_nets(path)


def test_another_network_is_named(tmp_path: Path) -> None:
    path = tmp_path / "stcn.pth"
    with torch.device("meta"):
        keys = {key: tuple(tensor.shape) for key, tensor in STCN().state_dict().items()}
    torch.save({key: torch.zeros(()).expand(shape) for key, shape in keys.items()}, path)
    with pytest.raises(AppError, match=r"stcn\.pth"):
        load_click_nets(path)
