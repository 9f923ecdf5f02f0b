"""Samples for the light fusion network: frames between two key frames, with both results and the truth.

    python -m training.fusion_samples --pack PACK --out FOLDER [--count N] [--seed N] [--weights FILE]

Clips are rendered from a pack (`python -m generation.pack`) and corrected through the program's own loop
(`training.fusion_rounds`); of every seventh clip some first masks are imperfect. Frames on which both results agree are
left out. Every clip is a file in the folder; the same command goes on with those that are missing.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.clips import ClipRenderer
from generation.pack import load_pack
from inference_core.device import open_device
from model import zoo
from storage.atomic_file import disk_error
from training.fusion import DIFFERENT
from training.fusion_files import FusionSamples
from training.fusion_rounds import FusionFrame, SecondRounds, clips_of
from training.sample_files import SUFFIX
from util.errors import AppError
from util.flags import integer
from util.threads import calm_openmp


@dataclass(frozen=True)
class Scene:
    """A kind of clips. Args: side: of their frames; frames, hard, near, turning: see `ClipRenderer`."""

    side: int
    frames: int
    hard: float
    near: float = 0.0
    turning: float = 0.0


_SCENES = (Scene(320, 36, 1.0, near=1.0), Scene(256, 12, 0.5), Scene(320, 24, 1.0, near=1.0, turning=0.5))
"""Taken in turn. Without steps as small as a film's, motion is less per frame than in the propagation network's clips,
which are shorter."""
_SPOILT_EVERY = 7
_KEPT = 10
"""Frames kept of a clip, at most: neighbours in a film teach the same."""
_LEAST_PIXELS = 0.0007
"""A frame is kept when its results differ (`DIFFERENT`) on this share of its pixels."""


@dataclass(frozen=True)
class SampleOrder:
    """What is to be made. Args: weights: of the light network whose mistakes are to be mended."""

    pack: Path
    weights: Path
    seed: int
    device: str


class SamplePlayer:
    """Renders clips, corrects them, and keeps what is worth learning from."""

    def __init__(self, order: SampleOrder) -> None:
        # As the product runs: the rounds are played in the precision that pays on this device.
        compute = open_device(order.device, mixed_precision=True)
        self._seed = order.seed
        self._rounds = SecondRounds(order.weights, compute)
        renderer = ClipRenderer(load_pack(order.pack), compute.device, seed=order.seed)
        self._scenes = [
            (scene.side, renderer.moving(frames=scene.frames, hard=scene.hard, near=scene.near, turning=scene.turning))
            for scene in _SCENES
        ]

    def play(self, number: int) -> FusionSamples | None:
        """Frames of one clip on which both results differ; None if there are none. A function of the number."""
        side, renderer = self._scenes[number % len(self._scenes)]
        clip = clips_of(renderer.batch(number, 1, side))[0]
        rng = np.random.default_rng([self._seed, number])
        frames = [f for f in self._rounds.play(clip, rng, spoil=number % _SPOILT_EVERY == 0) if is_instructive(f)]
        if not frames:
            return None
        kept = rng.choice(len(frames), min(_KEPT, len(frames)), replace=False)
        return FusionSamples.of([frames[index] for index in sorted(kept)])


def is_instructive(frame: FusionFrame) -> bool:
    """Whether old and new result differ enough for a choice between them, and the correction is known."""
    apart = (frame.given.old - frame.given.new).abs() > DIFFERENT
    return frame.given.attention is not None and apart.float().mean().item() > _LEAST_PIXELS


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m training.fusion_samples", description="Corrected clips.")
    parser.add_argument("--pack", type=Path, required=True, help="pictures that clips are made of")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=integer(1), default=400, help="how many clips to play (default: 400)")
    parser.add_argument("--seed", type=integer(0), default=1, help="of the clips (default: 1)")
    parser.add_argument("--weights", type=Path, help="of the light network; default: the embedded ones")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=integer(1), default=os.cpu_count() or 1, help="of the processor (all)")
    given = parser.parse_args(argv)
    torch.set_num_threads(given.threads)
    try:
        player = SamplePlayer(SampleOrder(given.pack, zoo.resolve("light", given.weights), given.seed, given.device))
        try:
            given.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, given.out) from error
        count = 0
        for number in range(given.count):
            file = given.out / f"clip_{number:04d}{SUFFIX}"
            if file.exists():
                count += len(FusionSamples.load(file))
                continue
            samples = player.play(number)
            if samples is not None:
                samples.save(file)
                count += len(samples)
                print(f"{file.name}: {len(samples)} frames", flush=True)
    except AppError as error:
        print(f"training.fusion_samples: {error}", file=sys.stderr)
        return 2
    print(f"{count} frames: {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
