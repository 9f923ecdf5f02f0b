"""Clicks and scribbles by a robot that knows the truth: how good is a predictor, and how soon.

    python -m evaluation.interaction --images DIR --predictor NAME --prompts clicks|scribbles --csv FILE

`--images` is a folder of sets of stills (its held-out part is used), `--clips` a data set in the DAVIS layout; which of
their objects are asked for is written in `evaluation.interaction_samples`. Every predictor starts from an empty mask
and gets every prompt by the same robot (`evaluation.click_robot`), through the program's own `Interaction`, together
with its own last answer. Clicks go on up to 20, or until 90 % and the fifth click are reached; of scribbles there is
one. The CSV gets a row per object as it is done: started again with the same file, the command goes on where it was.
"""
from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from evaluation.click_robot import next_prompt
from evaluation.interaction_report import COUNTS, MAX_CLICKS, TARGETS, Row, RowFile, as_table
from evaluation.interaction_samples import Sample, clip_samples, still_samples
from evaluation.metrics import region_similarity
from interact.interaction import Interaction
from interact.methods import build_predictor, find_method
from interact.predictor import MaskPredictor
from model import zoo
from model.checksums import sha256
from util.config import DEVICES, INTERACTIONS
from util.errors import AppError
from util.flags import OneLineParser, integer
from util.jobs import CancelToken
from util.threads import calm_openmp

_SHORT_HASH = 8


def prompt_object(predictor: MaskPredictor, sample: Sample, *, scribble: bool) -> tuple[tuple[float, ...], float]:
    """IoU after every prompt, and the predictor's mean time per prompt in seconds."""
    mask = np.zeros_like(sample.gt)
    counted = ~sample.ignored
    interaction: Interaction | None = None
    ious: list[float] = []
    times: list[float] = []
    while len(ious) < (1 if scribble else MAX_CLICKS):
        if len(ious) >= max(COUNTS) and max(ious) >= max(TARGETS):
            break
        given = () if interaction is None else interaction.prompts
        prompt = next_prompt(sample.gt, np.where(sample.ignored, sample.gt, mask), given, scribble=scribble)
        if prompt is None:
            break
        shown = mask.astype(np.uint8)
        interaction = Interaction.start(0, 1, prompt, shown) if interaction is None else interaction.add(prompt, shown)
        start = time.perf_counter()
        mask = predictor.predict(sample.image, interaction, CancelToken())
        times.append(time.perf_counter() - start)
        ious.append(region_similarity(sample.gt & counted, mask & counted))
    return tuple(ious), float(np.mean(times))


def evaluate(samples: Iterator[Sample], predictor: MaskPredictor, title: str, prompts: str, file: RowFile) -> None:
    """Prompt for every object that has no row yet. Raises AppError (a sample unreadable, the file not writable)."""
    done = {row.key for row in file.rows}
    for sample in samples:
        if sample.key in done:
            continue
        ious, seconds = prompt_object(predictor, sample, scribble=prompts == "scribbles")
        area = float(sample.gt.mean())
        row = Row(title, prompts, *sample.key, area, seconds, ious)
        file.add(row)
        print(f"{row.set_name}/{row.picture} {row.label}: " + " ".join(f"{iou:.3f}" for iou in ious), flush=True)


def _make_predictor(name: str, weights: Path | None, device: str) -> tuple[MaskPredictor, str]:
    """The predictor and what its rows call it. AppError: weights missing or wrong, device not there."""
    method = find_method(name)
    # Looked for before torch is loaded, so that a missing file is told at once.
    path = zoo.resolve(method.weights, weights) if method.weights else None
    predictor = build_predictor(method, device, mixed_precision=True, weights=path)
    return predictor, name if path is None else f"{name}:{sha256(path)[:_SHORT_HASH]}"


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="python -m evaluation.interaction", description="Clicks and scribbles by a robot.")
    parser.add_argument("--images", type=Path, metavar="DIR", help="stills: SET/NAME.jpg with SET/NAME.png beside it")
    parser.add_argument("--split", choices=("heldout", "train"), default="heldout", help="part of --images (heldout)")
    parser.add_argument("--clips", type=Path, metavar="DIR", help="clips in the DAVIS layout; every tenth frame")
    parser.add_argument("--limit", type=integer(1), metavar="N", help="pictures of every set, spread evenly (all)")
    parser.add_argument("--predictor", choices=INTERACTIONS, default="light", help="who is asked (light)")
    parser.add_argument("--prompts", choices=("clicks", "scribbles"), default="clicks", help="how it is asked (clicks)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of the network (those in their usual place)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where the network runs (auto)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a row per object, written as it is done")
    return parser


def _samples(given: argparse.Namespace) -> Iterator[Sample]:
    return chain(
        still_samples(given.images, given.split, given.limit) if given.images is not None else (),
        clip_samples(given.clips, given.limit) if given.clips is not None else (),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = _parser()
    given = parser.parse_args(argv)
    if given.images is None and given.clips is None:
        parser.error("needs --images DIR or --clips DIR")
    kind = "scribble" if given.prompts == "scribbles" else "click"
    if kind not in find_method(given.predictor).kinds:
        parser.error(f"--predictor {given.predictor} does not answer {given.prompts}")
    try:
        predictor, title = _make_predictor(given.predictor, given.weights, given.device)
        file = RowFile(given.csv, title, given.prompts)
        evaluate(_samples(given), predictor, title, given.prompts, file)
        if not file.rows:
            raise AppError("No picture has an object that covers 1 to 50 % of it.", "Check --images and --clips.")
    except AppError as error:
        print(f"evaluation.interaction: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped" if given.csv is None else f"\nstopped; goes on from {given.csv} next time", file=sys.stderr)
        return 130
    print(f"\n{title}, {given.prompts}\n{as_table(file.rows)}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
