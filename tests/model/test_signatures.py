"""Every published state dict is called by its network's name, and no two networks are confused."""
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from model import zoo
from model.fusion_net import FusionNet
from model.light import LightNet
from model.light_fusion import LightFusionNet
from model.signatures import SIGNATURES, recognise
from model.stcn import STCN

# File of key names -> network, and what its title must contain.
PUBLISHED = {
    "keys_afb_urr": ("afb_urr", "AFB-URR"),
    "keys_fbrs_hrnet18_ocr64": ("fbrs", "f-BRS with HRNet-18"),
    "keys_fbrs_hrnet18s_ocr48": ("fbrs", "small HRNet-18"),
    "keys_fbrs_hrnet32_ocr128": ("fbrs", "HRNet-32"),
    "keys_fbrs_resnet101_dh256": ("fbrs", "ResNet-101"),
    "keys_fbrs_resnet34_dh128": ("fbrs", "ResNet-34"),
    "keys_fbrs_resnet50_dh128_lvis": ("fbrs", "ResNet-50"),
    "keys_fusion": ("fusion", "fusion"),
    "keys_fusion_stcn": ("fusion", "fusion"),
    "keys_ivosw_agent": ("ivosw_agent", "agent of IVOS-W"),
    "keys_ivosw_assess_net": ("ivosw_assess", "assessment of IVOS-W"),
    "keys_propagation_model_stm": ("stm", "STM"),
    "keys_ritm_coco_lvis_h18_itermask": ("ritm", "RITM with HRNet-18"),
    "keys_ritm_coco_lvis_h18s_itermask": ("ritm", "small HRNet-18"),
    "keys_ritm_coco_lvis_h32_itermask": ("ritm", "HRNet-32"),
    "keys_rvos_decoder_one_shot": ("rvos_one_shot", "one-shot"),
    "keys_rvos_decoder_zero_shot": ("rvos_zero_shot", "zero-shot"),
    "keys_rvos_encoder_resnet101": ("rvos_encoder", "encoder of RVOS"),
    "keys_s2m": ("s2m", "S2M"),
    "keys_stcn": ("stcn", "STCN"),
    "keys_stcn_no_cbam": ("stcn", "without block attention"),
    "keys_stcn_stage0_single_object": ("stcn_first_stage", "first training stage"),
}


def published(shared: Path, name: str) -> dict[str, tuple[int, ...]]:
    stored = json.loads((shared / "compat" / f"{name}.json").read_text(encoding="utf-8"))
    return {key: tuple(shape) for key, shape, _ in stored["keys"]}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_are_recognised_by_exactly_one_network(shared: Path, name: str) -> None:
    shapes = published(shared, name)
    network, title = PUBLISHED[name]
    row = recognise(shapes)
    assert row is not None and row.network == network and title in row.title
    assert {other.network for other in SIGNATURES if other.fits(shapes)} == {network}


def test_every_published_list_is_covered(shared: Path) -> None:
    assert {path.stem for path in (shared / "compat").glob("keys_*.json")} == PUBLISHED.keys()


@pytest.mark.parametrize(
    ("build", "title"),
    [
        (LightNet, "the light network"),
        (lambda: LightNet(0.5), "the light network"),
        (STCN, "STCN"),
        (lambda: STCN(attention=False), "STCN without block attention"),
        (FusionNet, "the fusion network"),
        (LightFusionNet, "the light fusion network"),
    ],
)
def test_the_programs_own_networks_are_recognised(build: type[torch.nn.Module], title: str) -> None:
    with torch.device("meta"):
        network = build()
    row = recognise({key: tuple(tensor.shape) for key, tensor in network.state_dict().items()})
    assert row is not None and row.title == title


def test_unknown_tensors_are_no_network() -> None:
    assert recognise({}) is None
    assert recognise({"conv1.weight": (64, 3, 7, 7), "fc.weight": (1000, 2048)}) is None


def test_the_zoo_names_known_networks_only() -> None:
    known = {row.network for row in SIGNATURES}
    assert {entry.network for entry in zoo.WEIGHT_FILES if entry.network} <= known
