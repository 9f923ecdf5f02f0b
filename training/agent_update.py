"""What the frame agent is taught by: rewards for recommended frames, and double Q-learning on them.

Yin et al.: "Learning to Recommend Frame for Interactive Video Object Segmentation in the Wild", CVPR 2021; van Hasselt,
Guez, Silver: "Deep Reinforcement Learning with Double Q-learning", AAAI 2016.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from model.quality_agent import QualityAgent

DISCOUNT = 0.95
REWARD_SCALE = 0.1
_MAX_GRADIENT = 1.0


class Reward(NamedTuple):
    """What one recommendation was worth.

    Args:
        step: 1 for a frame that was annotated as rarely as any, else -1.
        done: how the masks became, in standard deviations beyond what random recommendation gives.
    """

    step: float
    done: float


def reward(metric: float, random_metrics: Sequence[float], *, is_repeat: bool) -> Reward:
    """Compare with random recommendations from the same start.

    Args:
        metric: mean quality of all frames after the correction.
        random_metrics: the same after random recommendations; at least two different ones.
        is_repeat: whether other frames had been annotated fewer times than the recommended one.
    """
    spread = stdev(random_metrics)
    if spread == 0:
        raise ValueError("random recommendations that all end alike say nothing about a frame")
    return Reward(-1.0 if is_repeat else 1.0, (metric - fmean(random_metrics) - spread) / spread)


@dataclass(frozen=True)
class Experience:
    """N recommendations: states as `QualityAgent.forward` takes them.

    Args:
        state: [N, T, 2] before. action: int64 [N], the frame. next_state: [N, T, 2] after.
        step, done: [N], of `Reward`.
    """

    state: Tensor
    action: Tensor
    next_state: Tensor
    step: Tensor
    done: Tensor


def agent_loss(policy: QualityAgent, target: QualityAgent, experience: Experience) -> Tensor:
    """Squared error of the recommended frames' values, against what follows and against how it ended.

    Args:
        policy: learns, and names the best next frame. target: says what that frame is worth; not changed.
    """
    value = policy(experience.state).gather(1, experience.action[:, None])[:, 0]
    with torch.no_grad():
        best = policy(experience.next_state).argmax(1, keepdim=True)
        follows = target(experience.next_state).gather(1, best)[:, 0]
        after_step = DISCOUNT * follows + REWARD_SCALE * experience.step
    return F.mse_loss(value, after_step) + F.mse_loss(value, REWARD_SCALE * experience.done)


def update_agent(
    policy: QualityAgent, target: QualityAgent, experience: Experience, optimizer: torch.optim.Optimizer
) -> float:
    """One step of the optimiser, no gradient beyond 1; returns the loss before it."""
    optimizer.zero_grad()
    loss = agent_loss(policy, target, experience)
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy.parameters(), _MAX_GRADIENT)
    optimizer.step()
    return loss.item()
