"""Objects found without a mask: scores, stable numbers, and what is refused."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference_core import registry
from inference_core.proposals import build_proposer
from model import zoo
from tests.rvos_folders import SMALL, shrink_base, write_rvos_folder
from tests.synthetic import make_synthetic_video
from util.config import AppConfig
from util.errors import AppError

VIDEO = make_synthetic_video()
CPU = AppConfig(device="cpu", no_amp=True, size=48)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shrink_base(monkeypatch)
    write_rvos_folder(tmp_path / "zero", takes_mask=False, gain=400)
    return tmp_path / "zero"


def test_proposals_have_native_size_a_score_and_a_number(folder: Path) -> None:
    proposer = build_proposer(CPU, VIDEO.size, folder)
    found = proposer.propose(VIDEO.frames[0])
    assert found and len(found) <= SMALL.maxseqlen
    numbers = [proposal.number for proposal in found]
    assert numbers == sorted(set(numbers)) and set(numbers) <= set(range(1, SMALL.maxseqlen + 1))
    for proposal in found:
        assert proposal.prob.shape == VIDEO.size and proposal.prob.dtype == np.float32
        assert proposal.prob.min() >= 0 and proposal.prob.max() <= 1
        assert proposal.score == pytest.approx(float(proposal.prob[proposal.prob > 0.5].mean()))
    assert proposer.settings["objects"] == SMALL.maxseqlen and proposer.settings["weights"] == str(folder)


def test_frames_are_seen_in_order_until_started_anew(folder: Path) -> None:
    proposer = build_proposer(CPU, VIDEO.size, folder)
    first, second = (proposer.propose(VIDEO.frames[0]) for _ in range(2))
    proposer.start()
    again = proposer.propose(VIDEO.frames[0])
    assert all(np.array_equal(a.prob, b.prob) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a.prob, b.prob) for a, b in zip(first, second, strict=False))
    proposer.close()
    with pytest.raises(RuntimeError, match="after close"):
        proposer.propose(VIDEO.frames[0])


def test_the_other_decoder_and_other_engines_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rvos_folder(folder, takes_mask=True)
    with pytest.raises(AppError, match="cannot find objects by itself"):
        build_proposer(CPU, VIDEO.size, folder)
    with pytest.raises(AppError, match="stcn finds no objects by itself.*choose rvos"):
        build_proposer(AppConfig(engine="stcn"), VIDEO.size, folder)
    absent = zoo.WeightFile("rvos_zero_shot", "RVOS", folder / "no", "", parts=("a",))
    monkeypatch.setattr(zoo, "WEIGHT_FILES", (absent,))
    with pytest.raises(AppError, match="download_model.py rvos_zero_shot"):
        build_proposer(CPU, VIDEO.size, None)


def test_every_engine_that_proposes_has_weights_for_it() -> None:
    assert registry.proposal_weights() == registry.proposal_weights("rvos") == "rvos_zero_shot"
    assert {zoo.find(engine.proposals).name for engine in registry.ENGINES if engine.proposals} == {"rvos_zero_shot"}
