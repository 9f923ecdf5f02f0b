"""Is a predicted quality worth more than confidence? On clips whose true masks are known.

    python -m evaluation.quality --clips DIR [--frames N] [--csv FILE]

`DIR` is a data set in the DAVIS layout. The true first mask is carried forward; then the true mask of the last frame is
given too and carried back, so that every frame has two results, fused. For both rounds, sequence by sequence, the table
gives Spearman's rank correlation with the true J: of the margin and of the confidence (`evaluation.confidence`), and of
what the network behind the advice predicts of every mask. Then the mean over the sequences that have one, and the
correlation over the masks of all sequences together.
"""
from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.correction import find_clips
from evaluation.rounds import ROUNDS, open_clip, played_rounds, rank_correlation
from storage.atomic_file import write_atomic
from util.config import AppConfig
from util.errors import AppError
from util.threads import calm_openmp

if TYPE_CHECKING:
    from inference_core.api import QualityAssessor

COLUMNS = ("margin", "confidence", "predicted")


@dataclass(frozen=True)
class Judged:
    """One mask: what is told without the truth, in the order of `COLUMNS`, and its true J."""

    values: tuple[float, float, float]
    region: float


@dataclass(frozen=True)
class Row:
    """One line. Args: mean: true J. correlations: by `COLUMNS`, NaN where all masks are alike."""

    sequence: str
    round: str
    masks: int
    mean: float
    correlations: tuple[float, ...]


def row_of(sequence: str, round_name: str, masks: Sequence[Judged]) -> Row:
    """Of masks, at least one."""
    regions = [one.region for one in masks]
    columns = zip(*(one.values for one in masks), strict=True)
    return Row(
        sequence, round_name, len(masks), float(np.mean(regions)),
        tuple(rank_correlation(column, regions) for column in columns),
    )


def overall(rows: Sequence[Row]) -> list[Row]:
    """By round, the mean over the sequences whose correlations are known."""
    found = []
    for name in ROUNDS:
        own = [row for row in rows if row.round == name]
        columns = zip(*(row.correlations for row in own), strict=True)
        known = [[value for value in column if value == value] for column in columns]
        means = tuple(float(np.mean(column)) if column else float("nan") for column in known)
        count = sum(row.masks for row in own)
        found.append(Row("mean", name, count, sum(row.mean * row.masks for row in own) / count, means))
    return found


def evaluate(
    images: Path, masks: Path, config: AppConfig, assessor: QualityAssessor, limit: int | None
) -> list[list[Judged]]:
    """Both rounds on one sequence, of its first `limit` frames. Raises AppError."""
    found: list[list[Judged]] = [[] for _ in ROUNDS]
    with open_clip(images, masks, config, limit) as clip:
        for one in played_rounds(clip.core, clip.truth, clip.stored):
            prob = clip.core.object_probs(one.frame, [one.object_id])
            predicted = assessor.quality(clip.frames.get(one.frame), prob)
            values = (one.measure.margin, one.measure.confidence, predicted)
            found[one.round].append(Judged(values, one.region))
    return found


_HEADINGS = ("sequence", "round", "masks", "J", *COLUMNS)


def _cells(row: Row, digits: int) -> tuple[str, ...]:
    numbers = ["" if value != value else f"{value:.{digits}f}" for value in row.correlations]
    return (row.sequence, row.round, str(row.masks), f"{row.mean:.{digits}f}", *numbers)


def as_line(row: Row) -> str:
    """One line of the table for people."""
    name, title, *cells = _cells(row, 3)
    return f"{name:<20}{title:<16}" + "".join(f"{cell:>12}" for cell in cells)


def as_csv(rows: Sequence[Row]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_HEADINGS, *(_cells(row, 6) for row in rows)])
    return text.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality", description="What a predicted J is worth.")
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout, with all masks")
    parser.add_argument("--frames", type=int, help="only the first frames of each sequence")
    parser.add_argument("--quality", type=Path, help="weights of a light quality network; default: the one in use")
    parser.add_argument("--size", type=int, help="shorter side that the engine works at")
    parser.add_argument("--csv", type=Path, help="write the table here, too")
    given = parser.parse_args(argv)
    config = AppConfig(engine="light", size=given.size)
    rows: list[Row] = []
    pooled: dict[str, list[Judged]] = {title: [] for title in ROUNDS}
    try:
        clips = find_clips(given.clips)
        from inference_core.advice import build_assessor

        assessor = build_assessor(config.device, mixed_precision=True, light_weights=given.quality)
        print(f"predicted: {assessor.name}")
        print(f"{_HEADINGS[0]:<20}{_HEADINGS[1]:<16}" + "".join(f"{cell:>12}" for cell in _HEADINGS[2:]))
        for name, images, masks in clips:
            played = evaluate(images, masks, config, assessor, given.frames)
            for title, judged in zip(ROUNDS, played, strict=True):
                rows.append(row_of(name, title, judged))
                pooled[title] += judged
                print(as_line(rows[-1]), flush=True)
        rows += [*overall(rows), *(row_of("together", title, pooled[title]) for title in ROUNDS)]
        for row in rows[-2 * len(ROUNDS) :]:
            print(as_line(row))
        if given.csv is not None:
            write_atomic(given.csv, as_csv(rows).encode())
    except AppError as error:
        print(f"evaluation.quality: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
