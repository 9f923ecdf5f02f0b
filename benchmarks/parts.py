"""Where the processor's time of a propagation with the light network goes, on one thread.

    python -m benchmarks.parts --data DAVIS --clip dog [--frames 15] [--plain]

The clip in `DAVIS/JPEGImages/480p` is carried from its first mask, the first frame left out. Indented parts
belong to the one above.
"""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from generation.sequences import IMAGES, MASKS
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.device import open_device
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import NewestFuser
from inference_core.pass_measures import PassMeasures
from inference_core.policy import CompatPolicy
from inference_core.propagators import light
from model import zoo
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_io import encode_mask, read_mask
from util.allocator import keep_freed_memory
from util.errors import AppError


class Stopwatch:
    """Processor time of this thread by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def watch(self, owner: Any, method: str, name: str) -> None:  # noqa: ANN401  (whatever has the method)
        setattr(owner, method, self.timed(getattr(owner, method), name))

    def timed(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        self.seconds[name] = 0.0  # in the order in which they are named

        def timed(*args: object, **named: object) -> object:
            begun = time.thread_time()
            try:
                return call(*args, **named)
            finally:
                self.seconds[name] += time.thread_time() - begun

        return timed


def measure(clip: Path, truth: Path, last: int, *, is_plain: bool) -> tuple[float, dict[str, float]]:
    """Milliseconds per frame in all, and by part."""
    torch.set_num_threads(1)
    if not is_plain:
        keep_freed_memory()
    frames, clock = FrameStore(open_source(clip)), Stopwatch()
    try:
        first = (read_mask(truth) > 0).astype(np.uint8)
        setup = EngineSetup(frames.size, zoo.resolve("light"), open_device("cpu", mixed_precision=True))
        engine = light.build(replace(setup, is_plain=is_plain))
        nothing, policy = np.zeros_like(first), CompatPolicy.product()
        core = InferenceCore(frames, engine, NewestFuser(), lambda _: nothing, policy=policy)
        core.sync([KeyFrame(0, first, frozenset([1]))])
        clock.watch(engine, "encode", "encode the frame")
        clock.watch(engine._geometry.__class__, "image_to_working", "  picture to tensor")
        clock.watch(engine._network, "encode_key", "  network")
        clock.watch(engine, "segment", "segment")
        clock.watch(engine._bank, "gaps", "  look where objects can be")
        clock.watch(engine._bank, "read", "  read the memory")
        clock.watch(engine._network, "decode", "  decode")
        clock.watch(engine, "memorize", "memorise every 5th")
        clock.watch(core._channels, "to_mask", "decide every pixel")
        clock.watch(PassMeasures, "measure", "measure quality")
        write = clock.timed(encode_mask, "PNG")
        results = core.propagate(PropagationRequest(0, "forward", 0, last, range(0)))
        next(results)
        clock.seconds = dict.fromkeys(clock.seconds, 0.0)
        begun, count = time.thread_time(), 0
        for result in results:
            count += 1
            write(result.mask)
        total = time.thread_time() - begun
    finally:
        frames.close()
    return 1000 * total / count, {name: 1000 * taken / count for name, taken in clock.seconds.items()}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="in the layout of DAVIS")
    parser.add_argument("--clip", default="dog")
    parser.add_argument("--frames", type=int, default=15)
    parser.add_argument("--plain", action="store_true", help="save no work")
    given = parser.parse_args(argv)
    truth = given.data / MASKS / given.clip / "00000.png"
    try:
        total, parts = measure(given.data / IMAGES / given.clip, truth, given.frames, is_plain=given.plain)
    except AppError as error:
        print(f"benchmarks.parts: {error}", file=sys.stderr)
        return 2
    print("| part | ms per frame |\n|---|---|")
    for name, taken in parts.items():
        print(f"| {name.replace('  ', '&nbsp;&nbsp;')} | {taken:.1f} |")
    print(f"| everything | {total:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
