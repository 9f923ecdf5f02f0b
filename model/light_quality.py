"""The light quality network: how good the mask of an object is, from what was measured of it. This project's own.

It answers the question of IVOS-W's assessment network (`model.quality_net`; Yin et al., CVPR 2021) with no look at the
picture: its inputs are the numbers of `inference_core.pass_measures`. The first of them, the logit of the J that the
engine's own probabilities promise, ranks masks well by itself; what is learnt is a correction of it. Several small
networks are trained side by side and their mean counts. Networks only, tensors in and out.
"""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.checkpoint import load_into, load_state

INPUTS = 12
_MEMBERS, _HIDDEN = 4, 16
_ANY = 1e4
"""More than any input."""


class LightQualityNet(nn.Module):
    """`_MEMBERS` networks with two hidden layers each.

    Attributes:
        mean, scale: float32 [INPUTS], what the inputs are normalised by. low, high: their range. All of the training's
            masks: of what lies beyond, as after many more frames, nothing more is concluded.
    """

    mean: Tensor
    scale: Tensor
    low: Tensor
    high: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, value in (("mean", 0.0), ("scale", 1.0), ("low", -_ANY), ("high", _ANY)):
            self.register_buffer(name, torch.full((INPUTS,), value))
        self.trust, self.level = nn.Parameter(torch.ones(_MEMBERS)), nn.Parameter(torch.ones(_MEMBERS))
        self.offset = nn.Parameter(torch.zeros(_MEMBERS))
        self.first, self.second = _Side(INPUTS, _HIDDEN), _Side(_HIDDEN, _HIDDEN)
        self.direct, self.judge = _Side(INPUTS, 1), _Side(_HIDDEN, 1)
        for side in (self.direct, self.judge):
            for parameter in side.parameters():
                nn.init.zeros_(parameter)  # training starts from the margin

    def forward(self, values: Tensor) -> Tensor:
        """Judge one mask per row.

        Args:
            values: float32 [B, INPUTS].

        Returns:
            float32 [B] logits; a sigmoid gives the predicted J.
        """
        return self.logits(self.orders(values[:, 0], self.normalised(values))).mean(0)

    def normalised(self, values: Tensor) -> Tensor:
        """[B, INPUTS], such that those of the training vary by about 1 around 0."""
        return (values.clamp(self.low, self.high) - self.mean) / self.scale

    def orders(self, margin: Tensor, inputs: Tensor) -> Tensor:
        """What each of the networks orders masks by: [members, B], more for better ones.

        Args:
            margin: [B], the first input as it is. inputs: [B, INPUTS] or [members, B, INPUTS], `normalised`.
        """
        hidden = F.silu(self.second(F.silu(self.first(inputs))))
        return self.trust[:, None] * margin + self.direct(inputs)[..., 0] + self.judge(hidden)[..., 0]

    def logits(self, orders: Tensor) -> Tensor:
        """The J that masks of this order have: logits, of the same shape."""
        return self.level[:, None] * orders + self.offset[:, None]


class _Side(nn.Module):
    """A linear layer of every network, side by side."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(_MEMBERS, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(_MEMBERS * outputs).uniform_(-bound, bound))

    def forward(self, rows: Tensor) -> Tensor:
        """[..., B, inputs] -> [members, B, outputs]"""
        return rows @ self.weight + self.bias.view(_MEMBERS, 1, -1)


def load_light_quality(path: Path) -> LightQualityNet:
    """The network of a weight file; in eval mode, on the CPU, float32. AppError if the file holds something else."""
    network = LightQualityNet()
    load_into(network, load_state(path), path)
    return network.eval().requires_grad_(False)
