"""How much arithmetic a frame takes, plain and with all that saves work. Independent of how busy the machine is.

    python -m benchmarks.arithmetic [light stcn] [--objects 1 3] [--frames 11] [--height 480] [--width 854] [--seconds]

Counted are the products of convolutions and matrices, 2 operations each, over a generated video of moving discs, the
first frame's memory left out. Random weights know no object, so with them the true masks stand in for what the network
finds. `--seconds` gives the processor's time on one thread as well, each row in a process of its own.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.moving_discs import MovingDiscs
from inference_core import registry
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.channels import Channels
from inference_core.core import InferenceCore
from inference_core.device import open_device
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import NewestFuser
from inference_core.network_list import NETWORKS
from inference_core.policy import CompatPolicy
from inference_core.propagator import FrameFeatures, Propagator
from model import zoo
from storage.frame_store import FrameStore
from util.allocator import keep_freed_memory
from util.errors import AppError
from util.types import Size

ENGINES = ("light", "stcn", "stm")
_NOWHERE = -20.0
"""Bias of a random decoder's last layer, by which it finds nothing anywhere."""


def build(engine: str, video: MovingDiscs, folder: Path, *, is_plain: bool) -> Propagator:
    """With the engine's weights if they are here, else with random ones; these are shown the truth."""
    row = registry.find(engine)
    assert row.weights is not None
    has_weights = zoo.is_available(row.weights)
    path = zoo.resolve(row.weights) if has_weights else _random_weights(row.weights, folder)
    setup = EngineSetup(video.size, path, open_device("cpu", mixed_precision=True))
    propagator: Propagator = import_module(row.module).build(replace(setup, is_plain=is_plain))
    if not has_weights:
        _show_truth(propagator, video)
    return propagator


def _random_weights(name: str, folder: Path) -> Path:
    torch.manual_seed(0)
    row = next(row for row in NETWORKS if name in row.files)
    network = row.make()
    torch.nn.init.constant_(network.get_submodule("decoder.pred").bias, _NOWHERE)  # type: ignore[arg-type]
    return row.save(network, folder)


def _show_truth(propagator: Propagator, video: MovingDiscs) -> None:
    segment = propagator.segment

    def true(frame: int, features: FrameFeatures, slots: Sequence[int]) -> Tensor:
        segment(frame, features, slots)
        return Channels(propagator, [1 + slot for slot in slots]).from_mask(video.mask(frame))

    propagator.segment = true  # type: ignore[method-assign]


@contextmanager
def core_for(engine: str, video: MovingDiscs, *, is_plain: bool) -> Iterator[InferenceCore]:
    """A core with the objects of the first frame committed."""
    nothing = np.zeros(video.size, np.uint8)
    with tempfile.TemporaryDirectory() as folder, closing(FrameStore(video, budget_bytes=1 << 30)) as frames:
        propagator = build(engine, video, Path(folder), is_plain=is_plain)
        core = InferenceCore(
            frames, propagator, NewestFuser(), lambda _: nothing, policy=CompatPolicy.product(), feature_bytes=0
        )
        first = video.mask(0)
        core.sync([KeyFrame(0, first, frozenset(np.unique(first).tolist()) - {0})])
        yield core


def gflop_per_frame(engine: str, video: MovingDiscs, *, is_plain: bool) -> float:
    with core_for(engine, video, is_plain=is_plain) as core, FlopCounterMode(display=False) as counter:
        count = sum(1 for _ in core.propagate(PropagationRequest(0, "forward", 0, None, range(0))))
    return counter.get_total_flops() / count / 1e9


def seconds_per_frame(engine: str, video: MovingDiscs, *, is_plain: bool) -> float:
    """Of the processor, on one thread; the first frame, which tunes what runs after it, left out."""
    torch.set_num_threads(1)
    if not is_plain:
        keep_freed_memory()
    with core_for(engine, video, is_plain=is_plain) as core:
        results = core.propagate(PropagationRequest(0, "forward", 0, None, range(0)))
        next(results)
        begun = time.process_time()
        count = sum(1 for _ in results)
    return (time.process_time() - begun) / count


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.arithmetic")
    parser.add_argument("engines", nargs="*", choices=[*ENGINES, []], default=["light", "stcn"])
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--frames", type=int, default=11)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=854)
    parser.add_argument("--seconds", action="store_true")
    parser.add_argument("--one", choices=["plain", "fast"], help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    sizes = Size(given.height, given.width)
    if given.one is not None:
        video = MovingDiscs(given.frames, sizes, given.objects[0])
        print(seconds_per_frame(given.engines[0], video, is_plain=given.one == "plain"))
        return 0
    print("| engine | objects | GFLOP per frame, plain | saving work | processor s per frame, plain | saving work |")
    print("|---|---|---|---|---|---|")
    try:
        for engine in given.engines:
            for objects in given.objects:
                video = MovingDiscs(given.frames, sizes, objects)
                counts = [gflop_per_frame(engine, video, is_plain=is_plain) for is_plain in (True, False)]
                taken = [_seconds(engine, objects, way, given) for way in ("plain", "fast")] if given.seconds else []
                numbers = [f"{count:.1f}" for count in counts] + ([f"{s:.3f}" for s in taken] or ["", ""])
                print(f"| {engine} | {objects} | {' | '.join(numbers)} |", flush=True)
    except AppError as error:
        print(f"benchmarks.arithmetic: {error}", file=sys.stderr)
        return 2
    return 0


def _seconds(engine: str, objects: int, way: str, given: argparse.Namespace) -> float:
    """In a process of its own. AppError when that fails."""
    size = [f"--{name}={getattr(given, name)}" for name in ("frames", "height", "width")]
    command = [sys.executable, "-m", "benchmarks.arithmetic", engine, "--objects", str(objects), "--one", way, *size]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AppError(f"{engine} with {objects} objects failed: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
