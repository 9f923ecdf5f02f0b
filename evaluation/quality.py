"""Is a predicted quality worth more than the engine's own margin? On clips whose true masks are known.

    python -m evaluation.quality --clips DIR [--frames N] [--quality FILE] [--csv FILE]

`DIR` is a data set in the DAVIS layout. The true first mask is carried forward; then the true mask of the last frame is
given too and carried back, so that every frame has two results, fused. For both rounds, sequence by sequence, the table
gives Spearman's rank correlation with the true J: of the margin, of what the light quality network predicts while the
masks are made, and, where its weights are here, of what IVOS-W's network says when it looks at them. Then the mean over
the sequences that have one, and the correlation over the masks of all sequences together.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.correction import find_clips
from evaluation.rank_report import RankRow, RankTable
from evaluation.rounds import ROUNDS, open_clip, played_rounds, rank_correlation
from inference_core.registry import carried_basis
from util.config import AppConfig, short_side
from util.errors import AppError
from util.flags import integer
from util.threads import calm_openmp

if TYPE_CHECKING:
    from inference_core.api import QualityAssessor

COLUMNS = ("margin", "predicted", "published")


@dataclass(frozen=True)
class Judged:
    """One mask: what is told without the truth, in the order of `COLUMNS`, and its true J."""

    values: tuple[float, ...]
    region: float


@dataclass(frozen=True)
class Setting:
    """How clips are played.

    Args:
        quality: weights of the light quality network; None: those in their place.
        published: the network that looks at every mask; None: nobody does.
        limit: only the first frames of each sequence; None for all. spare_cores: to leave to others.
    """

    config: AppConfig
    quality: Path | None
    published: QualityAssessor | None
    limit: int | None
    spare_cores: int


def row_of(sequence: str, round_name: str, masks: Sequence[Judged]) -> RankRow:
    """Of masks, at least one."""
    regions = [one.region for one in masks]
    columns = zip(*(one.values for one in masks), strict=True)
    correlations = tuple(rank_correlation(column, regions) for column in columns)
    return RankRow(sequence, round_name, len(masks), float(np.mean(regions)), correlations)


def evaluate(images: Path, masks: Path, setting: Setting) -> list[list[Judged]]:
    """Both rounds on one sequence. Raises AppError."""
    found: list[list[Judged]] = [[] for _ in ROUNDS]
    with open_clip(
        images, masks, setting.config, setting.limit, quality=setting.quality, spare_cores=setting.spare_cores
    ) as clip:
        for one in played_rounds(clip.core, clip.truth, clip.stored):
            values = [one.measure.margin, one.measure.quality]
            if setting.published is not None:
                prob = clip.core.object_probs(one.frame, [one.object_id])
                values.append(setting.published.quality(clip.frames.get(one.frame), prob))
            found[one.round].append(Judged(tuple(values), one.region))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality", description="What a predicted J is worth.")
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout, with all masks")
    parser.add_argument("--frames", type=integer(2), help="only the first frames of each sequence")
    parser.add_argument("--quality", type=Path, help="weights of a light quality network; default: the one in use")
    parser.add_argument("--size", type=short_side, help="shorter side that the engine works at")
    parser.add_argument("--csv", type=Path, help="write the table here, too")
    parser.add_argument("--threads", type=integer(1), default=os.cpu_count() or 1, help="of the processor (all)")
    given = parser.parse_args(argv)
    config = AppConfig(engine="light", size=given.size)
    try:
        clips = find_clips(given.clips)
        from inference_core.advice import build_assessor

        published = build_assessor(config.device, mixed_precision=True)
        spare = (os.cpu_count() or 1) - given.threads
        setting = Setting(config, given.quality, published, given.frames, spare)
        print(f"predicted: {given.quality or carried_basis().name}")
        played = ((name, evaluate(images, masks, setting)) for name, images, masks in clips)
        columns = COLUMNS if published is not None else COLUMNS[:2]
        RankTable(columns, 12).fill(played, row_of, given.csv)
    except AppError as error:
        print(f"evaluation.quality: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
