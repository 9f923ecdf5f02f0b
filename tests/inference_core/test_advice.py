"""Advice on the next frame: by the networks, and without them by what the propagations leave."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inference_core.advice import AgentRanker, NetworkAssessor, build_advice, build_assessor
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.confidence import expected_overlap
from inference_core.core import InferenceCore
from inference_core.frame_choice import WorstFirst
from inference_core.fusion import LinearFuser
from inference_core.light_judge import build_judge
from inference_core.policy import CompatPolicy
from inference_core.registry import carried_basis
from model import zoo
from model.light_quality import INPUTS, LightQualityNet
from model.quality_agent import QualityAgent
from model.quality_net import QualityNet
from tests.golden_weights import Golden, golden_cases, golden_state, require_golden
from tests.inference_core.engines import FLOAT32, make_propagator
from tests.inference_core.fakes import ArrayFrames
from tests.synthetic import make_synthetic_video
from util.errors import AppError

VIDEO = make_synthetic_video()


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_cases("IVOS-W AssessNet"))
def test_golden_assessor(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    network = QualityNet().eval()
    network.load_state_dict(golden_state(network, golden.meta["weight_seed"], golden.meta["overrides"]))
    assessor = NetworkAssessor(network, FLOAT32)
    probs = golden.arrays["prob_u8"].astype(np.float32) / 255
    for image, prob, expected in zip(golden.arrays["frames"], probs, golden.arrays["quality"][:, 0], strict=True):
        assert assessor.quality(image, prob[None]) == pytest.approx(np.clip(expected, 0, 1), abs=1e-3)
        # Two objects with the same mask: their mean is the same again.
        assert assessor.quality(image, np.stack([prob, prob])) == pytest.approx(np.clip(expected, 0, 1), abs=1e-3)


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_cases("IVOS-W agent"))
def test_golden_agent_ranks(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    network = QualityAgent().eval()
    network.load_state_dict(golden_state(network, golden.meta["weight_seed"], golden.meta["overrides"]))
    for state, values in zip(golden.arrays["state"], golden.arrays["q_values"], strict=True):
        ranked = AgentRanker(network).rank(state[:, 0].tolist(), state[:, 1].tolist())
        assert ranked == np.argsort(-values, kind="stable").tolist()


def test_the_margin_is_the_overlap_to_be_expected() -> None:
    sure = np.zeros((4, 4), np.float32)
    sure[1:3, 1:3] = 1
    assert expected_overlap(sure) == 1
    doubtful = np.where(sure > 0, 0.75, 0.25).astype(np.float32)
    assert expected_overlap(doubtful) == pytest.approx(4 * 0.75 / (4 + 12 * 0.25))
    assert expected_overlap(np.zeros((4, 4), np.float32)) == 1, "surely nowhere"
    assert expected_overlap(np.full((4, 4), 0.4, np.float32)) == pytest.approx(0.6)


def test_worst_frames_come_first_and_annotated_ones_last() -> None:
    assert WorstFirst().rank([0.5, 0.9, 0.1, 0.3], [0, 0, 1, 0]) == [3, 0, 1, 2]


def test_the_engine_says_how_sure_it_is() -> None:
    """Where the stored mask still shows its result; what the user drew since counts as it is."""
    masks = [np.zeros(VIDEO.size, np.uint8) for _ in VIDEO.frames]
    masks[0] = VIDEO.masks[0]
    engine = make_propagator("light", VIDEO.size)
    core = InferenceCore(
        ArrayFrames(np.stack(VIDEO.frames)), engine, LinearFuser(), lambda frame: masks[frame],
        policy=CompatPolicy.product(),
    )
    ids = list(VIDEO.object_ids)
    core.sync([KeyFrame(0, masks[0], frozenset(ids))])
    for result in core.propagate(PropagationRequest(0, "forward", 0, 3)):
        masks[result.frame] = result.mask
    probs = core.object_probs(2, ids)
    assert probs.shape == (len(ids), *VIDEO.size) and probs.dtype == np.float32
    assert ((probs > 0) & (probs < 1)).any(), "soft, as the engine found them"
    assert all(0 < expected_overlap(prob) < 1 for prob in probs)
    masks[2] = VIDEO.masks[2].copy()
    masks[2][:5, :5] = ids[0]
    np.testing.assert_array_equal(core.object_probs(2, ids[:1])[0], masks[2] == ids[0])


def test_networks_advise_where_their_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "ivosw_assess": tmp_path / "assess_net.pt", "ivosw_agent": tmp_path / "agent.pt",
        "light_quality": tmp_path / "light-quality.safetensors",
    }
    rows = tuple(zoo.WeightFile(name, name, path, "advice", name) for name, path in files.items())
    monkeypatch.setattr(zoo, "WEIGHT_FILES", rows)
    advice = build_advice("cpu", mixed_precision=False)
    assert advice.assessor is None and isinstance(advice.ranker, WorstFirst)
    assert build_judge() is None and carried_basis() == ("how sure the engine is", False)
    with pytest.raises(AppError, match=r"mine\.pt"):
        build_advice("cpu", mixed_precision=False, agent_weights=tmp_path / "mine.pt")
    save_file(LightQualityNet().state_dict(), files["light_quality"])
    judge = build_judge()
    assert judge is not None and carried_basis() == ("predicted by the light quality network", True)
    values = np.zeros((2, INPUTS), np.float32)
    values[1, 0] = 1.0
    np.testing.assert_allclose(judge.judge(values), [0.5, 1 / (1 + np.exp(-1))], rtol=1e-5)
    with pytest.raises(AppError, match=r"other\.safetensors"):
        build_judge(tmp_path / "other.safetensors")
    image, objects = VIDEO.frames[0], np.ones((2, *VIDEO.size), np.float32)
    for build, path in ((QualityNet, files["ivosw_assess"]), (QualityAgent, files["ivosw_agent"])):
        with torch.device("meta"):
            state = build().state_dict()
        torch.save({f"module.{k}": torch.full((), 0.01).to(t.dtype).expand(t.shape) for k, t in state.items()}, path)
    advice = build_advice("cpu", mixed_precision=False)
    assert isinstance(advice.assessor, NetworkAssessor) and isinstance(advice.ranker, AgentRanker)
    with pytest.raises(AppError, match=r"other\.pt"):
        build_assessor("cpu", mixed_precision=False, weights=tmp_path / "other.pt")
    assert 0 <= advice.assessor.quality(image, objects) <= 1
    assert sorted(advice.ranker.rank([0.2, 0.4, 0.1], [0, 0, 1])) == [0, 1, 2]
