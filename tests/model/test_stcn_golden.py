"""STCN, aggregation, fusion attention and fusion network against outputs recorded from the published program."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference_core.memory_bank import MemoryBank
from inference_core.propagator import Memory
from inference_core.readout import readout
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


def read_bank(memory: Sequence[KeyFeatures], values: Sequence[Tensor], query: Tensor) -> Tensor:
    slots = range(len(values[0]))
    bank = MemoryBank(similarity=l2_similarity, top_k=TOP_K, max_rolling=None)
    bank.set_objects([slot + 1 for slot in slots])
    for frame, (features, value) in enumerate(zip(memory, values, strict=True)):
        bank.put(frame, features.key.flatten(2), value.flatten(2), slots, Memory.PINNED)
    return bank.read(query, slots)


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
    # Reading an identity matrix instead of values gives the weights themselves.
    identity = torch.eye(keys.shape[1])[None]
    affinity = readout(keys, query, identity, l2_similarity, TOP_K)[0].T
    read = read_bank(memory, values, query).unflatten(2, cells)
    prob = stcn.decode(read, features).sigmoid()

    result = aggregate(prob)
    change = masks[0] - result
    attention = full_softmax_attention(memory[0].key[0].flatten(1), query, l2_similarity)
    maps = transfer_maps(change.clamp(min=0), (-change).clamp(min=0), attention, cells, size)
    fusion = fusion_net(images[2:3], masks[1][1:], result[1:], maps[1:], 0.25, 0.75)
    return Run(memory[0], values, affinity, read, prob, attention, maps, fusion)


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
