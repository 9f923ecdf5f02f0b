"""The DAVIS interactive protocol, STCN, fusion and S2M together, against what the published program answered."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.davis_interactive import DavisProcessor, ScribblePath
from inference_core.core import InferenceCore
from inference_core.fusion import NetworkFuser
from inference_core.geometry import PaddedPlanes
from inference_core.memory_bank import MemoryBank
from inference_core.policy import CompatPolicy
from inference_core.propagators import stcn
from inference_core.scribble_predictor import ScribbleSegmenter
from model.attention import l2_similarity
from model.fusion_net import FusionNet
from model.scribble_net import ScribbleNet
from model.stcn import STCN
from tests.golden_weights import Golden, golden_cases, golden_state, require_golden
from tests.inference_core.engines import FLOAT32
from tests.inference_core.fakes import ArrayFrames

pytestmark = pytest.mark.golden


def make_processor(golden: Golden) -> DavisProcessor:
    """A fresh one, with the networks of the case."""
    meta = golden.meta
    networks = STCN().eval(), FusionNet().eval(), ScribbleNet().eval()
    for network, name in zip(networks, ("prop", "fusion", "s2m"), strict=True):
        state = golden_state(network, meta["weight_seed"], meta[f"overrides_{name}"], meta.get("weight_gain", 1.0))
        network.load_state_dict(state)
    propagation, fusion, scribble = networks
    frames = ArrayFrames(golden.arrays["frames"])
    geometry = PaddedPlanes.padded(frames.size, None)
    masks = np.zeros((len(frames), *geometry.working), np.uint8)
    bank = MemoryBank(
        similarity=l2_similarity, top_k=meta.get("top_k", stcn.TOP_K), max_rolling=None, duplicates="keep"
    )
    propagator = stcn.StcnPropagator(propagation, geometry, FLOAT32, bank, meta["mem_freq"])
    fuser = NetworkFuser(fusion, FLOAT32)
    existing: Callable[[int], np.ndarray] = masks.__getitem__
    core = InferenceCore(frames, propagator, fuser, existing, policy=CompatPolicy.published())
    core.set_objects(range(1, meta["num_objects"] + 1))
    pictures = [frames.get(number) for number in range(len(frames))]
    segmenter = ScribbleSegmenter(scribble, FLOAT32)
    return DavisProcessor(core, segmenter, pictures, masks, meta["num_objects"], geometry.pad)


@pytest.mark.parametrize("golden", golden_cases("DAVISProcessor"))
def test_golden_davis_interactions(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    processor = make_processor(golden)
    for number, scribbles in enumerate(golden.meta["scribbles"]):
        paths = [
            ScribblePath(tuple((x, y) for x, y in line["path"]), line["object_id"]) for line in scribbles["lines"]
        ]
        answer = processor.interact(scribbles["frame"], paths)
        golden.check_labels(f"masks_{number}", answer.masks)
        golden.check_equal(f"next_{number}", answer.next_frames or (-1,))
