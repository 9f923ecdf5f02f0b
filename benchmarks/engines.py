"""Speed and memory of every engine, and STCN beside its equations written down directly.

    python -m benchmarks.engines [ENGINE ...] [--objects 1 3] [--videos 854x480] [--frames 10] [--size PIXELS]

Each line is a process of its own, so that peaks of memory do not mix. Networks whose file is not here run with random
weights, which costs the same. The ratio to `benchmarks.plain` is taken within one run; as a figure about the published
implementation it may be quoted only where `plain` takes what that one took on such a machine (see the last lines).
"""
from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from benchmarks.moving_discs import MovingDiscs
from benchmarks.plain import follow
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.factory import build_core
from inference_core.network_list import NETWORKS
from model import zoo
from model.stcn import STCN
from storage.frame_store import FrameStore
from util.config import DEVICES, AppConfig
from util.errors import AppError
from util.jobs import CancelToken
from util.process_memory import peak_bytes
from util.types import Size

PLAIN = "plain"
ENGINES = {"light": "light", "stcn": "stcn", "stm": "stm", "afb-urr": "afb_urr", "rvos": "rvos"}
"""Engine -> its row in `inference_core.network_list`."""
PUBLISHED_SIZE = Size(480, 854)
PUBLISHED_SECONDS = {1: 1.25, 3: 2.95}
"""Per frame, by objects: 10 frames of that size, float32, 2 cores that reach 215 to 256 GFLOP/s."""
TOLERANCE = 0.2
_MIB = 1 << 20


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.engines", description="Speed and memory of the engines.")
    made.add_argument("engines", nargs="*", metavar="ENGINE", help=f"{', '.join(ENGINES)} (all)")
    made.add_argument("--objects", type=int, nargs="+", default=[1, 3], metavar="K", help="numbers of objects (1 3)")
    made.add_argument("--frames", type=int, default=10, metavar="N", help="frames of the video (10)")
    made.add_argument(
        "--videos", type=_size, nargs="+", default=[PUBLISHED_SIZE], metavar="WxH", help="sizes of the video (854x480)"
    )
    made.add_argument("--size", type=int, metavar="PIXELS", help="shorter side for the networks (the engine's own)")
    made.add_argument("--device", choices=DEVICES, default="auto", help="where the networks run (auto)")
    made.add_argument("--no_amp", action="store_true", help="full float32")
    made.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return made


def weights_or_random(engine: str, folder: Path) -> Path:
    """The engine's file if there is one, else random numbers."""
    network = next(row for row in NETWORKS if row.name == ENGINES[engine])
    for name in network.files:
        if zoo.is_available(name):
            return zoo.resolve(name)
    torch.manual_seed(0)
    return network.save(network.make(), folder)


def _size(text: str) -> Size:
    width, _, height = text.partition("x")
    return Size(int(height), int(width))


def _engine_seconds(engine: str, given: argparse.Namespace, video: MovingDiscs) -> tuple[str, list[float]]:
    """The device, and the seconds of every frame but the first."""
    store = FrameStore(video, budget_bytes=256 * _MIB)
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(store) as frames:
        config = AppConfig(
            engine=engine, weights=weights_or_random(engine, Path(folder)), size=given.size, device=given.device,
            no_amp=given.no_amp,
        )  # fmt: skip
        blank = np.zeros(video.size, np.uint8)
        with contextlib.closing(build_core(config, frames, lambda frame: blank)) as core:
            first = video.mask(0)
            core.sync([KeyFrame(0, first, frozenset(range(1, given.objects[0] + 1)))])
            return core.device.split()[0], _timed(core.propagate(PropagationRequest(0, "forward"), CancelToken()))


def _timed(results: Iterator[object]) -> list[float]:
    """Seconds that each result took, without the first, which tunes what runs after it."""
    taken, begun = [], time.perf_counter()
    for _ in results:
        taken.append(time.perf_counter() - begun)
        begun = time.perf_counter()
    return taken[1:]


def _plain_seconds(given: argparse.Namespace, video: MovingDiscs) -> list[float]:
    torch.manual_seed(0)
    network = STCN().eval().requires_grad_(False)
    with contextlib.closing(FrameStore(video, budget_bytes=256 * _MIB)) as frames:
        images = torch.from_numpy(np.stack([frames.get(number) for number in range(given.frames)]))
    first = video.mask(0)
    masks = torch.from_numpy(np.stack([first == k for k in range(1, given.objects[0] + 1)])).float()
    return _timed(follow(network, images, masks))


class Measured(NamedTuple):
    """Of one engine, number of objects and size of the video, after its first frame."""

    device: str
    mean: float
    """Seconds per frame."""
    longest: float
    peak: int
    """Bytes of main memory of the whole process."""


def measure_one(given: argparse.Namespace) -> None:
    """In a process of its own: prints the device, mean and longest seconds of a frame, and the peak of memory."""
    [name], [size] = given.engines, given.videos
    video = MovingDiscs(given.frames, size, given.objects[0])
    device, taken = ("cpu", _plain_seconds(given, video)) if name == PLAIN else _engine_seconds(name, given, video)
    print(f"{device} {statistics.mean(taken)} {max(taken)} {peak_bytes() or 0}")


def _measure(name: str, objects: int, size: Size, argv: Sequence[str]) -> Measured:
    """Raises AppError when the process fails."""
    command = [sys.executable, "-m", "benchmarks.engines", name, "--objects", str(objects), "--one", *argv]
    command += ["--videos", f"{size.width}x{size.height}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AppError(f"{name} with {objects} objects failed: {done.stderr.strip().splitlines()[-1]}")
    device, mean, longest, peak = done.stdout.split()[-4:]
    return Measured(device, float(mean), float(longest), int(peak))


def _passed_on(given: argparse.Namespace) -> Iterator[str]:
    for name in ("frames", "size", "device"):
        value = getattr(given, name)
        if value is not None:
            yield from (f"--{name}", str(value))
    if given.no_amp:
        yield "--no_amp"


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    made = parser()
    given = made.parse_args(argv)
    names = given.engines or [*ENGINES, PLAIN]
    unknown = set(names) - {*ENGINES, PLAIN}
    if unknown or given.frames < 3 or min(given.objects) < 1:
        made.error(f"no such engine: {', '.join(sorted(unknown))}" if unknown else "needs 3 frames and an object")
    if given.one:
        measure_one(given)
        return 0
    print("| engine | objects | video | device | frames/s | ms per frame | longest | peak memory, MiB | times plain |")
    print("|---|---|---|---|---|---|---|---|---|")
    notes = []
    try:
        for size in given.videos:
            for objects in given.objects:
                plain = _print_rows(names, objects, size, given)
                if plain and objects in PUBLISHED_SECONDS and (size, given.frames) == (PUBLISHED_SIZE, 10):
                    notes.append(_note(plain.mean, objects))
    except AppError as error:
        print(f"benchmarks.engines: {error}", file=sys.stderr)
        return 2
    print("\n".join(notes), end="\n" if notes else "")
    return 0


def _print_rows(names: Sequence[str], objects: int, size: Size, given: argparse.Namespace) -> Measured | None:
    """The plain equations first, so that STCN can be compared with them; returns what these took."""
    plain: Measured | None = None
    for name in sorted(names, key=lambda name: name != PLAIN):
        found = _measure(name, objects, size, [*_passed_on(given)])
        plain = found if name == PLAIN else plain
        ratio = f"{plain.mean / found.mean:.2f}" if plain and name in (PLAIN, "stcn") else ""
        print(
            f"| {name} | {objects} | {size.width}x{size.height} | {found.device} | {1 / found.mean:.2f}"
            f" | {1000 * found.mean:.0f} | {1000 * found.longest:.0f} | {found.peak / _MIB:.0f} | {ratio} |",
            flush=True,
        )
    return plain


def _note(plain: float, objects: int) -> str:
    published = PUBLISHED_SECONDS[objects]
    quoted = "may be quoted" if abs(plain / published - 1) <= TOLERANCE else "must not be quoted"
    return (
        f"plain, {objects} objects: {plain:.2f} s, published {published:.2f} s: the ratio {quoted} about the published"
        " program"
    )


if __name__ == "__main__":
    sys.exit(main())
