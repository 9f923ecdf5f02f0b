"""Training of the light fusion network on samples of the light network's own mistakes (`training.fusion_samples`)."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference_core.device import open_device
from inference_core.fusion import Fuser, FusionInput, LinearFuser, NetworkFuser, NewestFuser
from model.aggregate import aggregate
from model.fusion_net import planes_of
from model.light_fusion import LightFusionNet
from training.fusion_files import load_fusion_samples
from training.fusion_rounds import FusionFrame
from training.losses import dice_loss, object_logits
from training.preset import Preset
from training.scoring import MaskScores
from util.errors import AppError

DIFFERENT = 0.1
"""Results that differ by more than this ask for a choice."""
_ELSEWHERE = 0.05
"""Weight of pixels on which both results agree, against 1 where they do not."""
_LEAST_AREA = 400
"""In pixels: the cross-entropy counts as a share of the objects' area, as J does, but not of smaller ones."""


class FusionTask:
    """See `training.task.Task`. Args: train, heldout: folders of samples."""

    name = "light-fusion"

    def __init__(self, preset: Preset, train: Path, heldout: Path, device: torch.device) -> None:
        self._seed = preset.seed
        self._compute = open_device(device.type, mixed_precision=True)
        self._clips = load_fusion_samples(train)
        least, side = min(min(clip.labels.shape[1:]) for clip in self._clips), max(s.side for s in preset.stages)
        if least < side:
            raise AppError(f"{train} has frames with a side of {least}; windows have {side}.", "Choose other samples.")
        self._heldout = load_fusion_samples(heldout)

    def build(self) -> nn.Module:
        return LightFusionNet()

    def loss_module(self, network: nn.Module) -> nn.Module:
        assert isinstance(network, LightFusionNet)
        return FusionLoss(network)

    def batch(self, number: int, size: int, side: int) -> list[FusionFrame]:
        """`size` windows of side x side pixels, each of any frame of any clip, turned and mirrored."""
        rng = np.random.default_rng([self._seed, number])
        result = []
        for clip in (self._clips[i] for i in rng.integers(len(self._clips), size=size)):
            frame = turned(cut_out(clip.frame(int(rng.integers(len(clip)))), side, rng), rng)
            result.append(self._here(frame))
        return result

    @torch.no_grad()
    def score(self, network: nn.Module) -> dict[str, float]:
        """J&F of held-out frames between two key frames: fused by the network, and by simpler means."""
        assert isinstance(network, LightFusionNet)
        own = NetworkFuser(network, self._compute)
        fusers: dict[str, Fuser] = {"": own, " linear": LinearFuser(), " newest": NewestFuser(), " old": _Older()}
        results = {name: MaskScores() for name in fusers}
        for samples in self._heldout:
            for frame in (samples.frame(index) for index in range(len(samples))):
                given = self._here(frame).given
                valid = torch.ones(1, len(frame.truth), dtype=torch.bool)
                for name, fuser in fusers.items():
                    results[name].add(aggregate(fuser.fuse(given)).argmax(0)[None], frame.truth[None], valid)
        summaries = {name: result.summary() for name, result in results.items()}
        return summaries[""] | {f"J&F{name}": summary["J&F"] for name, summary in summaries.items() if name}

    def _here(self, frame: FusionFrame) -> FusionFrame:
        return _each(frame, lambda planes: planes.to(self._compute.device))


class FusionLoss(nn.Module):
    """Network and loss in one module, as distributed training needs it."""

    def __init__(self, network: LightFusionNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: list[FusionFrame], progress: float, gen: torch.Generator) -> dict[str, Tensor]:
        """Parts of the loss. Neither `progress` nor chance matters here."""
        planes = [_planes(frame.given) for frame in frames]
        logits = self.network.fused(torch.cat(planes)).split([len(frame.truth) for frame in frames])
        parts = [torch.stack(_frame_loss(own, frame)) for own, frame in zip(logits, frames, strict=True)]
        entropy, dice = torch.stack(parts).mean(0)
        return {"cross_entropy": entropy, "dice": dice}


def _frame_loss(logits: Tensor, frame: FusionFrame) -> tuple[Tensor, Tensor]:
    """Cross-entropy, most of all where the results differ, and soft dice of the objects in competition."""
    everything, truth = object_logits(torch.sigmoid(logits)[None]), frame.truth
    number = torch.arange(1, len(truth) + 1, device=truth.device).view(-1, 1, 1)
    entropy = F.cross_entropy(everything, (truth * number).sum(0).long()[None], reduction="none")[0]
    is_open = ((frame.given.old - frame.given.new).abs().amax(0) > DIFFERENT).float()
    entropy = (entropy * is_open.clamp(min=_ELSEWHERE)).sum() / truth.sum().clamp(min=_LEAST_AREA)
    return entropy, dice_loss(everything.softmax(1)[:, 1:], truth[None])


class _Older:
    """The other extreme of `NewestFuser`, to be compared with."""

    name = "old"
    needs_attention = False

    def fuse(self, given: FusionInput) -> Tensor:
        return given.old


def cut_out(frame: FusionFrame, side: int, rng: np.random.Generator) -> FusionFrame:
    """A window of side x side pixels around some pixel on which both results differ."""
    given = frame.given
    apart = ((given.old - given.new).abs() > DIFFERENT).any(0).nonzero()
    middle = apart[int(rng.integers(len(apart)))].tolist()
    top, left = (
        min(max(at - int(rng.integers(side)), 0), whole - side)
        for at, whole in zip(middle, given.new.shape[1:], strict=True)
    )
    return _each(frame, lambda planes: planes[..., top : top + side, left : left + side])


def turned(frame: FusionFrame, rng: np.random.Generator) -> FusionFrame:
    """By a multiple of 90 degrees, every second one mirrored."""
    quarters, is_mirrored = int(rng.integers(4)), rng.random() < 0.5
    return _each(frame, lambda planes: torch.rot90(planes.flip(-1) if is_mirrored else planes, quarters, (-2, -1)))


def _each(frame: FusionFrame, change: Callable[[Tensor], Tensor]) -> FusionFrame:
    """All planes of a frame changed alike."""
    given = frame.given
    assert given.image is not None and given.attention is not None
    planes = replace(
        given,
        image=change(given.image),
        old=change(given.old),
        new=change(given.new),
        attention=change(given.attention),
    )
    return FusionFrame(planes, change(frame.truth))


def _planes(given: FusionInput) -> Tensor:
    assert given.image is not None and given.attention is not None
    return planes_of(given.image, given.old, given.new, given.attention, given.old_distance, given.new_distance)
