"""Merging a new propagation result with the one that was there, between two key frames."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from inference_core.device import ComputeDevice
from model.fusion_net import FusionNet
from model.light_fusion import LightFusionNet


@dataclass(frozen=True)
class FusionInput:
    """Two results for the same frame and objects.

    Args:
        image: [1, 3, Hp, Wp]; None where the fusion does not need attention.
        old, new: [A, Hp, Wp] object probabilities.
        attention: [A, 2, Hp, Wp] where the user's correction shows on this frame; None if that is not known.
        old_distance: frames to the key frame behind `old`, as a share of the gap between the two key frames.
        new_distance: the same to the anchor of the running pass; both sum to 1.
    """

    image: Tensor | None
    old: Tensor
    new: Tensor
    attention: Tensor | None
    old_distance: float
    new_distance: float


class Fuser(Protocol):
    """`name` goes into the statistics; without `needs_attention` it sees no image and no attention is computed."""

    name: str
    needs_attention: bool

    def fuse(self, given: FusionInput) -> Tensor:
        """[A, Hp, Wp] object probabilities, independent of each other."""


class LinearFuser:
    """Weighs both results by how near their key frames are."""

    name = "linear"
    needs_attention = False

    def fuse(self, given: FusionInput) -> Tensor:
        return given.old_distance * given.new + given.new_distance * given.old


class NewestFuser:
    """Takes the new result: no fusion, for comparison."""

    name = "none"
    needs_attention = False

    def fuse(self, given: FusionInput) -> Tensor:
        return given.new


class NetworkFuser:
    """By a network (Cheng et al., CVPR 2021, or our own); by distance where the correction is not known."""

    name = "network"
    needs_attention = True

    def __init__(self, network: FusionNet | LightFusionNet, compute: ComputeDevice) -> None:
        self._network = network
        self._compute = compute
        self._linear = LinearFuser()

    def fuse(self, given: FusionInput) -> Tensor:
        if given.attention is None:
            return self._linear.fuse(given)
        with self._compute.autocast():
            logits = self._network(
                given.image, given.old, given.new, given.attention, given.old_distance, given.new_distance
            )
        return torch.sigmoid(logits.float())
