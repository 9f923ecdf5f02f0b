"""STCN, aggregation, fusion attention and fusion network against outputs recorded from the published program."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.aggregate import aggregate
from model.attention import full_softmax_attention, l2_similarity, transfer_maps
from model.fusion_net import FusionNet
from model.stcn import STCN, KeyFeatures
from tests.golden_weights import (
    Golden,
    golden_cases,
    golden_frames,
    golden_onehot,
    golden_state,
    require_golden,
)
from util.types import Size

pytestmark = pytest.mark.golden

TOP_K = 20
CASES = golden_cases("MiVOS-STCN modules")


@dataclass(frozen=True)
class Run:
    """Everything the recording stored, computed by this project's modules."""

    features: KeyFeatures  # of frame 0
    values: tuple[Tensor, Tensor]
    affinity: Tensor
    readout: Tensor
    prob: Tensor
    attention: Tensor
    maps: Tensor
    fusion: Tensor


def sum_of_others(masks: Tensor) -> Tensor:
    return masks.sum(0, keepdim=True) - masks


def top_k_weights(similarity: Tensor, k: int) -> Tensor:
    """[Nq, N] -> [N, Nq]: softmax over the k best memory cells of each query, zero elsewhere."""
    best, cells = similarity.topk(k, -1)
    return torch.zeros_like(similarity).scatter_(-1, cells, best.softmax(-1)).T


def load_networks(golden: Golden) -> tuple[STCN, FusionNet]:
    meta = golden.meta
    stcn, fusion = STCN().eval(), FusionNet().eval()
    for module, overrides in ((stcn, meta["overrides_prop"]), (fusion, meta["overrides_fusion"])):
        module.load_state_dict(golden_state(module, meta["weight_seed"], overrides, meta["weight_gain"]))
    return stcn, fusion


@torch.inference_mode()
def compute(golden: Golden) -> Run:
    """The steps of the recording, as its `meta["steps"]` tells them."""
    stcn, fusion_net = load_networks(golden)
    pad = tuple(golden.meta["pad_lwuw_lhuh"])
    images = golden_frames(golden.arrays["frames"], pad)
    size = Size(*images.shape[-2:])
    num_objects = golden.arrays["value0"].shape[0]
    masks = [golden_onehot(mask, num_objects, pad) for mask in golden.arrays["masks"]]

    memory = [stcn.encode_key(images[frame : frame + 1]) for frame in (0, 1)]
    features = stcn.encode_key(images[2:3])  # the query
    soft = aggregate(0.8 * masks[1][1:] + 0.1)
    values = tuple(
        stcn.encode_value(images[frame : frame + 1], memory[frame].f16, planes, sum_of_others(planes))
        for frame, planes in ((0, masks[0][1:]), (1, soft[1:]))
    )
    cells = Size(*features.key.shape[-2:])
    keys = torch.cat([item.key[0].flatten(1) for item in memory], 1)
    query = features.key[0].flatten(1)
    affinity = top_k_weights(l2_similarity(keys, query), TOP_K)
    readout = (torch.cat([value.flatten(2) for value in values], 2) @ affinity).unflatten(2, cells)
    prob = stcn.decode(readout, features).sigmoid()

    result = aggregate(prob)
    change = masks[0] - result
    attention = full_softmax_attention(memory[0].key[0].flatten(1), query, l2_similarity)
    maps = transfer_maps(change.clamp(min=0), (-change).clamp(min=0), attention, cells, size)
    fusion = fusion_net(images[2:3], masks[1][1:], result[1:], maps[1:], 0.25, 0.75)
    return Run(memory[0], values, affinity, readout, prob, attention, maps, fusion)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Golden, Run]:
    golden: Golden | Path = request.param
    golden = require_golden(golden)
    return golden, compute(golden)


def test_golden_key_encoder(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("key", run.features.key)
    golden.check("key_thin", run.features.thin[:, ::8])
    golden.check("f16", run.features.f16[:, ::16])
    golden.check("f8", run.features.f8[:, ::32, ::2, ::2])
    golden.check("f4", run.features.f4[:, ::32, ::2, ::2])


def test_golden_value_encoder(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("value0", run.values[0][:, ::8, None])
    golden.check("value1_soft", run.values[1][:, ::8, None])


def test_golden_memory_read(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("affinity", run.affinity[None])
    golden.check("readout", run.readout[:, ::8])


def test_golden_decoder(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("seg_prob", run.prob[:, None, ::2, ::2])


def test_golden_aggregation(case: tuple[Golden, Run]) -> None:
    golden, run = case
    prob = run.prob[:, None]  # the published layout keeps a channel dimension
    golden.check("agg_wbg", aggregate(prob)[..., ::2, ::2])
    golden.check("agg_wbg_hard", aggregate(prob, hard=True)[..., ::4, ::4])
    golden.check("agg_sbg", aggregate(prob, background="constant")[..., ::4, ::4])


def test_golden_fusion(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("attn_W", run.attention[None])
    golden.check("attn_map", run.maps[..., ::2, ::2])
    golden.check("fusion_logit", run.fusion[:, None, ::2, ::2])
