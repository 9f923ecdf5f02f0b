"""How well a result agrees with itself, on video that nobody has marked: there and back again.

    python -m evaluation.consistency --video FILE --mask FIRST.png [--frames 60] [--size 320 ...] [--top_k 50]

The mask of the first frame is carried to the last one, and what arrives there is carried back, with nothing else in
memory. A tracker that loses the object, or takes in something else, does not come home: `return J` compares the first
frame with what came back, `J both ways` every frame's two results. It needs no ground truth, so that settings can be
chosen without touching a benchmark; it does not see mistakes that are made both ways.
"""
from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.metrics import region_similarity
from inference_core.api import CoreApi, KeyFrame, PropagationRequest
from interact.annotations import object_ids
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_io import read_mask
from util.config import AppConfig, short_side
from util.errors import AppError
from util.flags import integer
from util.jobs import CancelToken
from util.threads import calm_openmp
from util.types import IndexMask


@dataclass(frozen=True)
class Agreement:
    """Mean J over objects, 0..1: of the first frame with what came back to it, and over all frames in between.

    Args:
        speed: frames per second, both ways together.
    """

    came_back: float
    both_ways: float
    speed: float


def measure(core: CoreApi, mask: IndexMask, last: int, masks: list[IndexMask]) -> Agreement:
    """Carry `mask` from frame 0 to `last` and back.

    Args:
        core: bound to a video and to `masks` as its stored masks.
        masks: one per frame; overwritten.
    """
    ids, started = object_ids(mask), time.perf_counter()
    masks[0] = mask
    core.sync([KeyFrame(0, mask, ids)])
    for result in core.propagate(PropagationRequest(0, "forward", 0, last), CancelToken()):
        masks[result.frame] = result.mask
    forward = list(masks)
    core.sync([KeyFrame(last, forward[last], ids)])
    for result in core.propagate(PropagationRequest(last, "backward", 0, last), CancelToken()):
        masks[result.frame] = result.mask
    speed = 2 * last / (time.perf_counter() - started)
    scores = [[region_similarity(forward[f] == i, masks[f] == i) for i in sorted(ids)] for f in range(last)]
    return Agreement(float(np.mean(scores[0])), float(np.mean(scores[1:])), speed)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m evaluation.consistency", description="There and back again.")
    parser.add_argument("--video", type=Path, required=True, help="video file or folder of frames")
    parser.add_argument("--mask", type=Path, required=True, help="mask of the first frame (PNG)")
    parser.add_argument("--frames", type=integer(2), default=60, help="how far to go")
    parser.add_argument("--weights", type=Path, help="of the light network; default: the embedded ones")
    parser.add_argument("--size", type=short_side, nargs="+", default=[None], help="shorter side to work at; several")
    parser.add_argument("--top_k", type=integer(1), help="memory cells kept per query")
    parser.add_argument("--mem_every", type=integer(1), default=AppConfig.mem_every, help="remember every n-th frame")
    given = parser.parse_args(argv)
    try:
        with closing(FrameStore(open_source(given.video))) as frames:
            mask = read_mask(given.mask, frames.size)
            last = min(given.frames, len(frames) - 1)
            for size in given.size:
                config = AppConfig(
                    engine="light", weights=given.weights, size=size, top_k=given.top_k, mem_every=given.mem_every
                )
                found = _run(config, frames, mask, last)
                print(
                    f"{given.video.stem:<24} size {size or 'default':<8} return J {100 * found.came_back:5.1f}   "
                    f"J both ways {100 * found.both_ways:5.1f}   {found.speed:.2f} frames/s",
                    flush=True,
                )
    except AppError as error:
        print(f"evaluation.consistency: {error}", file=sys.stderr)
        return 2
    return 0


def _run(config: AppConfig, frames: FrameStore, mask: IndexMask, last: int) -> Agreement:
    from inference_core.factory import build_core  # here, so that wrong input is told before torch has loaded

    masks: list[IndexMask] = [np.zeros_like(mask)] * len(frames)
    with closing(build_core(config, frames, masks.__getitem__)) as core:
        return measure(core, mask, last, masks)


if __name__ == "__main__":
    sys.exit(main())
