"""Samples for quality networks: masks that an engine carried, as such a network sees them, with their true J and J&F.

    python -m training.quality_samples --clips DIR --out FOLDER [--network NAME] [--count N] [--frames N]

`DIR` is a data set in the DAVIS or YouTube-VOS layout, or clips of `python -m generation.sequences`. Every sequence is
played as `evaluation.quality` does: forward from the true first mask, then back from the true mask of the last frame
with fusion, so that masks of every age are among the samples and the errors are the engine's own. Every sequence is a
file in the folder; the same command goes on with those that are missing.
"""
from __future__ import annotations

import argparse
import io
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation.correction import find_clips
from evaluation.metrics import contour_accuracy
from evaluation.rounds import played_rounds
from inference_core.factory import build_core
from interact.annotations import load_annotations
from model import light_quality, quality_net
from storage.atomic_file import disk_error, write_atomic
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from util.config import NATIVE_SIZE, AppConfig
from util.errors import AppError
from util.threads import calm_openmp
from util.types import ImageU8, IndexMask

Cut = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""float32 [3, H, W] and [H, W] -> what a network sees of the picture [3, S, S] and of the object [S, S]."""

CUTS: dict[str, Cut] = {"light-quality": light_quality.cut_out, "quality": quality_net.cut_out}
"""By the names that `training.tasks` gives the networks."""

_SUFFIX = ".npz"
_MAKE = "Make some: python -m training.quality_samples"
PER_ROUND = 16
"""Masks taken of each round of a sequence, at random."""


@dataclass(frozen=True)
class QualitySamples:
    """The arrays of a file of N samples from one sequence, or of several files joined.

    Args:
        network: text [], in `CUTS`; whose cut-outs these are.
        image: uint8 [N, S, S, 3] RGB. prob: uint8 [N, S, S], 255 for 1.
        region, contour: float32 [N], true J and F of the mask, 0..1.
        margin, confidence: float32 [N], what the engine said of it (`ObjectMeasure`).
        clip: int32 [N], number of the sequence. age: int32 [N], frames since the key frame it was carried from.
    """

    network: NDArray[np.str_]
    image: NDArray[np.uint8]
    prob: NDArray[np.uint8]
    region: NDArray[np.float32]
    contour: NDArray[np.float32]
    margin: NDArray[np.float32]
    confidence: NDArray[np.float32]
    clip: NDArray[np.int32]
    age: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.region)

    def save(self, path: Path) -> None:
        """Raises AppError if the file cannot be written."""
        file = io.BytesIO()
        np.savez_compressed(file, **vars(self))
        write_atomic(path, file.getvalue())


def load_samples(folder: Path, network: str) -> QualitySamples:
    """All samples of a folder. AppError if there are none, or a file is damaged, else's or made for another network."""
    found = []
    for number, path in enumerate(sorted(folder.glob(f"*{_SUFFIX}"))):
        samples = _load_one(path)
        if samples.network != network:
            raise AppError(
                f"{path} holds samples for {samples.network}.",
                f"Make some with python -m training.quality_samples --network {network}.",
            )
        found.append(replace(samples, clip=np.full(len(samples), number, np.int32)))
    if not found:
        raise AppError(f"{folder} holds no samples for a quality network.", _MAKE)
    parts = {field.name: np.concatenate([getattr(one, field.name) for one in found]) for field in fields(found[0])[1:]}
    return QualitySamples(found[0].network, **parts)


def _load_one(path: Path) -> QualitySamples:
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not a complete .npz file")
        with np.load(path) as arrays:
            samples = QualitySamples(**{field.name: arrays[field.name] for field in fields(QualitySamples)})
        _check(samples)
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise AppError(f"{path} holds no samples for a quality network: {error}", _MAKE) from error
    return samples


def _check(samples: QualitySamples) -> None:
    """Raises ValueError unless the arrays fit each other."""
    count, side = samples.prob.shape[:2]
    wanted = {"image": ("u1", (count, side, side, 3)), "prob": ("u1", (count, side, side)), "network": ("U", ())}
    wanted |= {name: ("f4", (count,)) for name in ("region", "contour", "margin", "confidence")}
    wanted |= {name: ("i4", (count,)) for name in ("clip", "age")}
    for name, (kind, shape) in wanted.items():
        array = getattr(samples, name)
        if array.dtype.str[1:][: len(kind)] != kind or array.shape != shape:
            raise ValueError(f"{name} is {array.dtype} {array.shape}")


@dataclass(frozen=True)
class SampleOrder:
    """What is to be made.

    Args:
        network: in `CUTS`. config: of the engine. threads: of the processor.
        limit: only the first frames of each sequence; None for all.
    """

    network: str
    config: AppConfig
    seed: int
    threads: int
    limit: int | None = None


def play(order: SampleOrder, number: int, images: Path, masks: Path) -> QualitySamples:
    """Play one sequence and keep some of its masks. Args: number: of the sequence. Raises AppError."""
    with closing(FrameStore(open_source(images), budget_bytes=order.config.budgets.frames)) as frames:
        length = len(frames) if order.limit is None else min(order.limit, len(frames))
        truth = load_annotations(masks, frames, range(length))
        if 0 not in truth or len(truth) < 3:
            raise AppError(f"{masks}: needs the true mask of the first frame and of two others.", "Check --clips.")
        found = list(_carried(order, frames, truth))
    rng = np.random.default_rng([order.seed, number])
    rounds = [[sample for own, sample in found if own == wanted] for wanted in (0, 1)]
    chosen = [own[i] for own in rounds for i in sorted(rng.permutation(len(own))[:PER_ROUND])]
    if not chosen:
        raise AppError(f"{masks}: no object of the first frame could be carried.", "Leave the sequence out.")

    def numbers(name: str, kind: type[np.generic]) -> NDArray[np.generic]:
        return np.array([getattr(sample, name) for sample in chosen], kind)

    return QualitySamples(
        network=np.array(order.network),
        clip=np.full(len(chosen), number, np.int32),
        **{name: numbers(name, np.uint8) for name in ("image", "prob")},
        **{name: numbers(name, np.float32) for name in ("region", "contour", "margin", "confidence")},
        age=numbers("age", np.int32),
    )


@dataclass(frozen=True)
class _Sample:
    image: NDArray[np.uint8]
    prob: NDArray[np.uint8]
    region: float
    contour: float
    margin: float
    confidence: float
    age: int


def _carried(
    order: SampleOrder, frames: FrameStore, truth: dict[int, IndexMask]
) -> Iterator[tuple[int, _Sample]]:
    """Every mask of both rounds, with the number of the round."""
    stored: list[IndexMask] = [np.zeros(frames.size, np.uint8)] * len(frames)
    last, spare = max(truth), (os.cpu_count() or 1) - order.threads
    with closing(build_core(order.config, frames, stored.__getitem__, spare_cores=spare)) as core:
        for one in played_rounds(core, truth, stored):
            prob = core.object_probs(one.frame, [one.object_id])[0]
            image, seen = cut_bytes(CUTS[order.network], frames.get(one.frame), prob)
            areas = (masks[one.frame] == one.object_id for masks in (truth, stored))
            age = last - one.frame if one.round else one.frame
            measure = one.measure
            yield one.round, _Sample(
                image, seen, one.region, contour_accuracy(*areas), measure.margin, measure.confidence, age
            )


def cut_bytes(cut: Cut, image: ImageU8, prob: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """uint8 [H, W, 3] and float32 [H, W] -> what the network sees, uint8 [S, S, 3] and [S, S]."""
    pixels = torch.tensor(image).permute(2, 0, 1).float() / 255
    seen, plane = ((255 * planes).round().to(torch.uint8) for planes in cut(pixels, torch.tensor(prob)))
    return seen.permute(1, 2, 0).numpy(), plane.numpy()


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m training.quality_samples", description="Samples of carried masks.")
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--network", choices=sorted(CUTS), default="light-quality", help="default: light-quality")
    parser.add_argument("--count", type=int, help="only the first sequences")
    parser.add_argument("--frames", type=int, help="only the first frames of each sequence")
    parser.add_argument("--engine", default="light", help="that carries the masks (default: light)")
    parser.add_argument("--weights", type=Path, help="of the engine; default: those in their usual place")
    parser.add_argument("--size", type=int, default=NATIVE_SIZE, help="shorter side to work at (default: the clips')")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of masks")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="processor threads (default: all)")
    given = parser.parse_args(argv)
    config = AppConfig(engine=given.engine, weights=given.weights, size=given.size)
    order = SampleOrder(given.network, config, given.seed, given.threads, given.frames)
    try:
        clips = find_clips(given.clips)[: given.count]
        try:
            given.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, given.out) from error
        for number, (name, images, masks) in enumerate(clips):
            file = given.out / f"{name}{_SUFFIX}"
            if not file.exists():
                samples = play(order, number, images, masks)
                samples.save(file)
                print(f"{name}: {len(samples)} masks, mean J {100 * samples.region.mean():.1f}", flush=True)
        samples = load_samples(given.out, given.network)
    except AppError as error:
        print(f"training.quality_samples: {error}", file=sys.stderr)
        return 2
    print(f"{len(samples)} samples, mean J {100 * samples.region.mean():.1f}: {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
