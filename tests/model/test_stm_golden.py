"""STM and its fusion attention against outputs recorded from the published program."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference_core.memory_bank import MemoryBank
from inference_core.propagator import Memory
from model.aggregate import aggregate
from model.attention import dot_similarity, full_softmax_attention, transfer_maps
from model.encoders import Pyramid
from model.stm import STM, MemoryEntry, QueryFeatures
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


@dataclass(frozen=True)
class Run:
    """Everything the recording stored, computed by this project's modules."""

    pyramid: Pyramid  # of the query frame
    query: QueryFeatures
    memory: tuple[MemoryEntry, MemoryEntry]
    readout: Tensor
    prob: Tensor
    maps: Tensor


def sum_of_others(masks: Tensor) -> Tensor:
    return masks.sum(0, keepdim=True) - masks


@torch.inference_mode()
def compute(golden: Golden) -> Run:
    """The steps of the recording, as its `meta["steps"]` tells them."""
    meta = golden.meta
    stm = STM().eval()
    stm.load_state_dict(golden_state(stm, meta["weight_seed"], meta["overrides_prop"], meta.get("weight_gain", 1.0)))
    pad = tuple(meta["pad_lwuw_lhuh"])
    images = golden_frames(golden.arrays["frames"], pad)
    num_objects = golden.arrays["mem_key0"].shape[0]
    masks = [golden_onehot(mask, num_objects, pad) for mask in golden.arrays["masks"]]

    soft = aggregate(0.8 * masks[1][1:] + 0.1)
    memory = tuple(
        stm.encode_memory(images[frame : frame + 1], planes, sum_of_others(planes))
        for frame, planes in ((0, masks[0][1:]), (1, soft[1:]))
    )
    query = stm.encode_query(images[2:3])
    cells, slots = Size(*query.key.shape[-2:]), range(num_objects)
    bank = MemoryBank(similarity=dot_similarity, top_k=meta["top_k"], max_rolling=None, keys_per_object=True)
    bank.set_objects([slot + 1 for slot in slots])
    for frame, entry in enumerate(memory):
        bank.put(frame, entry.key.flatten(2), entry.value.flatten(2), slots, Memory.PINNED)
    query_key = query.key[0].flatten(1)
    read = bank.read(query_key, slots).unflatten(2, cells)
    prob = stm.decode(read, query).sigmoid()
    change = (masks[0] - aggregate(prob))[1:]
    attention = full_softmax_attention(memory[0].key.flatten(2), query_key, dot_similarity)
    maps = transfer_maps(change.clamp(min=0), (-change).clamp(min=0), attention, cells, Size(*images.shape[-2:]))
    return Run(stm.rgb_encoder(images[2:3]), query, memory, read, prob, maps)


@pytest.fixture(scope="module", params=golden_cases("MiVOS (STM) modules"))
def case(request: pytest.FixtureRequest) -> tuple[Golden, Run]:
    golden: Golden | Path = request.param
    golden = require_golden(golden)
    return golden, compute(golden)


def test_golden_stm_query(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("q_f16", run.pyramid.f16[:, ::64])
    golden.check("q_f8", run.query.f8[:, ::64, ::2, ::2])
    golden.check("q_f4", run.query.f4[:, ::32, ::2, ::2])
    golden.check("q_key", run.query.key[:, ::4])
    golden.check("q_val", run.query.thin[:, ::16])


def test_golden_stm_memory(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("mem_key0", run.memory[0].key[:, ::4, None])
    golden.check("mem_val0", run.memory[0].value[:, ::16, None])
    golden.check("mem_key1", run.memory[1].key[:, ::4, None])


def test_golden_stm_read_and_decode(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("readout", run.readout[:, ::16])
    golden.check("seg_prob", run.prob[:, None, ::2, ::2])


def test_golden_stm_attention(case: tuple[Golden, Run]) -> None:
    golden, run = case
    golden.check("attn_map", run.maps[..., ::2, ::2])
