"""Training of the frame agent on recorded rounds of correction: double Q-learning with IVOS-W's rewards.

`pretrain-agent` learns from random recommendations alone, `agent` also from those that an earlier agent made
(`training.agent_episodes`). The loss is the published one (`training.agent_update`). Where the published program copies
its network into the target at random, about every twentieth step, the target here is the moving average of the weights
over about as many steps, which the training loop keeps anyway.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from torch import Tensor, nn

from evaluation.rounds import rank_correlation
from model.quality_agent import QualityAgent
from training.agent_episodes import Episode, load_episodes
from training.agent_update import Experience, agent_loss, reward
from training.preset import Preset
from util.errors import AppError

_LEAST_RANDOM = 3
"""Other random episodes that a recommendation is compared with, at least."""
_LEAST_SPREAD = 0.01
"""Between the worst and the best J&F that these ended with."""


class AgentTask:
    """See `training.task.Task`; it also learns what the moving average is, which is its target (`FollowsAverage`)."""

    name = "agent"

    def __init__(self, preset: Preset, train: Path, heldout: Path, device: torch.device) -> None:
        self._seed, self._device = preset.seed, device
        self._train = _by_length(experiences(self.usable(load_episodes(train)), train), device)
        self._heldout = _by_length(experiences(self.usable(load_episodes(heldout)), heldout), device)
        self._average: QualityAgent | None = None

    def usable(self, episodes: Sequence[Episode]) -> list[Episode]:
        """All of them."""
        return list(episodes)

    def build(self) -> nn.Module:
        return QualityAgent()

    def follow(self, average: nn.Module) -> None:
        """See `training.task.FollowsAverage`."""
        assert isinstance(average, QualityAgent)
        self._average = average

    def loss_module(self, network: nn.Module) -> nn.Module:
        assert isinstance(network, QualityAgent) and self._average is not None
        return AgentLoss(network, self._average)

    def batch(self, number: int, size: int, side: int) -> Experience:
        """`size` recommendations in videos of one length; there are no pictures, so `side` does not matter."""
        rng = np.random.default_rng([self._seed, number])
        counts = np.array([len(group.action) for group in self._train], np.float64)
        group = self._train[int(rng.choice(len(counts), p=counts / counts.sum()))]
        index = torch.from_numpy(rng.integers(len(group.action), size=size)).to(self._device)
        return Experience(*(part[index] for part in vars(group).values()))

    @torch.no_grad()
    def score(self, network: nn.Module) -> dict[str, float]:
        """In percent, Spearman's rank correlation of what held-out recommendations were worth with the agent's values.

        Beside it that with how bad the recommended frame was, which is all that "the worst frame" looks at.
        """
        assert isinstance(network, QualityAgent)
        value, badness, worth = [], [], []
        for group in self._heldout:
            taken = group.action[:, None]
            value += network(group.state).gather(1, taken)[:, 0].tolist()
            badness += (1 - group.state[..., 0].gather(1, taken)[:, 0]).tolist()
            worth += group.done.tolist()
        return {
            "rank": 100 * rank_correlation(value, worth),
            "rank worst": 100 * rank_correlation(badness, worth),
        }


class PretrainTask(AgentTask):
    """The same on random recommendations alone."""

    name = "pretrain-agent"

    def usable(self, episodes: Sequence[Episode]) -> list[Episode]:
        """Those."""
        return [episode for episode in episodes if episode.leader == "random"]


class AgentLoss(nn.Module):
    """Network and loss in one module, as distributed training needs it."""

    def __init__(self, network: QualityAgent, target: QualityAgent) -> None:
        super().__init__()
        self.network = network
        self._target = (target,)  # no submodule: it is not trained

    def forward(self, batch: Experience, progress: float, gen: torch.Generator) -> dict[str, Tensor]:
        """The published loss."""
        return {"value": agent_loss(self.network, self._target[0], batch)}


def experiences(episodes: Sequence[Episode], path: Path) -> list[Experience]:
    """One of N = 1 for every round, rewarded by comparison with other random episodes of its sequence.

    Rounds whose random counterparts are too few, or ended nearly alike, say nothing and are left out.

    Raises:
        AppError: that is so for all; `path` is where they are from.
    """
    random_ends: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    for episode in episodes:
        if episode.leader == "random":
            for number, row in enumerate(episode.quality[1:]):
                random_ends[episode.clip, number][episode.number] = fmean(row)
    found = []
    for episode in episodes:
        for number, frame in enumerate(episode.frames):
            ends = random_ends[episode.clip, number]
            others = [end for n, end in ends.items() if episode.leader != "random" or n != episode.number]
            if len(others) < _LEAST_RANDOM or max(others) - min(others) < _LEAST_SPREAD:
                continue
            counts = episode.counts(number)
            worth = reward(fmean(episode.quality[number + 1]), others, is_repeat=counts[frame] > min(counts))
            after = (episode.quality[number + 1], episode.counts(number + 1))
            found.append(
                Experience(
                    state=torch.tensor([episode.quality[number], counts], dtype=torch.float32).T[None],
                    action=torch.tensor([frame]),
                    next_state=torch.tensor(after, dtype=torch.float32).T[None],
                    step=torch.tensor([worth.step]),
                    done=torch.tensor([worth.done], dtype=torch.float32),
                )
            )
    if not found:
        raise AppError(
            f"{path}: no recommendation can be compared with {_LEAST_RANDOM} other random ones.",
            "Play more episodes: python train.py produce-rewards --episodes N.",
        )
    return found


def _by_length(found: Sequence[Experience], device: torch.device) -> list[Experience]:
    """Joined, those of videos of the same length together, shorter ones first."""
    groups: dict[int, list[Experience]] = defaultdict(list)
    for one in found:
        groups[one.state.shape[1]].append(one)
    return [
        Experience(*(torch.cat(parts).to(device) for parts in zip(*(vars(one).values() for one in own), strict=True)))
        for _, own in sorted(groups.items())
    ]
