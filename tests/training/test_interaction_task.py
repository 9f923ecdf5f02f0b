"""Training of the interaction network: a batch is a function of its number, and it can be learnt from."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from model.interaction_net import InteractionNet
from model.light import LightNet
from tests.training.trainings import PRESET
from training.interaction import InteractionTask

SIDE = 32


@pytest.fixture
def task(packs: Path, tmp_path: Path) -> InteractionTask:
    torch.manual_seed(0)
    save_file(LightNet().state_dict(), tmp_path / "light.safetensors")
    device = torch.device("cpu")
    return InteractionTask(PRESET, packs / "train.npz", packs / "heldout.npz", device, tmp_path / "light.safetensors")


def test_batch_is_a_function_of_its_number(task: InteractionTask) -> None:
    first, other, again = task.batch(3, 4, SIDE), task.batch(4, 4, SIDE), task.batch(3, 4, SIDE)
    assert torch.equal(first.image, again.image) and torch.equal(first.target, again.target)
    assert not torch.equal(first.image, other.image)
    assert first.image.shape == (4, 3, SIDE, SIDE) and first.target.shape == (4, SIDE, SIDE)
    assert set(first.target.unique().tolist()) <= {0.0, 1.0} and first.target.flatten(1).any(1).all()


@pytest.mark.usefixtures("one_thread")
def test_prompts_are_drawn_from_the_generator_alone(task: InteractionTask) -> None:
    windows = task.batch(0, 4, SIDE)

    def total(seed: int) -> float:
        torch.manual_seed(0)
        loss = task.loss_module(task.build().train())
        with torch.no_grad():
            parts = loss(windows, 0.0, torch.Generator().manual_seed(seed))
        return float(torch.stack(list(parts.values())).sum())

    assert total(1) == total(1) != total(2)


def test_the_loss_falls(task: InteractionTask) -> None:
    network = task.build().train()
    assert isinstance(network, InteractionNet)
    loss, windows = task.loss_module(network), task.batch(0, 4, SIDE)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    history = []
    for _ in range(25):
        total = torch.stack(list(loss(windows, 0.0, torch.Generator().manual_seed(7)).values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        history.append(total.item())
    assert network.training
    assert sum(history[-5:]) < 0.7 * sum(history[:5])
