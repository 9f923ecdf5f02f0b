"""Whether a long video needs more memory or time the longer it gets.

    python -m benchmarks.endless [--frames 10000] [--height 720] [--width 1280] [--objects 3] [--size PIXELS]

Carries the first frame's mask through a video that is drawn while it is read, as `propagate.py` does, masks on disk
included, and prints main memory above the idle program (engine loaded, no frame seen) and the time per frame: on the
clock, and the processor's of all threads, which other programs beside it change less.
"""
from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.moving_discs import MovingDiscs
from inference_core.core import InferenceCore
from inference_core.factory import build_core
from interact.annotations import object_ids
from interact.headless import HeadlessRun
from interact.headless_output import OutputMasks
from interact.headless_schedule import plan_stops
from storage.frame_store import FrameStore
from util.config import AppConfig
from util.errors import AppError
from util.jobs import CancelToken
from util.process_memory import resident_bytes
from util.types import Size

_MIB = 1 << 20


def run(config: AppConfig, video: MovingDiscs, folder: Path, every: int) -> None:
    """Print a line after every `every` frames."""
    frames = FrameStore(video, budget_bytes=config.budgets.frames)
    everything = range(len(frames))
    masks = OutputMasks(folder, frames, everything, config.budgets.masks)
    with closing(frames), closing(build_core(config, frames, masks.get)) as core:
        masks.begin()
        first = video.mask(0)
        stops = plan_stops({0: object_ids(first)}, everything, is_partial=False)
        job = HeadlessRun(core, stops, {0: first}, masks, is_partial=False)
        idle, begun, worked = resident_bytes() or 0, time.perf_counter(), time.process_time()
        print(f"{core.engine} on {core.device}, idle {idle / _MIB:.0f} MiB", flush=True)
        print("| frame | memory above idle, MiB | engine's memory, MiB | seconds per frame | processor s |")
        print("|---|---|---|---|---|")
        for done in job.run(CancelToken()):
            if done % every == 0:
                clock, processor = (time.perf_counter() - begun) / every, (time.process_time() - worked) / every
                print(f"| {done} | {_above(idle)} | {_held(core)} | {clock:.3f} | {processor:.3f} |", flush=True)
                begun, worked = time.perf_counter(), time.process_time()
        masks.finish(everything)
        print(f"at the end, all masks on disk: {_above(idle)} MiB above idle")


def _above(idle: int) -> str:
    now = resident_bytes()
    return "unknown" if now is None else f"{(now - idle) / _MIB:.0f}"


def _held(core: InferenceCore) -> str:
    return f"{core.memory().nbytes / _MIB:.1f}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endless", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--objects", type=int, default=3)
    parser.add_argument("--engine", default="light")
    parser.add_argument("--size", type=int, help="shorter side for the networks (default: the engine's own)")
    parser.add_argument("--mem_profile", type=int, default=0, help="as of propagate.py (default: 0)")
    parser.add_argument("--every", type=int, default=100, help="frames between two lines (default: 100)")
    given = parser.parse_args(argv)
    video = MovingDiscs(given.frames, Size(given.height, given.width), given.objects)
    config = AppConfig(engine=given.engine, size=given.size, mem_profile=given.mem_profile)
    try:
        with tempfile.TemporaryDirectory() as folder:
            run(config, video, Path(folder) / "masks", given.every)
    except AppError as error:
        print(f"benchmarks.endless: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
