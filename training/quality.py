"""Training of IVOS-W's quality network: from the picture and the soft mask of one object to how good that mask is.

The samples are made once, by `training.quality_samples`. Yin, Zheng, Xia, Lu, Xu, Huang: "Learning to Recommend Frame
for Interactive Video Object Segmentation in the Wild", CVPR 2021, train their network on the masks of a propagation
network in the same way.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from evaluation.rounds import rank_correlation
from model.quality_net import QualityNet
from training.preset import Preset
from training.quality_files import ImageSamples, QualitySamples, load_samples

_EVEN_BINS = 10
_EVEN_SHARE = 0.5
"""So much of a batch is drawn evenly over the range of the truth; most masks are good, and bad ones are to be known."""
_HARD_SHARE = 0.15
"""How often a mask is without its softness, as those are that a person drew or an earlier session left."""
_LIGHT = 0.2
"""Most that contrast and brightness change."""
_SCORE_BATCH = 64


@dataclass(frozen=True)
class QualityBatch:
    """B masks: image float32 [B, 3, S, S] in 0..1, prob float32 [B, S, S], target float32 [B] in 0..1."""

    image: Tensor
    prob: Tensor
    target: Tensor


class PublishedQualityTask:
    """See `training.task.Task`: of the network that predicts J&F, from random weights or from those of `--init`."""

    name = "quality"

    def __init__(self, preset: Preset, train: Path, heldout: Path, device: torch.device) -> None:
        self._seed, self._device = preset.seed, device
        self._train, self._heldout = load_samples(train, ImageSamples), load_samples(heldout, ImageSamples)
        self._weight = _even(truth(self._train))

    def build(self) -> nn.Module:
        return QualityNet()

    def loss_module(self, network: nn.Module) -> nn.Module:
        assert isinstance(network, QualityNet)
        return PublishedQualityLoss(network)

    def batch(self, number: int, size: int, side: int) -> QualityBatch:
        """`size` samples, brought to `side`, some mirrored, in other light than they had and some without softness."""
        rng = np.random.default_rng([self._seed, number])
        index = rng.choice(len(self._train), size, p=self._weight)
        image, prob = self._pixels(self._train, index)
        flipped = torch.from_numpy(rng.random(size) < 0.5).to(self._device)
        image = torch.where(flipped[:, None, None, None], image.flip(3), image)
        prob = torch.where(flipped[:, None, None], prob.flip(2), prob)
        contrast, brightness = (
            torch.from_numpy(rng.uniform(-_LIGHT, _LIGHT, (size, 1, 1, 1)).astype(np.float32)).to(self._device)
            for _ in range(2)
        )
        mean = image.mean((1, 2, 3), keepdim=True)
        image = (mean + (image - mean) * (1 + contrast) + brightness * mean).clamp(0, 1)
        is_hard = torch.from_numpy(rng.random(size) < _HARD_SHARE).to(self._device)[:, None, None]
        prob = torch.where(is_hard, (prob > 0.5).float(), prob)
        if side != image.shape[-1]:
            image = F.interpolate(image, (side, side), mode="area")
            prob = F.interpolate(prob[:, None], (side, side), mode="area")[:, 0]
        return QualityBatch(image, prob, torch.from_numpy(truth(self._train)[index]).to(self._device))

    def _pixels(self, samples: ImageSamples, index: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        image = torch.from_numpy(samples.image[index]).to(self._device).permute(0, 3, 1, 2).float() / 255
        return image, torch.from_numpy(samples.prob[index]).to(self._device).float() / 255

    @torch.no_grad()
    def score(self, network: nn.Module) -> dict[str, float]:
        """See `rank_scores`; on all held-out masks."""
        assert isinstance(network, QualityNet)
        found = []
        for start in range(0, len(self._heldout), _SCORE_BATCH):
            index = np.arange(start, min(start + _SCORE_BATCH, len(self._heldout)))
            found.append(network.judge(*self._pixels(self._heldout, index)).float().cpu().numpy())
        return rank_scores(self._heldout, np.concatenate(found), truth(self._heldout))


class PublishedQualityLoss(nn.Module):
    """Network and loss in one module, as distributed training needs it."""

    def __init__(self, network: QualityNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: QualityBatch, progress: float, gen: torch.Generator) -> dict[str, Tensor]:
        """Squared error, as published."""
        return {"squared_error": F.mse_loss(self.network.judge(batch.image, batch.prob).float(), batch.target)}


def _even(truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """How likely each sample is drawn: partly all alike, partly all tenths of the truth alike."""
    tenth = np.minimum((truth * _EVEN_BINS).astype(np.int64), _EVEN_BINS - 1)
    counts = np.bincount(tenth, minlength=_EVEN_BINS)
    even = 1 / (counts[tenth] * np.count_nonzero(counts))
    return np.asarray(_EVEN_SHARE * even + (1 - _EVEN_SHARE) / len(truth), np.float64)


def truth(samples: ImageSamples) -> NDArray[np.float32]:
    """What is to be predicted: J&F."""
    return (samples.region + samples.contour) / 2


def rank_scores(
    samples: QualitySamples, predicted: NDArray[np.float32], truth: NDArray[np.float32]
) -> dict[str, float]:
    """In percent: rank correlations with the truth, over all masks and as a mean over sequences, and the mean error.

    Beside that of the prediction those of the margin. What is the same for all masks orders nothing: 0.
    """
    scores = {}
    for name, values in (("", predicted), (" margin", samples.margin)):
        clips = [rank_correlation(values[own], truth[own]) for own in _by_clip(samples)]
        known = [value for value in clips if value == value]
        overall = rank_correlation(values, truth)
        scores[f"rank{name}"] = 100 * overall if overall == overall else 0.0
        scores[f"rank in clips{name}"] = 100 * float(np.mean(known)) if known else 0.0
    return scores | {"error": 100 * float(np.abs(predicted - truth).mean())}


def _by_clip(samples: QualitySamples) -> list[NDArray[np.int64]]:
    """Indices of each sequence's samples."""
    return [np.flatnonzero(samples.clip == clip) for clip in np.unique(samples.clip)]
