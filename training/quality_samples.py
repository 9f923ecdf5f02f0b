"""Samples for quality networks: masks that an engine carried, with their true J.

    python -m training.quality_samples --clips DIR --out FOLDER [--network NAME] [--count N] [--frames N]

`DIR` is a data set in the DAVIS or YouTube-VOS layout, or clips of `python -m generation.sequences`. Every sequence is
played as `evaluation.quality` does: forward from the true first mask, then back from the true mask of the last frame
with fusion, so that masks of every age are among the samples and the errors are the engine's own. For the light network
all masks are kept, each as what the program measures of it while it is made; for IVOS-W's some, as that network sees
them. Every sequence is a file in the folder; the same command goes on with those that are missing.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.correction import find_clips
from evaluation.metrics import contour_accuracy
from evaluation.rounds import Carried, Clip, open_clip, played_rounds
from model.quality_net import cut_out
from storage.atomic_file import disk_error
from training.quality_files import ImageSamples, MeasuredSamples, QualitySamples, load_samples
from training.sample_files import SUFFIX
from util.config import NATIVE_SIZE, AppConfig, short_side
from util.errors import AppError
from util.flags import integer
from util.threads import calm_openmp
from util.types import ImageU8

PER_ROUND = 16
"""Masks taken of each round of a sequence, at random, where they are kept as pictures."""


@dataclass(frozen=True)
class SampleOrder:
    """What is to be made.

    Args:
        config: of the engine. threads: of the processor.
        limit: only the first frames of each sequence; None for all.
    """

    config: AppConfig
    seed: int
    threads: int
    limit: int | None = None


@dataclass(frozen=True)
class _Played:
    """A sequence while it is played."""

    number: int
    seed: int
    clip: Clip

    def rounds(self) -> Iterator[Carried]:
        return played_rounds(self.clip.core, self.clip.truth, self.clip.stored)

    def about(self, chosen: Sequence[Carried]) -> dict[str, NDArray[np.generic]]:
        """What samples for every network have."""
        last = max(self.clip.truth)
        return {
            "region": np.array([one.region for one in chosen], np.float32),
            "margin": np.array([one.measure.margin for one in chosen], np.float32),
            "clip": np.full(len(chosen), self.number, np.int32),
            "age": np.array([last - one.frame if one.round else one.frame for one in chosen], np.int32),
        }


def measured(played: _Played) -> MeasuredSamples:
    """All masks of a sequence."""
    found = list(played.rounds())
    values = np.array([one.measure.values for one in found], np.float32)
    return MeasuredSamples(**played.about(found), values=values)  # type: ignore[arg-type]


def seen(played: _Played) -> ImageSamples:
    """Some masks of a sequence, cut out while they are the stored ones."""
    found: list[tuple[Carried, NDArray[np.uint8], NDArray[np.uint8], float]] = []
    clip = played.clip
    for one in played.rounds():
        prob = clip.core.object_probs(one.frame, [one.object_id])[0]
        areas = (masks[one.frame] == one.object_id for masks in (clip.truth, clip.stored))
        found.append((one, *cut_bytes(clip.frames.get(one.frame), prob), contour_accuracy(*areas)))
    rng = np.random.default_rng([played.seed, played.number])
    rounds = [[row for row in found if row[0].round == wanted] for wanted in (0, 1)]
    chosen = [own[i] for own in rounds for i in sorted(rng.permutation(len(own))[:PER_ROUND])]
    return ImageSamples(
        **played.about([row[0] for row in chosen]),  # type: ignore[arg-type]
        image=np.array([row[1] for row in chosen], np.uint8),
        prob=np.array([row[2] for row in chosen], np.uint8),
        contour=np.array([row[3] for row in chosen], np.float32),
    )


def cut_bytes(image: ImageU8, prob: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """uint8 [H, W, 3] and float32 [H, W] -> what IVOS-W's network sees, uint8 [S, S, 3] and [S, S]."""
    pixels = torch.tensor(image).permute(2, 0, 1).float() / 255
    cut, plane = ((255 * planes).round().to(torch.uint8) for planes in cut_out(pixels, torch.tensor(prob)))
    return cut.permute(1, 2, 0).numpy(), plane.numpy()


@dataclass(frozen=True)
class _Kind:
    """Of samples. Args: make: of a sequence that is about to be played."""

    samples: type[QualitySamples]
    make: Callable[[_Played], QualitySamples]


KINDS = {"light-quality": _Kind(MeasuredSamples, measured), "quality": _Kind(ImageSamples, seen)}
"""By the names that `training.tasks` gives the networks."""


def play(order: SampleOrder, make: Callable[[_Played], QualitySamples], number: int, images: Path, masks: Path) -> (
    QualitySamples
):
    """Play one sequence and keep its masks. Args: number: of the sequence. Raises AppError."""
    spare = (os.cpu_count() or 1) - order.threads
    with open_clip(images, masks, order.config, order.limit, spare_cores=spare) as clip:
        samples = make(_Played(number, order.seed, clip))
    if not len(samples):
        raise AppError(f"{masks}: no object of the first frame could be carried.", "Leave the sequence out.")
    return samples


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m training.quality_samples", description="Samples of carried masks.")
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--network", choices=sorted(KINDS), default="light-quality", help="default: light-quality")
    parser.add_argument("--count", type=integer(1), help="only the first sequences")
    parser.add_argument("--frames", type=integer(1), help="only the first frames of each sequence")
    parser.add_argument("--engine", default="light", help="that carries the masks (default: light)")
    parser.add_argument("--weights", type=Path, help="of the engine; default: those in their usual place")
    parser.add_argument("--size", type=short_side, default=NATIVE_SIZE, help="to work at (default: the clips')")
    parser.add_argument("--seed", type=integer(0), default=0, help="of the choice of masks")
    parser.add_argument("--threads", type=integer(1), default=os.cpu_count() or 1, help="of the processor (all)")
    given = parser.parse_args(argv)
    config = AppConfig(engine=given.engine, weights=given.weights, size=given.size)
    order, kind = SampleOrder(config, given.seed, given.threads, given.frames), KINDS[given.network]
    try:
        clips = find_clips(given.clips)[: given.count]
        try:
            given.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, given.out) from error
        for number, (name, images, masks) in enumerate(clips):
            file = given.out / f"{name}{SUFFIX}"
            if not file.exists():
                samples = play(order, kind.make, number, images, masks)
                samples.save(file)
                print(f"{name}: {len(samples)} masks, mean J {100 * samples.region.mean():.1f}", flush=True)
        everything = load_samples(given.out, kind.samples)
    except AppError as error:
        print(f"training.quality_samples: {error}", file=sys.stderr)
        return 2
    print(f"{len(everything)} samples, mean J {100 * everything.region.mean():.1f}: {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
