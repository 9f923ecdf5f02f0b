"""Muon and AdamW side by side: what moves by which, and how far."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.training.trainings import PRESET
from training.optimiser import MuonAdamW, make_optimiser, orthogonal

MUON = replace(PRESET, optimiser="muon", rate=1e-2, weight_decay=0.1)


def make_network() -> nn.Sequential:
    """Two matrices that Muon takes, one that is too thin for it."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(4, 48, 3), nn.BatchNorm2d(48), nn.Conv2d(48, 40, 1), nn.Conv2d(40, 1, 3))
    return network.to(memory_format=torch.channels_last)


def make_gradients(network: nn.Module) -> None:
    torch.manual_seed(1)
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)


@pytest.mark.parametrize("shape", [(40, 300), (300, 40), (64, 64)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_singular_values_become_one_and_vectors_stay(shape: tuple[int, int], dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    left, values, right = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    # From 1 down to 0.1, as gradients have them, and beyond.
    given = left @ torch.diag(torch.logspace(0, -1, len(values))) @ right
    seen = left.T @ orthogonal(given.to(dtype)).float() @ right.T
    assert seen.diagonal().min() > 0.6 and seen.diagonal().max() < 1.3
    apart = seen - torch.diag(seen.diagonal())
    assert apart.abs().max() < (1e-4 if dtype == torch.float32 else 0.1)


def test_no_gradient_is_no_step() -> None:
    assert not orthogonal(torch.zeros(3, 5)).any()


def test_who_moves_what() -> None:
    network = make_network()
    optimiser = make_optimiser(network, MUON, None)
    thin, flat, wide = (group["params"] for group in optimiser.param_groups)
    assert isinstance(optimiser, MuonAdamW)
    assert [id(p) for p in wide] == [id(network[0].weight), id(network[2].weight)]
    assert [id(p) for p in thin] == [id(network[3].weight)]
    assert all(p.ndim == 1 for p in flat) and len(flat) == 5
    assert [group["weight_decay"] for group in optimiser.param_groups] == [0.1, 0.0, 0.1]
    plain = make_optimiser(network, replace(MUON, optimiser="adamw"), None)
    assert not isinstance(plain, MuonAdamW)
    assert sum(len(group["params"]) for group in plain.param_groups) == len(list(network.parameters()))


def test_steps_of_both() -> None:
    network, other = make_network(), make_network()
    make_gradients(network)
    make_gradients(other)
    before = network[0].weight.detach().clone()
    gradient = network[0].weight.grad
    make_optimiser(network, MUON, None).step()
    moved = network[0].weight.detach() - before * (1 - 3 * 1e-2 * 0.1)
    # Three times the rate, 0.2 of it in the root mean square, against the gradient.
    assert moved.square().mean().sqrt() == pytest.approx(3 * 0.2 * 1e-2, rel=0.2)
    assert gradient is not None and torch.sum(moved * gradient) < 0
    make_optimiser(other, replace(MUON, optimiser="adamw"), None).step()
    for one, same in zip(network[1].parameters(), other[1].parameters(), strict=True):
        assert torch.equal(one, same)
    assert torch.equal(network[3].weight, other[3].weight)
    assert not torch.equal(network[2].weight, other[2].weight)


def test_a_matrix_without_gradient_stays() -> None:
    network = make_network()
    make_gradients(network)
    network[2].weight.grad = None
    before = network[2].weight.detach().clone()
    make_optimiser(network, MUON, None).step()
    assert torch.equal(network[2].weight, before)


def test_momentum_carries_on() -> None:
    """A second gradient of another kind does not undo the first one's direction at once."""
    network = make_network()
    optimiser = make_optimiser(network, MUON, None)
    make_gradients(network)
    assert network[0].weight.grad is not None
    first = network[0].weight.grad.clone()
    optimiser.step()
    assert set(optimiser.state[network[0].weight]) == {"momentum", "step"}
    torch.testing.assert_close(optimiser.state[network[0].weight]["momentum"], 0.05 * first)
    network[0].weight.grad = torch.zeros_like(first)
    before = network[0].weight.detach().clone()
    optimiser.step()
    assert torch.sum((network[0].weight.detach() - before) * first) < 0
