"""Training of the light interaction network on single rendered frames with simulated prompts."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from evaluation.click_robot import next_click
from evaluation.metrics import region_similarity
from generation.clips import BASE_MIX, ClipRenderer
from generation.pack import PROCEDURAL, load_pack
from inference_core.api import HINT_DIAMETER
from model.interaction_net import InteractionNet
from model.light import load_light
from training.losses import dice_loss
from training.preset import Preset
from training.prompt_simulation import SimulatedPrompts, spoiled
from training.propagation import normalised

_ROUNDS = (0.4, 0.25, 0.2, 0.15)
"""How often a sample has been prompted 0, 1, 2, ... times before the prompt that is learnt from."""
_SPOILED_SHARE = 0.25
"""How often the prompts correct a mask that was there before the first of them."""
_MADE_UP = 0.1
"""Unions of segments play seldom: one click cannot say which neighbours are meant, so guessing would blur the rest."""
_MIX = BASE_MIX | {PROCEDURAL: 0.09, "cars": 0.12, "coco": 0.28}
"""More parts of cars, where a click is hardest to understand, and fewer scenes made of shapes, where it is easy."""
_HARDEST = 0.5
_SCORE_SAMPLES, _SCORE_BATCH, _SCORE_SIDE, _SCORE_CLICKS = 96, 8, 256, 5
_SCORE_SEED = 1


@dataclass(frozen=True)
class Windows:
    """image [B, 3, s, s] in 0..1 and target [B, s, s] 0/1: one object each."""

    image: Tensor
    target: Tensor


class InteractionTask:
    """See `training.task.Task`. `light`: weights of a propagation network to start the encoder from."""

    name = "light-interaction"

    def __init__(self, preset: Preset, train: Path, heldout: Path, device: torch.device, light: Path) -> None:
        self._light = light
        self._train = ClipRenderer(
            load_pack(train), device, seed=preset.seed, frames=1, pastes=1, made_up=_MADE_UP, base_mix=_MIX
        )
        self._heldout = ClipRenderer(load_pack(heldout), device, seed=_SCORE_SEED, frames=1, pastes=1, made_up=0)

    def build(self) -> nn.Module:
        network = InteractionNet()
        network.start_from(load_light(self._light))
        return network

    def loss_module(self, network: nn.Module) -> nn.Module:
        assert isinstance(network, InteractionNet)
        return InteractionLoss(network)

    def batch(self, number: int, size: int, side: int) -> Windows:
        return _windows(self._train, number, size, side)

    @torch.no_grad()
    def score(self, network: nn.Module) -> dict[str, float]:
        """Mean IoU in percent after 1, 3 and 5 clicks of the benchmarks' robot on held-out pictures."""
        assert isinstance(network, InteractionNet)
        scores: list[list[float]] = []
        for number in range(_SCORE_SAMPLES // _SCORE_BATCH):
            windows = _windows(self._heldout, number, _SCORE_BATCH, _SCORE_SIDE)
            scores += _click_scores(network, windows)
        mean = 100 * np.mean(scores, 0)
        return {f"IoU@{n}": float(mean[n - 1]) for n in (1, 3, 5)}


class InteractionLoss(nn.Module):
    """Network and loss in one module, as distributed training needs it."""

    def __init__(self, network: InteractionNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Windows, progress: float, gen: torch.Generator) -> dict[str, Tensor]:
        """Parts of the loss. `progress` does not matter here; all randomness comes from `gen`."""
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=gen, device=gen.device)))
        image = normalised(windows.image).contiguous(memory_format=torch.channels_last)
        previous, hints = self._prompt(image, windows.target, rng)
        logits = self.network(image, previous, hints)
        loss = F.binary_cross_entropy_with_logits(logits, windows.target, reduction="none").flatten(1)
        hardest = loss.topk(int(loss.shape[1] * _HARDEST), 1)[0].mean()
        return {"cross_entropy": hardest, "dice": dice_loss(torch.sigmoid(logits)[:, None], windows.target[:, None])}

    @torch.no_grad()
    def _prompt(self, image: Tensor, target: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """What the network is shown: the previous mask [B, 1, s, s] and hints [B, 2, s, s]."""
        truth = target.cpu().numpy() > 0.5
        masks = [spoiled(t, rng) if rng.random() < _SPOILED_SHARE else np.zeros_like(t) for t in truth]
        prompts = [SimulatedPrompts(t, int(HINT_DIAMETER)) for t in truth]
        rounds = rng.choice(len(_ROUNDS), len(truth), p=_ROUNDS)
        self.network.eval()
        for turn in range(int(rounds.max()) + 1):
            asked = [row for row, last in enumerate(rounds) if turn <= last]
            for row in asked:
                prompts[row].add(masks[row], rng)
            answered = [row for row in asked if turn < rounds[row]]
            if answered:
                previous, hints = _planes([masks[r] for r in answered], [prompts[r] for r in answered], image.device)
                found = self.network(image[answered], previous, hints).cpu().numpy() > 0
                for row, mask in zip(answered, found, strict=True):
                    masks[row] = mask
        self.network.train()
        return _planes(masks, prompts, image.device)


def _windows(renderer: ClipRenderer, number: int, size: int, side: int) -> Windows:
    clips = renderer.batch(number, size, side)
    # Of two objects every second sample takes the second.
    slot = [1 if clip % 2 and bool(clips.valid[clip, 1]) else 0 for clip in range(size)]
    rows = torch.arange(size, device=clips.mask.device)
    return Windows(clips.image[:, 0], clips.mask[rows, 0, slot])


def _planes(
    masks: list[NDArray[np.bool_]], prompts: list[SimulatedPrompts], device: torch.device
) -> tuple[Tensor, Tensor]:
    hints = np.stack([np.stack([p.positive, p.negative]) for p in prompts])
    return tuple(torch.from_numpy(a.astype(np.float32)).to(device) for a in (np.stack(masks)[:, None], hints))


def _click_scores(network: InteractionNet, windows: Windows) -> list[list[float]]:
    """IoU of every window after each click."""
    image = normalised(windows.image)
    truth = windows.target.cpu().numpy() > 0.5
    masks = [np.zeros_like(t) for t in truth]
    prompts = [SimulatedPrompts(t, int(HINT_DIAMETER)) for t in truth]
    scores: list[list[float]] = [[] for _ in truth]
    for _ in range(_SCORE_CLICKS):
        for row, target in enumerate(truth):
            click = next_click(target, masks[row])
            if click is not None:
                prompts[row].click(click.x, click.y, click.positive)
        previous, hints = _planes(masks, prompts, image.device)
        masks = list(network(image, previous, hints).cpu().numpy() > 0)
        for row, target in enumerate(truth):
            scores[row].append(region_similarity(target, masks[row]))
    return scores
