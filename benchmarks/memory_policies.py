"""What a bounded memory costs in accuracy, by how it makes room.

    python -m generation.sequences --pack PACK.npz --out DIR --count 3 --frames 60 --side 160
    python -m benchmarks.memory_policies --data DIR --frames 2 4

Every clip in `DIR/JPEGImages/480p` is carried from its first mask with the embedded light network, once without a bound
and once for every policy and number of rolling frames; printed is the mean J&F over all objects.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evaluation.metrics import frame_scores
from generation.sequences import IMAGES, MASKS
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.device import open_device
from inference_core.engine_setup import EngineSetup
from inference_core.eviction import EVICTIONS, Eviction
from inference_core.fusion import NewestFuser
from inference_core.policy import CompatPolicy
from inference_core.propagators import light
from model import zoo
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_convert import present_values
from storage.mask_io import read_mask
from util.errors import AppError
from util.types import IndexMask

UNBOUNDED = 1_000_000


def mean_score(clip: Path, truth: Path, eviction: Eviction, max_frames: int, mem_every: int) -> list[float]:
    """J&F of every object of one clip, over the frames after the first and before the last."""
    frames = FrameStore(open_source(clip))
    try:
        gt = [read_mask(truth / f"{frames.stem(frame)}.png") for frame in range(len(frames))]
        found = _carried(frames, gt[0], eviction, max_frames, mem_every)
    finally:
        frames.close()
    ids = present_values(gt[0])
    scores = [frame_scores(gt[frame], found[frame], ids) for frame in range(1, len(gt) - 1)]
    return [float(np.mean([(s[i].region + s[i].contour) / 2 for s in scores])) for i in ids]


def _carried(
    frames: FrameStore, first: IndexMask, eviction: Eviction, max_frames: int, mem_every: int
) -> dict[int, IndexMask]:
    setup = EngineSetup(
        frames.size, zoo.resolve("light"), open_device("cpu", mixed_precision=True),
        mem_every=mem_every, short_side=-1, max_memory_frames=max_frames, eviction=eviction,
    )  # fmt: skip
    nothing = np.zeros_like(first)
    core = InferenceCore(
        frames, light.build(setup), NewestFuser(), lambda _: nothing, policy=CompatPolicy.product()
    )
    core.sync([KeyFrame(0, first, frozenset(present_values(first)))])
    return {result.frame: result.mask for result in core.propagate(PropagationRequest(0, "forward"))}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_policies", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="written by python -m generation.sequences")
    parser.add_argument("--frames", type=int, nargs="+", default=[2, 4], help="rolling frames (default: 2 4)")
    parser.add_argument("--mem_every", type=int, default=5, help="remember every n-th frame (default: 5)")
    given = parser.parse_args(argv)
    try:
        clips = sorted((given.data / IMAGES).iterdir())
        print("| rolling frames | policy | J&F | objects |\n|---|---|---|---|")
        for count, policy in [(UNBOUNDED, EVICTIONS[0]), *((n, e) for n in given.frames for e in EVICTIONS)]:
            scores: list[float] = []
            for clip in clips:
                scores += mean_score(clip, given.data / MASKS / clip.name, policy, count, given.mem_every)
            bound, name = ("unbounded", "-") if count == UNBOUNDED else (str(count), policy)
            print(f"| {bound} | {name} | {100 * np.mean(scores):.2f} | {len(scores)} |", flush=True)
    except (AppError, OSError) as error:
        print(f"benchmarks.memory_policies: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
