"""Whether what makes the light engine fast changes its masks, and what it saves.

    python -m benchmarks.agreement --data DAVIS [--clips dog bmx-trees] [--frames N]

Every clip in `DAVIS/JPEGImages/480p` is carried from its first mask in `DAVIS/Annotations/480p`, once with all that
saves work and once with the whole frame decoded. Printed: the mean IoU of both results, J against the annotations with
each, and the processor time per frame, which other programs on the machine disturb less than the time on the clock.
"""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evaluation.metrics import region_similarity
from generation.sequences import IMAGES, MASKS
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.device import open_device
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import NewestFuser
from inference_core.policy import CompatPolicy
from inference_core.propagators import light
from model import zoo
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_io import read_mask
from util.errors import AppError
from util.types import IndexMask


class Carried(NamedTuple):
    """Masks of the frames after the first, and seconds of the processor per frame."""

    masks: list[IndexMask]
    seconds: float


def carried(frames: FrameStore, first: IndexMask, setup: EngineSetup, last: int) -> Carried:
    nothing = np.zeros_like(first)
    core = InferenceCore(
        frames, light.build(setup), NewestFuser(), lambda _: nothing, policy=CompatPolicy.product()
    )
    core.sync([KeyFrame(0, first, frozenset([1]))])
    for frame in range(last + 1):
        frames.get(frame)  # decoding is not measured
    begun = time.process_time()
    masks = [result.mask for result in core.propagate(PropagationRequest(0, "forward", 0, last, range(0)))]
    return Carried(masks, (time.process_time() - begun) / len(masks))


def compare(clip: Path, truth: Path, num_frames: int | None) -> tuple[float, float, float, Carried, Carried]:
    """IoU of both, J with all that saves work, J without, and both results."""
    frames = FrameStore(open_source(clip))
    try:
        last = min(len(frames), num_frames or len(frames)) - 1
        wanted = [(read_mask(truth / f"{frames.stem(i)}.png") > 0).astype(np.uint8) for i in range(last + 1)]
        fast = EngineSetup(frames.size, zoo.resolve("light"), open_device("cpu", mixed_precision=True))
        plain = replace(fast, is_plain=True)
        results = [carried(frames, wanted[0], setup, last) for setup in (fast, plain)]
    finally:
        frames.close()
    agreement = _mean_iou(results[0].masks, results[1].masks)
    scores = [_mean_iou(result.masks, wanted[1:]) for result in results]
    return agreement, scores[0], scores[1], results[0], results[1]


def _mean_iou(found: Sequence[IndexMask], wanted: Sequence[IndexMask]) -> float:
    return float(np.mean([region_similarity(a == 1, b == 1) for a, b in zip(found, wanted, strict=True)]))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="in the layout of DAVIS, or generation.sequences")
    parser.add_argument("--clips", nargs="+", help="names (all)")
    parser.add_argument("--frames", type=int, help="of each clip (all)")
    given = parser.parse_args(argv)
    try:
        names = given.clips or sorted(path.name for path in (given.data / IMAGES).iterdir())
        print("| clip | IoU of both | J | J, whole frames | processor s per frame | whole frames |")
        print("|---|---|---|---|---|---|", flush=True)
        for name in names:
            both, one, other, fast, plain = compare(given.data / IMAGES / name, given.data / MASKS / name, given.frames)
            times = f"{fast.seconds:.3f} | {plain.seconds:.3f}"
            print(f"| {name} | {both:.4f} | {100 * one:.2f} | {100 * other:.2f} | {times} |", flush=True)
    except (AppError, OSError) as error:
        print(f"benchmarks.agreement: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
