"""The light quality network: how good the mask of an object is, from picture and soft mask. This project's own.

It answers the question of IVOS-W's assessment network (`model.quality_net`; Yin et al., CVPR 2021) on a CPU: the object
is cut out with some of what surrounds it. What the mask's own softness says of J, which ranks masks well by itself, is
corrected by features inside the mask, along its outline and of the whole cut-out. Networks only, tensors in and out.
"""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.checkpoint import load_into, load_state
from model.encoders import BasicBlock, ResNet
from model.light import IMAGE_MEAN, IMAGE_STD, LightNet

SIDE = 128
"""Rows and columns of what the network sees."""
_MARGIN = 0.25
"""Of the object's extent, on each side."""
_LEAST = 0.25
"""Of the picture's shorter side: the extent of a smaller object counts as this, so that its surroundings are seen."""
_WIDTHS = (32, 64, 128)
_CONTEXT = 192
_HIDDEN = 128
_SURE = 0.01
"""How near to 0 and 1 the softness may take the prediction."""


class LightQualityNet(nn.Module):
    """An encoder down to 1/32 whose features are pooled over the mask, its outline and everything."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ResNet(BasicBlock, (1, 1, 1), widths=_WIDTHS, in_channels=4)
        self.context = BasicBlock(_WIDTHS[-1], _CONTEXT, 2)
        self.pooled = nn.Linear(2 * sum(_WIDTHS) + _CONTEXT, _HIDDEN)
        self.trust = nn.Linear(1, 1)
        self.judge = nn.Linear(_HIDDEN, 1)
        # Training starts from what the softness says.
        nn.init.ones_(self.trust.weight)
        for parameter in (self.trust.bias, self.judge.weight, self.judge.bias):
            nn.init.zeros_(parameter)

    def forward(self, image: Tensor, prob: Tensor) -> Tensor:
        """Judge one object per row.

        Args:
            image: [B, 3, SIDE, SIDE], RGB in 0..1. prob: [B, SIDE, SIDE], the object's probability; see `cut_out`.

        Returns:
            float32 [B] logits; a sigmoid gives the predicted J.
        """
        mean, std = (image.new_tensor(values).view(3, 1, 1) for values in (IMAGE_MEAN, IMAGE_STD))
        planes = torch.cat([(image - mean) / std, prob[:, None]], 1)
        maps = self.encoder.stages(planes)
        inside, outline = prob[:, None], 4 * prob[:, None] * (1 - prob[:, None]) + _rim(prob[:, None])
        parts = [_pooled(features, weight) for features in maps for weight in (inside, outline)]
        parts.append(self.context(maps[-1]).mean((2, 3)))
        correction = self.judge(F.relu(self.pooled(torch.cat(parts, 1))))
        return (self.trust(torch.logit(expected_overlaps(prob.float()), _SURE)[:, None]) + correction)[:, 0].float()

    def start_from(self, light: LightNet) -> None:
        """Take over the encoder of pictures with masks of a propagation network of width 1."""
        source = light.value_encoder.state_dict()
        # Its last plane, the masks of other objects, has no counterpart here.
        self.encoder.load_state_dict(source | {"conv1.weight": source["conv1.weight"][:, :4]})


def expected_overlaps(prob: Tensor) -> Tensor:
    """`inference_core.confidence.expected_overlap`, which says what it means, of each plane: [B, h, w] -> [B], 0..1."""
    inside = prob > 0.5
    area, common = inside.sum((1, 2)), (prob * inside).sum((1, 2))
    overlap = common / (area + prob.sum((1, 2)) - common).clamp(1e-6)
    return torch.where(area > 0, overlap, 1 - prob.amax((1, 2)))


def _rim(prob: Tensor) -> Tensor:
    """[B, 1, h, w] 0/1: pixels of `prob` > 0.5 with a neighbour that is not, and these."""
    inside = (prob > 0.5).to(prob.dtype)
    return F.max_pool2d(inside, 3, 1, 1) + F.max_pool2d(-inside, 3, 1, 1)


def _pooled(features: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over the places: [B, C, h, w] and [B, 1, H, W] -> [B, C]; zeros where nothing weighs."""
    small = F.interpolate(weight, features.shape[-2:], mode="area").to(features.dtype)
    return (features * small).sum((2, 3)) / small.sum((2, 3)).clamp(1e-4)


def cut_out(image: Tensor, prob: Tensor) -> tuple[Tensor, Tensor]:
    """An object with its surroundings, brought to the network's size; of the whole picture where the mask is empty.

    Args:
        image: float32 [3, H, W]. prob: float32 [H, W].

    Returns:
        float32 [3, SIDE, SIDE] and [SIDE, SIDE], both the mean of what each of their pixels covers.
    """
    size = prob.shape
    inside = prob > 0.5
    least = _LEAST * min(size)
    rows, columns = (_interval(inside.any(1 - axis), least, size[axis]) for axis in (0, 1))
    planes = torch.cat([image, prob[None]])[None, :, rows, columns]
    seen = F.interpolate(planes, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)[0]
    return seen[:3], seen[3]


def _interval(occupied: Tensor, least: float, length: int) -> slice:
    """From the first to the last place with a margin, within the picture; all of it where there is none."""
    places = occupied.nonzero()[:, 0]
    if not len(places):
        return slice(0, length)
    low, high = int(places[0]), int(places[-1]) + 1
    more = max(0.0, least - (high - low)) / 2 + _MARGIN * max(float(high - low), least)
    return slice(max(0, round(low - more)), min(length, round(high + more)))


def load_light_quality(path: Path) -> LightQualityNet:
    """The network of a weight file; in eval mode, on the CPU, float32. AppError if the file holds something else."""
    network = LightQualityNet()
    load_into(network, load_state(path), path)
    return network.eval().requires_grad_(False)
