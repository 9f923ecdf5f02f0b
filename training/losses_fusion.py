"""What the published fusion network was taught by: cross-entropy over the hardest pixels of two competing objects.

Cheng, Tai, Tang: "Modular Interactive Video Object Segmentation", CVPR 2021, section 4. The share of pixels that count
shrinks during training (bootstrapped cross-entropy, Wu et al. 2016).
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from model.aggregate import object_logits


@dataclass(frozen=True)
class Bootstrap:
    """How many of the hardest pixels count at a step of the training.

    Args:
        start: first step at which not all of them do. end: step from which on only `share` of them do.
        share: of the pixels, 0..1.
    """

    start: float
    end: float
    share: float = 0.15

    @classmethod
    def of(cls, steps: int) -> Bootstrap:
        """The schedule of a training of so many steps."""
        return cls(0.2 * steps, 0.5 * steps)

    def at(self, step: int) -> float:
        """The share that counts at this step: 1, then falling in a line, then `share`."""
        if step < self.start:
            return 1.0
        left = max(0, self.end - step) / (self.end - self.start)
        return self.share + (1 - self.share) * left


def hardest_cross_entropy(logits: Tensor, target: Tensor, share: float) -> Tensor:
    """Mean cross-entropy of the pixels that are worst.

    Args:
        logits: [B, C, H, W]. target: int64 [B, H, W], the right channel.
        share: of all B*H*W pixels, 0..1; rounded down.
    """
    loss = F.cross_entropy(logits, target, reduction="none").flatten()
    if share < 1:
        loss = loss.topk(int(loss.numel() * share), sorted=False).values
    return loss.mean()


def pair_logits(prob: Tensor, present: Tensor) -> Tensor:
    """Two objects and the background in competition.

    Args:
        prob: [B, 2, H, W] probability of each object. present: [B, 2] 0/1, whether there is such an object.

    Returns:
        float32 [B, 3, H, W] logits, background first.
    """
    return object_logits((prob * present[:, :, None, None]).transpose(0, 1)).transpose(0, 1)


def fusion_loss(logits: Tensor, target: Tensor, present: Tensor, share: float) -> Tensor:
    """The mean over a batch of each sample's loss over the objects it has.

    Args:
        logits: as `pair_logits` returns them.
        target: int64 [B, H, W]: 0 background, 1 or 2 the object.
        present: [B, 2] 0/1; a sample without a second object has no third channel to compete.
        share: see `hardest_cross_entropy`; of each sample's pixels.
    """
    channels = [3 if is_there else 2 for is_there in present[:, 1].tolist()]
    losses = [
        hardest_cross_entropy(logits[i : i + 1, :count], target[i : i + 1], share) for i, count in enumerate(channels)
    ]
    return torch.stack(losses).mean()
