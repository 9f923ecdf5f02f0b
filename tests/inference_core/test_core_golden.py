"""The whole interactive loop against what the published MiVOS programs stored after every interaction."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.device import ComputeDevice
from inference_core.fusion import NetworkFuser
from inference_core.geometry import Geometry
from inference_core.memory_bank import MemoryBank
from inference_core.policy import CompatPolicy
from inference_core.prob_store import ExactProbStore
from inference_core.propagators.stcn import StcnPropagator
from inference_core.propagators.stm import StmPropagator
from model.attention import Similarity, dot_similarity, l2_similarity
from model.folding import fold_batch_norm
from model.fusion_net import FusionNet
from model.stcn import STCN
from model.stm import STM
from model.winograd import use_winograd
from tests.golden_weights import Golden, golden_cases, golden_state, require_golden
from tests.inference_core.fakes import ArrayFrames

pytestmark = pytest.mark.golden

FLOAT32 = ComputeDevice(torch.device("cpu"), None)


@dataclass(frozen=True)
class Published:
    """What distinguishes the published programs of one family."""

    network: type[STCN] | type[STM]
    propagator: Callable[..., StcnPropagator | StmPropagator]
    similarity: Similarity
    keys_per_object: bool


MIVOS_STCN = Published(STCN, StcnPropagator, l2_similarity, keys_per_object=False)
MIVOS_STM = Published(STM, StmPropagator, dot_similarity, keys_per_object=True)


def published_core(
    published: Published, golden: Golden, frames: ArrayFrames, masks: np.ndarray, *, is_fast: bool
) -> tuple[InferenceCore, MemoryBank]:
    meta = golden.meta
    network, fusion = published.network().eval(), FusionNet().eval()
    for module, overrides in ((network, meta["overrides_prop"]), (fusion, meta["overrides_fusion"])):
        module.load_state_dict(golden_state(module, meta["weight_seed"], overrides, meta.get("weight_gain", 1.0)))
    if is_fast:
        use_winograd(fold_batch_norm(network))
    bank = MemoryBank(
        similarity=published.similarity,
        top_k=meta["top_k"],
        max_rolling=None,
        duplicates="keep",
        keys_per_object=published.keys_per_object,
    )
    propagator = published.propagator(network, Geometry.padded(frames.size, None), FLOAT32, bank, meta["mem_freq"])
    core = InferenceCore(
        frames,
        propagator,
        NetworkFuser(fusion, FLOAT32),
        lambda frame: masks[frame],
        policy=CompatPolicy.published(),
    )
    return core, bank


@pytest.mark.parametrize("is_fast", [False, True], ids=["direct", "fast"])
@pytest.mark.parametrize("golden", golden_cases("MiVOS-STCN InferenceCore"))
def test_golden_interactions(golden: Golden | Path, is_fast: bool) -> None:
    """Also with the convolutions as the engine computes them on a processor."""
    golden = require_golden(golden)
    bank = check_interactions(MIVOS_STCN, golden, is_fast=is_fast)
    keys = bank.snapshot().key
    assert keys is not None
    recorded = golden.arrays["certain_mem_k"].shape
    by_channel = keys.permute(0, 3, 1, 2).unflatten(3, recorded[-2:])
    golden.check("certain_mem_k", by_channel[:, :: by_channel.shape[1] // recorded[1]])


@pytest.mark.parametrize("golden", golden_cases("MiVOS (STM) InferenceCore"))
def test_golden_stm_interactions(golden: Golden | Path) -> None:
    check_interactions(MIVOS_STM, require_golden(golden), is_fast=False)


def check_interactions(published: Published, golden: Golden, *, is_fast: bool) -> MemoryBank:
    """Interact as recorded and compare after every interaction; returns the memory as it is then."""
    meta, arrays = golden.meta, golden.arrays
    frames = ArrayFrames(arrays["frames"])
    num_objects = arrays["prob_step0"].shape[0] - 1
    masks = np.zeros(arrays["frames"].shape[:3], np.uint8)
    core, bank = published_core(published, golden, frames, masks, is_fast=is_fast)
    core.set_objects(range(1, num_objects + 1))
    step = (slice(None), slice(None), slice(None, None, meta["sub"]), slice(None, None, meta["sub"]))

    for number, frame in enumerate(meta["interact_frames_in_order"]):
        masks[frame] = arrays["interact_masks"][frame]
        core.commit_frame(KeyFrame(frame, masks[frame].copy(), frozenset(range(1, num_objects + 1))))
        for result in core.propagate(PropagationRequest(frame)):
            masks[result.frame] = result.mask
        golden.check_labels(f"masks_step{number}", masks)
        store = core.past.probs
        assert isinstance(store, ExactProbStore)
        probs = torch.stack([store.full(i) for i in range(len(frames))], 1)
        golden.check(f"prob_step{number}", probs[step])

    if "prob_last_full_frame" in arrays:
        golden.check("prob_last_full_frame", probs[:, last_frame(meta["interact_frames_in_order"])])
    return bank


def last_frame(interacted: list[int]) -> int:
    """The frame of which the recording kept every pixel."""
    return interacted[-1] - 1 if interacted[-1] else 1
