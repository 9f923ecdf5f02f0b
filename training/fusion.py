"""Training of the fusion network of the light engine, on the light network's own mistakes.

The network has the published shape (Cheng, Tai, Tang: "Modular Interactive Video Object Segmentation", CVPR 2021).
"""
from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from generation.clips import ClipRenderer
from generation.pack import load_pack
from inference_core.device import open_device
from inference_core.fusion import Fuser, FusionInput, LinearFuser, NetworkFuser, NewestFuser
from model.aggregate import aggregate
from model.fusion_net import FusionNet
from training.fusion_rounds import FusionFrame, SecondRounds, clips_of
from training.losses import mask_loss, object_logits
from training.preset import Preset
from training.scoring import MaskScores
from util.errors import AppError

FRAMES_PER_CLIP = 4
"""Of one clip in one batch; playing a clip costs more than learning from all of its frames."""
_SHARED_BY = 4
"""Batches in a row that take their frames from the same clips."""
_CROP = 96
_DIFFERENT, _LEAST_PIXELS = 0.1, 0.0007
"""A frame is learnt from when both results differ by more than this on this share of its pixels."""
_MOST_TRIES = 20
_HARD = 0.5
"""Motion per frame: these clips are longer than those of the propagation network."""
_HARDEST, _EASY_UNTIL = 0.25, 0.2
_SCORE_CLIPS, _SCORE_SIDE, _SCORE_EVERY, _SCORE_SEED = 16, 192, 2, 2
_STEEPNESS = 8.0
"""Logits at the start go from minus to plus half of this."""
_LINEAR = (
    (1.0, 0.0, 0.0, 0.5),
    (0.0, 1.0, 0.0, 0.5),
    (-1.0, 1.0, 0.5, 0.5),
    (1.0, -1.0, -0.5, 0.5),
    (-1.0, 1.0, -0.5, -0.5),
    (1.0, -1.0, 0.5, -0.5),
)
"""Channels that make fusion by distance: weight of old, of new, of old minus new distance, and in the result."""


class FusionTask:
    """See `training.task.Task`.

    Args:
        weights: of the light network whose mistakes are to be mended.
    """

    name = "light-fusion"

    def __init__(self, preset: Preset, train: Path, heldout: Path, device: torch.device, weights: Path) -> None:
        self._seed = preset.seed
        # As the product runs: the rounds are played in the precision that pays on this device.
        self._compute = open_device(device.type, mixed_precision=True)
        self._rounds = SecondRounds(weights, self._compute)
        self._train, self._heldout = (
            ClipRenderer(load_pack(pack), device, seed=seed, frames=preset.frames, hard=_HARD)
            for pack, seed in ((train, preset.seed), (heldout, _SCORE_SEED))
        )
        self._clips = lru_cache(maxsize=1)(self._play_clips)
        self._scored: list[FusionFrame] = []

    def build(self) -> nn.Module:
        network = FusionNet()
        start_as_linear(network)
        return network

    def loss_module(self, network: nn.Module) -> nn.Module:
        assert isinstance(network, FusionNet)
        return FusionLoss(network)

    def batch(self, number: int, size: int, side: int) -> list[FusionFrame]:
        """`size` cut-out frames. Raises AppError when the network makes no mistakes on any clip."""
        group, part = divmod(number, _SHARED_BY)
        rng = np.random.default_rng([self._seed, number, 1])
        result: list[FusionFrame] = []
        for frames in self._clips(group, -(-size // FRAMES_PER_CLIP), side):
            for index in range(part * FRAMES_PER_CLIP, (part + 1) * FRAMES_PER_CLIP):
                result.append(cut_out(frames[index % len(frames)], min(_CROP, side), rng))
        return result[:size]

    def _play_clips(self, group: int, count: int, side: int) -> list[list[FusionFrame]]:
        """Frames of `count` clips, each in random order and with differing results."""
        rng = np.random.default_rng([self._seed, group])
        clips: list[list[FusionFrame]] = []
        for attempt in range(_MOST_TRIES):
            for clip in clips_of(self._train.batch(group * _MOST_TRIES + attempt, count - len(clips), side)):
                frames = [f for f in self._rounds.play(clip, rng, spoil=True) if is_instructive(f)]
                if frames:
                    clips.append([frames[i] for i in rng.permutation(len(frames))])
            if len(clips) == count:
                return clips
        raise AppError("Old and new results agree on every clip: there is nothing for a fusion network to learn.")

    @torch.no_grad()
    def score(self, network: nn.Module) -> dict[str, float]:
        """J&F of frames between two key frames on held-out clips: fused by the network, and by simpler means."""
        assert isinstance(network, FusionNet)
        if not self._scored:
            self._scored = self._play_heldout()
        own = NetworkFuser(network, self._compute)
        fusers: dict[str, Fuser] = {"": own, " linear": LinearFuser(), " newest": NewestFuser(), " old": _Older()}
        scores = {}
        for name, fuser in fusers.items():
            result = MaskScores()
            for frame in self._scored:
                labels = aggregate(fuser.fuse(frame.given)).argmax(0)
                result.add(labels[None], frame.truth[None], torch.ones(1, len(frame.truth), dtype=torch.bool))
            summary = result.summary()
            scores |= summary if name == "" else {f"J&F{name}": summary["J&F"]}
        return scores

    def _play_heldout(self) -> list[FusionFrame]:
        rng = np.random.default_rng(_SCORE_SEED)
        frames = []
        for number in range(_SCORE_CLIPS):
            for clip in clips_of(self._heldout.batch(number, 1, _SCORE_SIDE)):
                frames += self._rounds.play(clip, rng, spoil=False)[::_SCORE_EVERY]
        return frames


class FusionLoss(nn.Module):
    """Network and loss in one module, as distributed training needs it."""

    def __init__(self, network: FusionNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: list[FusionFrame], progress: float, gen: torch.Generator) -> dict[str, Tensor]:
        """Parts of the loss; their sum is minimised.

        Args:
            progress: share of the training that is done.
        """
        hardest = 1.0 if progress < _EASY_UNTIL else _HARDEST
        parts = []
        for frame in frames:
            given = frame.given
            logits = self.network(
                given.image, given.old, given.new, given.attention, given.old_distance, given.new_distance
            )
            everything = object_logits(torch.sigmoid(logits)[None])
            parts.append(torch.stack(mask_loss(everything, frame.truth[None], hardest)))
        entropy, dice = torch.stack(parts).mean(0)
        return {"cross_entropy": entropy, "dice": dice}


class _Older:
    """The other extreme of `NewestFuser`, to be compared with."""

    name = "old"
    needs_attention = False

    def fuse(self, given: FusionInput) -> Tensor:
        return given.old


def is_instructive(frame: FusionFrame) -> bool:
    """Whether old and new result differ enough for a choice between them."""
    apart = (frame.given.old - frame.given.new).abs() > _DIFFERENT
    return apart.float().mean().item() > _LEAST_PIXELS


def cut_out(frame: FusionFrame, side: int, rng: np.random.Generator) -> FusionFrame:
    """A window of side x side pixels around some pixel on which both results differ, copied."""
    given = frame.given
    assert given.attention is not None
    apart = ((given.old - given.new).abs() > _DIFFERENT).any(0).nonzero()
    middle = apart[int(rng.integers(len(apart)))].tolist()
    top, left = (
        min(max(at - int(rng.integers(side)), 0), whole - side)
        for at, whole in zip(middle, given.new.shape[1:], strict=True)
    )
    window = (..., slice(top, top + side), slice(left, left + side))
    # Copies: what the engine recorded are inference tensors, which autograd may not keep.
    planes = replace(
        given,
        image=given.image[window].clone(),
        old=given.old[window].clone(),
        new=given.new[window].clone(),
        attention=given.attention[window].clone(),
    )
    return FusionFrame(planes, frame.truth[window].clone())


@torch.no_grad()
def start_as_linear(network: FusionNet) -> None:
    """Let training start from fusion by distance, instead of from nothing.

    With e = (old distance - new distance) / 2 and d = new - old, that is (old + new) / 2 + e * d. Two channels carry
    old and new straight through; four more make (|d + e| - |d - e|) / 2, which is e * d wherever d is -1, 0 or 1.
    """
    for branch in (network.conv2, network.conv3):
        nn.init.zeros_(branch[2].weight)
        nn.init.zeros_(branch[2].bias)
    nn.init.zeros_(network.final_conv.weight)
    nn.init.constant_(network.final_conv.bias, -_STEEPNESS / 2)
    first, last = network.conv1[0], network.final_conv
    for channel, (old, new, share, out) in enumerate(_LINEAR):
        first.weight[channel] = 0
        first.bias[channel] = 0
        first.weight[channel, 3:5, 1, 1] = torch.tensor([old, new])
        first.weight[channel, 7:9, 1, 1] = torch.tensor([share, -share])
        last.weight[0, channel, 1, 1] = _STEEPNESS * out
