"""Advice on the frame to correct next: how good are the masks, and which frame is it worth looking at?

By the networks of IVOS-W (Yin et al., CVPR 2021) where their weights are here. Without them every propagation leaves
the quality of its masks (`inference_core.light_judge`), and the worst frame comes first. To be built and called on one
thread.
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from inference_core.api import FrameRanker, QualityAssessor
from inference_core.device import ComputeDevice, open_device
from inference_core.frame_choice import WorstFirst
from inference_core.registry import ASSESSOR_WEIGHTS
from model import zoo
from model.quality_agent import QualityAgent, load_quality_agent
from model.quality_net import QualityNet, load_quality_net
from util.types import ImageU8

AGENT_WEIGHTS = "ivosw_agent"


class NetworkAssessor:
    """See `QualityAssessor`: every object by itself, from the frame and the object's probability.

    Args:
        network: in eval mode; is placed on the device.
    """

    name = "predicted by the quality network"

    def __init__(self, network: QualityNet, compute: ComputeDevice) -> None:
        self._network = compute.place(network)
        self._compute = compute

    @torch.inference_mode()
    def quality(self, image: ImageU8, objects: NDArray[np.float32]) -> float:
        """See `QualityAssessor`."""
        if not len(objects):
            raise ValueError("the quality of no object")
        device = self._compute.device
        pixels = torch.tensor(image, device=device).permute(2, 0, 1).float() / 255
        prob = torch.tensor(objects, device=device)
        with self._compute.autocast():
            found = self._network(pixels.expand(len(prob), -1, -1, -1), prob)
        return float(found.float().mean().clamp(0, 1))


class AgentRanker:
    """See `FrameRanker`: by what correcting a frame is worth, which is not always most for the worst one.

    Args:
        network: in eval mode. So small that it stays on the CPU.
    """

    name = "recommended by the frame agent"

    def __init__(self, network: QualityAgent) -> None:
        self._network = network

    @torch.inference_mode()
    def rank(self, quality: Sequence[float], annotations: Sequence[int]) -> list[int]:
        """See `FrameRanker`. Frames that were annotated already may come first again."""
        state = torch.tensor([quality, annotations], dtype=torch.float32).T
        ranked: list[int] = self._network(state[None])[0].argsort(descending=True, stable=True).tolist()
        return ranked


class Advice(NamedTuple):
    """What estimates, and what decides. Without an assessor the quality that every propagation leaves counts."""

    assessor: QualityAssessor | None
    ranker: FrameRanker


def build_assessor(device: str, *, mixed_precision: bool, weights: Path | None = None) -> QualityAssessor | None:
    """IVOS-W's network by the file that is named, or by the one in its place; None where there is none.

    Arguments and errors as `build_advice`.
    """
    if weights is None and not zoo.is_available(ASSESSOR_WEIGHTS):
        return None
    compute = open_device(device, mixed_precision=mixed_precision)
    return NetworkAssessor(load_quality_net(zoo.resolve(ASSESSOR_WEIGHTS, weights)), compute)


def build_agent(weights: Path | None = None) -> AgentRanker | None:
    """The frame agent of the file that is named, or of the one in its place; None where there is none. AppError."""
    if weights is None and not zoo.is_available(AGENT_WEIGHTS):
        return None
    return AgentRanker(load_quality_agent(zoo.resolve(AGENT_WEIGHTS, weights)))


def build_advice(
    device: str, *, mixed_precision: bool, assessor_weights: Path | None = None, agent_weights: Path | None = None
) -> Advice:
    """Each of the two by its network if a file is named or is in its place, else without one.

    Args:
        device: as `--device`.

    Raises:
        AppError: a file that is named is missing, a file is wrong, the device is not there.
    """
    assessor = build_assessor(device, mixed_precision=mixed_precision, weights=assessor_weights)
    return Advice(assessor, build_agent(agent_weights) or WorstFirst())
