"""What a second propagation costs of the first, when the features of the frames are kept.

    python -m benchmarks.second_pass [--engine light] [--frames 20] [--objects 1] [--height 480] [--width 854]

The same generated video is carried three times: with nothing known, by a new engine that finds the features on disk
(the program was closed in between, or encoded ahead while the user drew), and once more by that engine, which has them
in memory. Frames are decoded beforehand. One thread, and processor time, which other programs disturb little.
"""
from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.engines import ENGINES, weights_or_random
from benchmarks.moving_discs import MovingDiscs
from inference_core.api import FeatureStorage, KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.factory import build_core
from storage.frame_store import FrameStore
from util.config import AppConfig
from util.errors import AppError
from util.jobs import CancelToken
from util.types import Size

_ABOUT = (__doc__ or "").split("\n")[0]


def seconds_per_frame(core: InferenceCore, first: np.ndarray, num_objects: int) -> float:
    """Of the processor, for a pass from the first frame to the last."""
    core.sync([])
    core.sync([KeyFrame(0, first, frozenset(range(1, num_objects + 1)))])
    begun = time.process_time()
    count = sum(1 for _ in core.propagate(PropagationRequest(0, "forward"), CancelToken()))
    return (time.process_time() - begun) / count


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_pass", description=_ABOUT)
    parser.add_argument("--engine", default="light", choices=[*ENGINES])
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=854)
    given = parser.parse_args(argv)
    video = MovingDiscs(given.frames, Size(given.height, given.width), given.objects)
    first, nothing = video.mask(0), np.zeros(video.size, np.uint8)
    try:
        with tempfile.TemporaryDirectory() as folder, closing(FrameStore(video, budget_bytes=1 << 30)) as frames:
            for frame in range(given.frames):
                frames.get(frame)
            config = AppConfig(engine=given.engine, weights=weights_or_random(given.engine, Path(folder)))
            storage = FeatureStorage(Path(folder, "features"), video.fingerprint(), 8 << 30)
            taken, cores = {}, os.cpu_count() or 1
            for name in ("first", "features on disk"):
                with closing(build_core(config, frames, lambda frame: nothing, spare_cores=cores - 1)) as core:
                    core.keep_features(storage)
                    taken[name] = seconds_per_frame(core, first, given.objects)
                    if name != "first":
                        taken["features in memory"] = seconds_per_frame(core, first, given.objects)
            kept = sum(file.stat().st_size for file in storage.folder.rglob("*.features")) / given.frames
    except AppError as error:
        print(f"benchmarks.second_pass: {error}", file=sys.stderr)
        return 2
    print("| pass | processor s per frame | of the first |\n|---|---|---|")
    for name, seconds in taken.items():
        print(f"| {name} | {seconds:.3f} | {seconds / taken['first']:.2f} |")
    print(f"on disk: {kept / 1e6:.1f} MB per frame")
    return 0


if __name__ == "__main__":
    sys.exit(main())
