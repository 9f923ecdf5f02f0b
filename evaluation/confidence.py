"""Does the confidence of a propagation tell where its masks are bad? On clips whose true masks are known.

    python -m evaluation.confidence --clips DIR [--sequence NAME ...] [--frames N] [--csv FILE]

`DIR` is a data set in the DAVIS layout. The true first mask is carried forward; then the true mask of the last frame is
given too and carried back, so that every frame has two results, fused. For both rounds the table gives Spearman's rank
correlation of each measure, of the confidence made of them, and of the steadiness (one minus the flicker, see
`util/flicker.py`) with the true J, over all frames and objects of a sequence, their mean over the sequences, and that
over the masks of all sequences together; and what the rules for suspects find: how many masks have a J below 0.5, how
many are suspects by confidence or by flicker, and how many are both.
"""
from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.correction import find_clips
from evaluation.rounds import ROUNDS, Carried, open_clip, play_round, rank_correlation
from inference_core.api import CoreApi
from inference_core.confidence import SUSPECT_BELOW, ObjectMeasure
from storage.atomic_file import write_atomic
from util.config import AppConfig
from util.errors import AppError
from util.flicker import FLICKER_ABOVE, flicker
from util.threads import calm_openmp
from util.types import IndexMask

BAD = 0.5
"""A mask with a lower J is one that a user would want to find."""
MEASURES = ("margin", "area", "overlap", "agreement", "confidence", "steadiness")


@dataclass(frozen=True)
class Sample:
    """One object on one frame: what is told without the truth, and the true J. Args: steadiness: 1 minus flicker."""

    measure: ObjectMeasure
    region: float
    steadiness: float = 1.0

    def value(self, name: str) -> float | None:
        """Of one of `MEASURES`."""
        found: float | None = self.steadiness if name == "steadiness" else getattr(self.measure, name)
        return found

    @property
    def is_suspect(self) -> bool:
        return self.measure.confidence < SUSPECT_BELOW or 1 - self.steadiness > FLICKER_ABOVE


def measure_rounds(core: CoreApi, truth: Mapping[int, IndexMask], masks: list[IndexMask]) -> list[list[Sample]]:
    """Both rounds on one sequence; see `evaluation.rounds.play_round`."""
    return [_measured(list(play_round(core, n, truth, masks)), max(truth), masks) for n in range(len(ROUNDS))]


def _measured(carried: Sequence[Carried], last: int, masks: Sequence[IndexMask]) -> list[Sample]:
    """Flicker needs the frame after, so this comes when the round is over."""
    samples = []
    for one in carried:
        around = range(max(0, one.frame - 1), min(last, one.frame + 1) + 1)
        near = [masks[frame] == one.object_id for frame in around]
        samples.append(Sample(one.measure, one.region, 1 - flicker(*near) if len(near) == 3 else 1.0))
    return samples


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        correlations: by `MEASURES`; NaN where a measure is not there, or constant, or all masks are equally good.
        bad, suspects, both: masks below `BAD`, masks that the rule suspects, and masks that are both.
    """

    sequence: str
    round: str
    samples: int
    mean: float
    correlations: tuple[float, ...]
    bad: int
    suspects: int
    both: int


def row_of(sequence: str, round_name: str, samples: Sequence[Sample]) -> Row:
    regions = np.array([sample.region for sample in samples])
    correlations = []
    for name in MEASURES:
        values = [sample.value(name) for sample in samples]
        has_all = all(value is not None for value in values)
        correlations.append(rank_correlation(values, regions) if has_all else float("nan"))
    suspect = np.array([sample.is_suspect for sample in samples])
    bad = regions < BAD
    return Row(
        sequence, round_name, len(samples), float(regions.mean()), tuple(correlations), int(bad.sum()),
        int(suspect.sum()), int((bad & suspect).sum()),
    )


def overall(rows: Sequence[Row]) -> list[Row]:
    """By round: correlations are means over the sequences that have one, counts are sums."""
    found = []
    for name in ROUNDS:
        own = [row for row in rows if row.round == name]
        columns = zip(*(row.correlations for row in own), strict=True)
        known = [[value for value in column if value == value] for column in columns]
        means = tuple(float(np.mean(column)) if column else float("nan") for column in known)
        sums = [sum(getattr(row, part) for row in own) for part in ("samples", "bad", "suspects", "both")]
        mean = float(np.average([row.mean for row in own], weights=[row.samples for row in own]))
        found.append(Row("mean", name, sums[0], mean, means, *sums[1:]))
    return found


def evaluate(images: Path, masks: Path, config: AppConfig, limit: int | None) -> list[list[Sample]]:
    """Both rounds on one sequence, of its first `limit` frames. Raises AppError."""
    with open_clip(images, masks, config, limit) as clip:
        return measure_rounds(clip.core, clip.truth, clip.stored)


_HEADINGS = ("sequence", "round", "masks", "J", *MEASURES, "bad", "suspects", "bad_suspects")


def _cells(row: Row, digits: int) -> tuple[str, ...]:
    numbers = ["" if value != value else f"{value:.{digits}f}" for value in row.correlations]
    counts = (str(row.bad), str(row.suspects), str(row.both))
    return (row.sequence, row.round, str(row.samples), f"{row.mean:.{digits}f}", *numbers, *counts)


def as_line(row: Row) -> str:
    """One line of the table for people."""
    name, title, *cells = _cells(row, 3)
    return f"{name:<20}{title:<16}" + "".join(f"{cell:>13}" for cell in cells)


def as_csv(rows: Sequence[Row]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_HEADINGS, *(_cells(row, 6) for row in rows)])
    return text.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m evaluation.confidence", description="What confidence is worth.")
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout, with all masks")
    parser.add_argument("--sequence", nargs="+", help="only these; default: all")
    parser.add_argument("--frames", type=int, help="only the first frames of each")
    parser.add_argument("--engine", default="light", help="default: light")
    parser.add_argument("--weights", type=Path, help="of the engine; default: those in their usual place")
    parser.add_argument("--size", type=int, help="shorter side to work at")
    parser.add_argument("--csv", type=Path, help="write the table here, too")
    given = parser.parse_args(argv)
    config = AppConfig(engine=given.engine, weights=given.weights, size=given.size)
    rows: list[Row] = []
    pooled: dict[str, list[Sample]] = {title: [] for title in ROUNDS}
    try:
        clips = {name: (images, masks) for name, images, masks in find_clips(given.clips)}
        missing = [name for name in given.sequence or () if name not in clips]
        if missing:
            raise AppError(f"{given.clips}: has no sequence {missing[0]}.", f"There are {', '.join(clips)}.")
        print(f"{_HEADINGS[0]:<20}{_HEADINGS[1]:<16}" + "".join(f"{cell:>13}" for cell in _HEADINGS[2:]))
        for name in given.sequence or clips:
            for title, samples in zip(ROUNDS, evaluate(*clips[name], config, given.frames), strict=True):
                rows.append(row_of(name, title, samples))
                pooled[title] += samples
                print(as_line(rows[-1]), flush=True)
        rows += [*overall(rows), *(row_of("together", title, pooled[title]) for title in ROUNDS)]
        for row in rows[-2 * len(ROUNDS) :]:
            print(as_line(row))
        if given.csv is not None:
            write_atomic(given.csv, as_csv(rows).encode())
    except AppError as error:
        print(f"evaluation.confidence: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
