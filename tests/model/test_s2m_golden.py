"""S2M against outputs recorded from the published program."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.aggregate import aggregate
from model.scribble_net import ScribbleNet
from tests.golden_weights import Golden, golden_cases, golden_frames, golden_state, require_golden

pytestmark = pytest.mark.golden

UNLABELLED = 255


@dataclass(frozen=True)
class Run:
    """Everything the recording stored, computed by this project's modules; K objects."""

    planes: Tensor  # [K, 3, Hp, Wp]: previous mask, positive and negative scribbles
    low: Tensor  # of the first object
    high: Tensor
    logits: Tensor
    prob: Tensor


@torch.inference_mode()
def compute(golden: Golden) -> Run:
    """The steps of the recording, as its `meta["steps"]` tells them."""
    meta, arrays = golden.meta, golden.arrays
    network = ScribbleNet().eval()
    network.load_state_dict(
        golden_state(network, meta["weight_seed"], meta["overrides_s2m"], meta.get("weight_gain", 1.0))
    )
    pad = tuple(meta["pad_lwuw_lhuh"])
    image = golden_frames(arrays["frames"], pad)
    num_objects = arrays["prob"].shape[0]
    ids = torch.arange(1, num_objects + 1).view(-1, 1, 1)
    labels, scribbles = torch.from_numpy(arrays["prev_mask"]), torch.from_numpy(arrays["scribble"])
    inside = scribbles == ids
    outside = (scribbles != ids) & (scribbles != UNLABELLED)
    hints = torch.nn.functional.pad(torch.stack([inside, outside], 1).float(), pad)
    previous = (labels == ids).float()
    if previous.shape[-2:] != hints.shape[-2:]:
        previous = torch.nn.functional.pad(previous, pad)
    planes = torch.cat([previous[:, None], hints], 1)
    logits = torch.cat([network(image, one[:1][None], one[1:][None]) for one in planes])
    low, _, _, high = network.backbone.stages(torch.cat([image, planes[:1]], 1))
    return Run(planes, low, high, logits, logits.sigmoid())


@pytest.fixture(scope="module", params=golden_cases("S2M"))
def case(request: pytest.FixtureRequest) -> tuple[Golden, Run]:
    golden: Golden | Path = request.param
    golden = require_golden(golden)
    return golden, compute(golden)


def test_golden_s2m_input(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("input6_obj1", run.planes[:1, :, ::2, ::2])


def test_golden_s2m_backbone(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("low_level", run.low[:, ::32, ::2, ::2])
    golden.check("out", run.high[:, ::64])


def test_golden_s2m_output(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("logit_obj1", run.logits[:1, None, ::2, ::2])
    golden.check("prob", run.prob[:, None, ::2, ::2])
    golden.check("mask_hard", aggregate(run.prob[:, None], hard=True)[..., ::4, ::4])
