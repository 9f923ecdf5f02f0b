"""Training of the light propagation network on rendered clips."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from generation.clips import ClipBatch, ClipRenderer
from generation.pack import load_pack
from model.attention import l2_similarity, scores
from model.light import IMAGE_MEAN, IMAGE_STD, LightFeatures, LightNet
from training.losses import key_loss, mask_loss, object_logits
from training.mask_mistakes import mistaken
from training.preset import Preset
from training.scoring import MaskScores

KEY_WEIGHT = 0.5
_HARD, _NEAR = 1.5, 0.5
"""Amount of motion, and share of the steps between frames that are as small as those of a film."""
_REMEMBERED = 0.5
"""Chance that a frame joins the memory once it was predicted. While a film is followed most do not, so that the frame
before is known by its mask alone and what is remembered lies farther back."""
_MISTAKEN = 0.25
"""Chance that the decoder is shown a frame before whose mask went wrong. Over a few frames a roll-out hardly errs, over
hundreds it does: what is remembered has to bring back what was lost, and to drop what leaked."""
_EASY_UNTIL, _HARD_FROM, _HARDEST = 0.2, 0.7, 0.2
"""The cross-entropy counts all pixels at first, then ever fewer, the hardest ones."""
_SCORE_CLIPS, _SCORE_FRAMES, _SCORE_SIDE, _SCORE_BATCH = 24, 8, 192, 4
_SCORE_SEED = 1


class PropagationTask:
    """See `training.task.Task`."""

    name = "light-propagation"

    def __init__(self, preset: Preset, train: Path, heldout: Path, device: torch.device) -> None:
        self._preset = preset
        self._train = ClipRenderer(
            load_pack(train), device, seed=preset.seed, frames=preset.frames, hard=_HARD, near=_NEAR
        )
        self._heldout = ClipRenderer(load_pack(heldout), device, seed=_SCORE_SEED, frames=_SCORE_FRAMES)

    def build(self) -> nn.Module:
        return LightNet(self._preset.width)

    def loss_module(self, network: nn.Module) -> nn.Module:
        assert isinstance(network, LightNet)
        return PropagationLoss(network)

    def batch(self, number: int, size: int, side: int) -> ClipBatch:
        return self._train.batch(number, size, side)

    @torch.no_grad()
    def score(self, network: nn.Module) -> dict[str, float]:
        """J and F over held-out clips, each followed through 8 frames by its own predictions."""
        assert isinstance(network, LightNet)
        result = MaskScores()
        for number in range(_SCORE_CLIPS // _SCORE_BATCH):
            clips = self._heldout.batch(number, _SCORE_BATCH, _SCORE_SIDE)
            for frame, logits in enumerate(roll_out(network, clips), 1):
                result.add(logits.argmax(1), clips.mask[:, frame], clips.valid)
        return result.summary()


class PropagationLoss(nn.Module):
    """Network and loss in one module, as distributed training needs it."""

    def __init__(self, network: LightNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: ClipBatch, progress: float, gen: torch.Generator) -> dict[str, Tensor]:
        """Parts of the loss; their sum is minimised.

        Args:
            progress: share of the training that is done.
        """
        done = (progress - _EASY_UNTIL) / (_HARD_FROM - _EASY_UNTIL)
        hardest = 1 - (1 - _HARDEST) * min(1.0, max(0.0, done))
        features = encode_clips(self.network, clips)
        key = features.key.view(*clips.image.shape[:2], *features.key.shape[1:])
        parts = {"key": KEY_WEIGHT * key_loss(key, clips.point, gen)}
        steps = clips.image.shape[1] - 1
        entropy, dice = key.new_zeros(()), key.new_zeros(())
        remembers = (torch.rand(steps - 1, device=gen.device, generator=gen) < _REMEMBERED).tolist()
        for frame, logits in enumerate(roll_out(self.network, clips, features, remembers, gen), 1):
            one, other = mask_loss(logits, clips.mask[:, frame], hardest)
            entropy, dice = entropy + one / steps, dice + other / steps
        return parts | {"cross_entropy": entropy, "dice": dice}


def normalised(image: Tensor) -> Tensor:
    """RGB in 0..1 [..., 3, H, W] as the network takes it."""
    mean, std = (image.new_tensor(v).view(3, 1, 1) for v in (IMAGE_MEAN, IMAGE_STD))
    return (image - mean) / std


def encode_clips(network: LightNet, clips: ClipBatch) -> LightFeatures:
    """Features of all frames at once; B is clips times frames."""
    images = normalised(clips.image).flatten(0, 1).contiguous(memory_format=torch.channels_last)
    return network.encode_key(images)


def _some_mistaken(masks: Tensor, gen: torch.Generator) -> Tensor:
    rows = (torch.rand(len(masks), device=masks.device, generator=gen) < _MISTAKEN).nonzero(as_tuple=True)
    return masks.index_put(rows, mistaken(masks[rows], gen)) if len(rows[0]) else masks


def _joined(parts: Sequence[Tensor], rows: Sequence[int]) -> Tensor:
    """Of parts [1, ...] those wanted, [len(rows), ...]. The way back adds up whole parts: an index over one tensor,
    which says the same, takes a tenth of a training step."""
    return torch.cat([parts[row] for row in rows] or [parts[0][:0]])


def roll_out(
    network: LightNet,
    clips: ClipBatch,
    features: LightFeatures | None = None,
    remembers: Sequence[bool] | None = None,
    mistakes: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Follow the first frame's masks through the clips.

    Args:
        features: what `encode_clips` gives for them.
        remembers: whether each frame from the second on joins the memory with what was predicted there; None: all do.
        mistakes: makes some of the masks that the decoder is shown of the frame before wrong; None: none.

    Yields:
        float32 [B, 1+K, s, s] logits of the frames 1, 2, ..., the background first.
    """
    num_clips, frames = clips.image.shape[:2]
    if features is None:
        features = encode_clips(network, clips)
    key = features.key.flatten(2).unflatten(0, (num_clips, frames))
    parts = [f.split(1) for f in features]
    images = normalised(clips.image)
    # One row per object that is there, of whatever clip.
    clip, slot = clips.valid.nonzero(as_tuple=True)
    owner: list[int] = clip.tolist()

    def maps_of(frame: int) -> LightFeatures:
        return LightFeatures(*(_joined(part, [at * frames + frame for at in owner]) for part in parts))

    prob, keys, values = clips.mask[:, 0], [], []
    for frame in range(1, frames):
        own = prob[clip, slot]
        rest = prob.sum(1)[clip] - own
        if frame == 1 or remembers is None or remembers[frame - 2]:
            before = maps_of(frame - 1)
            values.append(network.encode_value(images[clip, frame - 1], before, own, rest).flatten(2))
            keys.append(key[:, frame - 1])
        value = torch.cat(values, 2)
        affinity = scores(*l2_similarity(torch.cat(keys, 2), key[:, frame])).softmax(2).to(value.dtype).split(1)
        read = torch.bmm(value, _joined(affinity, owner).transpose(1, 2))
        now = maps_of(frame)
        if mistakes is not None:
            own = _some_mistaken(own, mistakes)
        logit = network.decode(read.unflatten(2, now.f8.shape[-2:]), now, own, rest)
        each = prob.new_zeros(prob.shape).index_put((clip, slot), torch.sigmoid(logit.float()))
        logits = object_logits(each)
        yield logits
        prob = logits.softmax(1)[:, 1:] * clips.valid[:, :, None, None]
