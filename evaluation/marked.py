"""How well objects are followed through video of which only some frames are marked.

    python -m evaluation.marked --video FILE --masks DIR [--frames 60] [--every 3] [--csv FILE]

DIR/OBJECT/00012.png is the object's mask on frame 12: whatever is not 0 in it. Marking every tenth frame of a video of
one's own takes minutes, and says what no rendered clip can: how the engine fares when real things turn and bend. From
every third marked frame an object is carried on, and compared where it is marked again.
"""
from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.metrics import frame_scores
from inference_core.api import CoreApi, KeyFrame, PropagationRequest
from storage.atomic_file import write_atomic
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_io import read_mask
from util.config import AppConfig, short_side
from util.errors import AppError
from util.flags import integer
from util.jobs import CancelToken
from util.threads import calm_openmp
from util.types import IndexMask, Size

_ID = 1


@dataclass(frozen=True)
class Run:
    """One object from one marked frame on: mean J and F, 0..1, over the marked frames that it was compared on."""

    name: str
    start: int
    num_marks: int
    region: float
    contour: float

    @property
    def j_and_f(self) -> float:
        return (self.region + self.contour) / 2


def read_marks(folder: Path, num_frames: int, size: Size) -> dict[str, dict[int, IndexMask]]:
    """The masks of every object by frame.

    Raises:
        AppError: there are none, a file is not named after a frame of the video, or cannot be read.
    """
    marks: dict[str, dict[int, IndexMask]] = {}
    for path in sorted(folder.glob("*/*.png")):
        if not path.stem.isdecimal() or int(path.stem) >= num_frames:
            raise AppError(f"{path} is not named after one of the {num_frames} frames of the video.")
        marks.setdefault(path.parent.name, {})[int(path.stem)] = (read_mask(path, size) > 0).astype(np.uint8)
    if not marks:
        raise AppError(f"There is no mask in {folder}.", "Masks are expected as OBJECT/FRAME.png below it.")
    return marks


def follow(core: CoreApi, name: str, marks: dict[int, IndexMask], start: int, until: int) -> Run | None:
    """Carry the mask of frame `start` on; None where nothing is marked up to `until`.

    Args:
        core: bound to the video, without key frames.
        marks: of one object.
    """
    targets = [frame for frame in sorted(marks) if start < frame <= until]
    if not targets:
        return None
    core.sync([KeyFrame(start, marks[start], frozenset({_ID}))])
    request = PropagationRequest(start, "forward", start, targets[-1])
    scores = [
        frame_scores(marks[result.frame], result.mask, (_ID,))[_ID]
        for result in core.propagate(request, CancelToken())
        if result.frame in targets
    ]
    region, contour = (float(np.mean([getattr(s, part) for s in scores])) for part in ("region", "contour"))
    return Run(name, start, len(scores), region, contour)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m evaluation.marked", description="Follow objects between marks.")
    parser.add_argument("--video", type=Path, required=True, help="video file or folder of frames")
    parser.add_argument("--masks", type=Path, required=True, help="folder of OBJECT/FRAME.png")
    parser.add_argument("--frames", type=integer(1), default=60, help="how far to go from a marked frame")
    parser.add_argument("--every", type=integer(1), default=3, help="every n-th marked frame is started from")
    parser.add_argument("--weights", type=Path, help="of the light network; default: the embedded ones")
    parser.add_argument("--size", type=short_side, help="shorter side to work at")
    parser.add_argument("--mem_every", type=integer(1), default=AppConfig.mem_every, help="remember every n-th frame")
    parser.add_argument("--no_zoom", action="store_true", help="always look at whole frames")
    parser.add_argument("--csv", type=Path, help="where to write a row for every start")
    given = parser.parse_args(argv)
    try:
        with closing(FrameStore(open_source(given.video))) as frames:
            marks = read_marks(given.masks, len(frames), frames.size)
            config = AppConfig(
                engine="light", weights=given.weights, size=given.size, mem_every=given.mem_every, no_zoom=given.no_zoom
            )
            runs = _run(config, frames, marks, given.every, given.frames)
        if not runs:
            raise AppError("No object is marked twice within that many frames.", "Mark more frames, or go farther.")
        mean = float(np.mean([run.j_and_f for run in runs]))
        print(f"{given.video.stem:<24} {len(runs)} starts  J&F {100 * mean:5.1f}")
        if given.csv is not None:
            write_atomic(given.csv, _as_csv(given.video.stem, runs).encode())
    except AppError as error:
        print(f"evaluation.marked: {error}", file=sys.stderr)
        return 2
    return 0


def _run(
    config: AppConfig, frames: FrameStore, marks: dict[str, dict[int, IndexMask]], every: int, span: int
) -> list[Run]:
    from inference_core.factory import build_core  # here, so that wrong input is told before torch has loaded

    runs = []
    empty = np.zeros(frames.size, np.uint8)
    for name, of_object in marks.items():
        shown = [frame for frame in sorted(of_object) if of_object[frame].any()]
        for start in shown[::every]:
            with closing(build_core(config, frames, lambda _: empty)) as core:
                run = follow(core, name, of_object, start, start + span)
            if run is not None:
                runs.append(run)
                print(f"{name:<16} from {start:5}  {run.num_marks:2} marks  J&F {100 * run.j_and_f:5.1f}", flush=True)
    return runs


def _as_csv(video: str, runs: Sequence[Run]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["video", "object", "start", "marks", "J", "F", "J&F"])
    for run in runs:
        shares = (f"{share:.6f}" for share in (run.region, run.contour, run.j_and_f))
        writer.writerow([video, run.name, run.start, run.num_marks, *shares])
    return text.getvalue()


if __name__ == "__main__":
    sys.exit(main())
