"""The interaction network: shapes, what its inputs mean at the start, its file."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from model.folding import fold_batch_norm
from model.interaction_net import InteractionNet, load_interaction_net
from model.light import LightNet
from util.errors import AppError


@pytest.fixture(scope="module")
def network() -> InteractionNet:
    torch.manual_seed(0)
    return InteractionNet().eval()


def planes(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(2, 3, height, width), torch.zeros(2, 1, height, width), torch.zeros(2, 2, height, width)


@torch.no_grad()
def test_logits_have_the_size_of_the_window(network: InteractionNet) -> None:
    logits = network(*planes(64, 96))
    assert logits.shape == (2, 64, 96) and logits.dtype == torch.float32


@torch.no_grad()
def test_every_plane_counts(network: InteractionNet) -> None:
    image, previous, hints = planes(64, 64)
    plain = network(image, previous, hints)
    for plane in (previous[:, 0], hints[:, 0], hints[:, 1]):
        plane[:, 20:30, 20:30] = 1
        assert not torch.equal(network(image, previous, hints), plain)
        plane[:] = 0


@torch.no_grad()
def test_starts_from_what_a_propagation_network_sees() -> None:
    torch.manual_seed(2)
    light, network = LightNet().eval(), InteractionNet().eval()
    network.start_from(light)
    image, previous, hints = planes(64, 64)
    hints[:] = 1
    found = network.encoder(torch.cat([image, previous, hints], 1))
    for own, known in zip(found, light.key_encoder(image), strict=True):
        assert torch.allclose(own, known, atol=1e-5)


@torch.no_grad()
def test_folding_changes_nothing(network: InteractionNet) -> None:
    given = planes(64, 64)
    folded = InteractionNet().eval()
    folded.load_state_dict(network.state_dict())
    assert torch.allclose(fold_batch_norm(folded)(*given), network(*given), atol=1e-4)


def test_loads_its_own_file_and_no_other(network: InteractionNet, tmp_path: Path) -> None:
    save_file(network.state_dict(), tmp_path / "own.safetensors")
    loaded = load_interaction_net(tmp_path / "own.safetensors")
    assert torch.equal(loaded.pred.weight, network.pred.weight) and not loaded.training
    save_file(LightNet(0.125).state_dict(), tmp_path / "light.safetensors")
    with pytest.raises(AppError, match="light network"):
        load_interaction_net(tmp_path / "light.safetensors")
