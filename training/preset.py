"""Sizes and rates of a training, for the CPU and for a GPU."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PresetName = Literal["cpu", "gpu"]
OptimiserName = Literal["adamw", "muon"]


@dataclass(frozen=True)
class Stage:
    """A part of a training.

    Args:
        until: share of the training at which it ends. side: of the crops, in pixels.
    """

    until: float
    side: int


@dataclass(frozen=True)
class Preset:
    """One training.

    Args:
        samples: clips or interactions to be seen. batch: samples per step.
        stages: crop sizes, in order; the last one ends at 1.
        optimiser: see `training/optimiser.py`.
        rate: learning rate of AdamW; warm_up: steps to reach it. From `decay_from` (a share of the training) on it
            falls linearly to 1 %, so that a running training can be made longer until then.
        average: decay of the moving average of the weights, which is what is scored and exported.
        frames: of a clip. width: of the network (`LightNet`). score_every: samples between two scores.
    """

    samples: int
    batch: int
    stages: tuple[Stage, ...]
    optimiser: OptimiserName = "adamw"
    rate: float = 7e-4
    warm_up: int = 200
    decay_from: float = 0.55
    weight_decay: float = 0.05
    average: float = 0.998
    frames: int = 3
    width: float = 1.0
    score_every: int = 4000
    seed: int = 0

    def side_at(self, progress: float) -> int:
        return next((stage.side for stage in self.stages if progress < stage.until), self.stages[-1].side)

    def rate_at(self, step: int, progress: float) -> float:
        left = min(1.0, (1 - progress) / (1 - self.decay_from))
        return self.rate * min(1.0, (step + 1) / self.warm_up) * max(0.01, left)
