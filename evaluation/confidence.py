"""Do the suspects that a propagation leaves tell where its masks are bad? On clips whose true masks are known.

    python -m evaluation.confidence --clips DIR [--sequence NAME ...] [--frames N] [--csv FILE]

`DIR` is a data set in the DAVIS layout. The true first mask is carried forward; then the true mask of the last frame is
given too and carried back, so that every frame has two results, fused. For both rounds the table gives Spearman's rank
correlation of the margin, of the quality (`inference_core.confidence.ObjectMeasure`) and of the steadiness (one minus
the flicker, see `util/flicker.py`) with the true J, over all frames and objects of a sequence, their mean over the
sequences, and that over the masks of all sequences together; and what the rules for suspects find: how many masks have
a J below 0.5, how many are suspects by quality or by flicker, and how many are both.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.correction import find_clips
from evaluation.rank_report import RankRow, RankTable
from evaluation.rounds import ROUNDS, Carried, open_clip, play_round, rank_correlation
from inference_core.api import CoreApi
from inference_core.confidence import SUSPECT_BELOW, ObjectMeasure
from util.config import AppConfig, short_side
from util.errors import AppError
from util.flags import integer
from util.flicker import FLICKER_ABOVE, flicker
from util.threads import calm_openmp
from util.types import IndexMask

BAD = 0.5
"""A mask with a lower J is one that a user would want to find."""
MEASURES = ("margin", "quality", "steadiness")


@dataclass(frozen=True)
class Sample:
    """One object on one frame: what is told without the truth, and the true J. Args: steadiness: 1 minus flicker."""

    measure: ObjectMeasure
    region: float
    steadiness: float = 1.0

    @property
    def values(self) -> tuple[float, float, float]:
        """As `MEASURES`."""
        return self.measure.margin, self.measure.quality, self.steadiness

    @property
    def is_suspect(self) -> bool:
        return self.measure.quality < SUSPECT_BELOW or 1 - self.steadiness > FLICKER_ABOVE


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


class Row(RankRow):
    """Counts: masks below `BAD`, masks that the rule suspects, and masks that are both."""

    @property
    def bad(self) -> int:
        return self.counts[0]

    @property
    def suspects(self) -> int:
        return self.counts[1]

    @property
    def both(self) -> int:
        return self.counts[2]


def row_of(sequence: str, round_name: str, samples: Sequence[Sample]) -> Row:
    regions = np.array([sample.region for sample in samples])
    correlations = [rank_correlation(column, regions) for column in zip(*(s.values for s in samples), strict=True)]
    suspect = np.array([sample.is_suspect for sample in samples])
    bad = regions < BAD
    counts = (int(bad.sum()), int(suspect.sum()), int((bad & suspect).sum()))
    return Row(sequence, round_name, len(samples), float(regions.mean()), tuple(correlations), counts)


def evaluate(images: Path, masks: Path, config: AppConfig, limit: int | None) -> list[list[Sample]]:
    """Both rounds on one sequence, of its first `limit` frames. Raises AppError."""
    with open_clip(images, masks, config, limit) as clip:
        return measure_rounds(clip.core, clip.truth, clip.stored)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m evaluation.confidence", description="What suspects are worth.")
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout, with all masks")
    parser.add_argument("--sequence", nargs="+", help="only these; default: all")
    parser.add_argument("--frames", type=integer(2), help="only the first frames of each")
    parser.add_argument("--engine", default="light", help="default: light")
    parser.add_argument("--weights", type=Path, help="of the engine; default: those in their usual place")
    parser.add_argument("--size", type=short_side, help="shorter side to work at")
    parser.add_argument("--csv", type=Path, help="write the table here, too")
    given = parser.parse_args(argv)
    config = AppConfig(engine=given.engine, weights=given.weights, size=given.size)
    table = RankTable((*MEASURES, "bad", "suspects", "bad_suspects"), 13)
    try:
        clips = {name: (images, masks) for name, images, masks in find_clips(given.clips)}
        missing = [name for name in given.sequence or () if name not in clips]
        if missing:
            raise AppError(f"{given.clips}: has no sequence {missing[0]}.", f"There are {', '.join(clips)}.")
        played = ((name, evaluate(*clips[name], config, given.frames)) for name in given.sequence or clips)
        table.fill(played, row_of, given.csv)
    except AppError as error:
        print(f"evaluation.confidence: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
