"""Training of the light quality network: from what was measured of a mask to its J.

The samples are made once, by `training.quality_samples`; a training then takes a minute.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.light_quality import LightQualityNet
from training.preset import Preset
from training.quality import rank_scores
from training.quality_files import MeasuredSamples, load_samples

_CLIPS = 8
"""Half of a batch comes from so many sequences alike, so that masks of one sequence are compared with each other."""
_NOISE = 0.5
"""Deviation of what is added to each input, where those of all masks have 1: few sequences are not learnt by heart."""
_RANKING = 3.0
"""Weight of the order of two masks, against that of their J."""
_SHIFTS = (1, 2, 3, 5, 8)
"""How far apart in a batch those stand that are compared."""
_ALIKE = 0.02
"""Masks whose J differ by less have no order."""
_LEAST_SCALE = 0.05
"""An input that varies less is nearly constant, and is not made more of than that."""


@dataclass(frozen=True)
class MeasuredBatch:
    """B masks: values float32 [B, INPUTS], target float32 [B], the true J."""

    values: Tensor
    target: Tensor


class LightQualityTask:
    """See `training.task.Task`."""

    name = "light-quality"

    def __init__(self, preset: Preset, train: Path, heldout: Path, device: torch.device) -> None:
        self._seed, self._device = preset.seed, device
        self._train, self._heldout = load_samples(train, MeasuredSamples), load_samples(heldout, MeasuredSamples)
        self._clips = [np.flatnonzero(self._train.clip == clip) for clip in np.unique(self._train.clip)]

    def build(self) -> nn.Module:
        """It knows how the inputs of the training are distributed."""
        network, values = LightQualityNet(), self._train.values
        about = {"low": values.min(0), "high": values.max(0), "mean": values.mean(0, np.float64)}
        about["scale"] = np.maximum(values.std(0, dtype=np.float64), _LEAST_SCALE)
        for name, value in about.items():
            network.get_buffer(name).copy_(torch.from_numpy(value))
        return network

    def loss_module(self, network: nn.Module) -> nn.Module:
        assert isinstance(network, LightQualityNet)
        return LightQualityLoss(network)

    def batch(self, number: int, size: int, side: int) -> MeasuredBatch:
        """`size` masks; they have no side."""
        rng = np.random.default_rng([self._seed, number])
        clips = [self._clips[i] for i in rng.integers(len(self._clips), size=_CLIPS)]
        near = [rng.choice(own, size // (2 * _CLIPS)) for own in clips]
        index = np.concatenate([*near, rng.integers(len(self._train), size=size - sum(map(len, near)))])
        values, target = (torch.from_numpy(array[index]) for array in (self._train.values, self._train.region))
        return MeasuredBatch(values.to(self._device), target.to(self._device))

    @torch.no_grad()
    def score(self, network: nn.Module) -> dict[str, float]:
        """See `rank_scores`; on all held-out masks."""
        values = torch.from_numpy(self._heldout.values).to(self._device)
        predicted = torch.sigmoid(network(values)).cpu().numpy()
        return rank_scores(self._heldout, predicted, self._heldout.region)


class LightQualityLoss(nn.Module):
    """Network and loss in one module, as distributed training needs it."""

    def __init__(self, network: LightQualityNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: MeasuredBatch, progress: float, gen: torch.Generator) -> dict[str, Tensor]:
        """Of each of the networks side by side, with noise of its own, summed over them.

        Cross-entropy with the true J as the probability, which is least where both are equal, and for pairs of masks
        that of the better one being the better one.
        """
        inputs = self.network.normalised(batch.values)
        shape = (len(self.network.trust), *inputs.shape)
        noise = torch.randn(shape, generator=gen, device=inputs.device)
        orders = self.network.orders(batch.values[:, 0], inputs + _NOISE * noise)
        logits = self.network.logits(orders)
        target = batch.target.expand_as(logits)
        entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(1).sum()
        ranking = orders.new_zeros(())
        for shift in _SHIFTS:
            better = batch.target - batch.target.roll(shift)
            lead = torch.sign(better) * (orders - orders.roll(shift, 1))
            ranking = ranking + ((better.abs() > _ALIKE) * F.softplus(-lead)).mean(1).sum()
        return {"cross_entropy": entropy, "ranking": _RANKING / len(_SHIFTS) * ranking}
