"""Training of the propagation network: clips followed by the network's own predictions, with a memory that forgets."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from generation.clips import ClipBatch, ClipRenderer
from generation.pack import load_pack
from model.light import LightNet
from tests.training.trainings import PRESET
from training.propagation import PropagationTask, roll_out

CPU = torch.device("cpu")


@pytest.fixture
def clips(packs: Path) -> ClipBatch:
    return ClipRenderer(load_pack(packs / "train.npz"), CPU, frames=4).batch(0, 2, 32)


@pytest.fixture
def network() -> LightNet:
    torch.manual_seed(0)
    return LightNet(PRESET.width).eval()


def followed(network: LightNet, clips: ClipBatch, remembers: Sequence[bool] | None) -> list[Tensor]:
    with torch.no_grad():
        return list(roll_out(network, clips, remembers=remembers))


def test_logits_of_every_frame_but_the_first(network: LightNet, clips: ClipBatch) -> None:
    found = followed(network, clips, None)
    assert [one.shape for one in found] == [(2, 3, 32, 32)] * 3
    assert all(one.isfinite().all() for one in found)


def test_a_frame_that_is_not_remembered_is_missed_later(network: LightNet, clips: ClipBatch) -> None:
    everything, forgetful = followed(network, clips, None), followed(network, clips, [False, True])
    assert all(torch.equal(*pair) for pair in zip(everything, followed(network, clips, [True, True]), strict=True))
    assert torch.equal(everything[0], forgetful[0])
    assert not torch.equal(everything[1], forgetful[1]), "frame 1 was read although it was not to be remembered"


def test_clips_without_any_object_are_background_throughout(network: LightNet, clips: ClipBatch) -> None:
    nothing = replace(clips, mask=torch.zeros_like(clips.mask), valid=torch.zeros_like(clips.valid))
    with torch.no_grad():
        found = list(roll_out(network, nothing))
    assert found and not any(logits.argmax(1).any() for logits in found)


def test_a_mask_gone_wrong_is_seen_by_the_decoder(network: LightNet, clips: ClipBatch) -> None:
    with torch.no_grad():
        right, wrong = (
            list(roll_out(network, clips, mistakes=gen)) for gen in (None, torch.Generator().manual_seed(0))
        )
    assert all(one.isfinite().all() for one in wrong)
    assert any(not torch.equal(*pair) for pair in zip(right, wrong, strict=True))


@pytest.mark.usefixtures("one_thread")
def test_what_is_remembered_is_drawn_from_the_generator_alone(packs: Path, network: LightNet) -> None:
    task = PropagationTask(PRESET, packs / "train.npz", packs / "heldout.npz", CPU)
    batch = task.batch(0, 2, 32)

    def total(seed: int) -> float:
        torch.manual_seed(0)
        with torch.no_grad():
            parts = task.loss_module(network)(batch, 0.0, torch.Generator().manual_seed(seed))
        return float(parts["cross_entropy"])

    assert total(1) == total(1)
    assert len({total(seed) for seed in range(8)}) > 1
