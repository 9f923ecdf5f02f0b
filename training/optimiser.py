"""What moves the weights of a network in training: AdamW, or Muon for its matrices and AdamW for the rest."""
from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from training.preset import Preset

_BETAS = (0.9, 0.98)
_MUON = "muon"
"""Marks the groups of parameters that Muon moves."""
_MOMENTUM = 0.95
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
_RMS = 0.2
"""Root mean square of a step in units of the rate: about that of AdamW."""
_FASTER = 3.0
"""Rate of Muon over that of AdamW: 3 beats 1 (docs/training.md, section 8)."""
_THIN = 32
"""A matrix with fewer rows or columns than this has too few directions for balancing them to matter."""


def make_optimiser(network: nn.Module, preset: Preset, half: torch.dtype | None) -> torch.optim.Optimizer:
    """The preset's optimiser; biases and normalisation do not decay.

    Args:
        half: what Muon multiplies matrices in; None: float32.
    """
    parameters = list(network.parameters())
    least = _THIN if preset.optimiser == "muon" else math.inf
    wide = [p for p in parameters if p.ndim > 1 and _narrower_side(p) >= least]
    thin = [p for p in parameters if p.ndim > 1 and _narrower_side(p) < least]
    groups: list[dict[str, Any]] = [
        {"params": thin, "weight_decay": preset.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    if not wide:
        return torch.optim.AdamW(groups, lr=preset.rate, betas=_BETAS, fused=parameters[0].is_cuda)
    groups.append({"params": wide, "weight_decay": preset.weight_decay, _MUON: True})
    return MuonAdamW([group for group in groups if group["params"]], preset.rate, half)


def _narrower_side(matrix: Tensor) -> int:
    return min(matrix.flatten(1).shape)


class MuonAdamW(torch.optim.AdamW):
    """Muon for the groups marked so, AdamW for the others.

    Muon (Jordan et al. 2024; step sizes as in Liu et al., "Muon is scalable for LLM training", 2025) takes the
    gradient's momentum and makes all its singular values about one, so that directions in which a layer hardly ever
    learns move as far as those in which it always does. PyTorch's own takes two-dimensional parameters only; here a
    convolution is the matrix of its filters. The state of such a matrix is its momentum.
    """

    def __init__(self, groups: list[dict[str, Any]], rate: float, half: torch.dtype | None) -> None:
        super().__init__(groups, lr=rate, betas=_BETAS, fused=groups[0]["params"][0].is_cuda)
        self._half = half or torch.float32

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move all parameters that have a gradient; those of Muon's have none afterwards."""
        for group in self.param_groups:
            if group.get(_MUON):
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._move(parameter, group["lr"] * _FASTER, group["weight_decay"])
                        # AdamW passes over what has no gradient.
                        parameter.grad = None
        super().step()

    def _move(self, matrix: Tensor, rate: float, decay: float) -> None:
        state, gradient = self.state[matrix], matrix.grad
        assert gradient is not None
        if not state:
            # AdamW, which reads a state from disk, expects a count of steps with every parameter.
            state.update(step=torch.zeros(()), momentum=torch.zeros_like(matrix))
        state["step"] += 1
        momentum = state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
        step = orthogonal(gradient.lerp(momentum, _MOMENTUM).flatten(1).to(self._half))
        size = _RMS * max(step.shape) ** 0.5
        matrix.mul_(1 - rate * decay).add_(step.view_as(matrix), alpha=-rate * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """[R, C] -> [R, C] with the same singular vectors and singular values of about one (0.7 to 1.2).

    Five rounds of a quintic Newton-Schulz iteration, whose coefficients (Jordan et al. 2024) favour speed: small
    singular values grow by 3.4 a round. What is exactly zero stays zero.
    """
    a, b, c = _NEWTON_SCHULZ
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.mT if is_tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if is_tall else x
