"""What `python -m evaluation.score` can be told on the command line, as a table like `config.py`."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from util import flags

SCORE = "evaluation.score"


@dataclass(frozen=True)
class ScoreConfig:
    """Settings of the scorer."""

    gt: Path = flags.flag(
        Path(),
        "--gt",
        programs=(SCORE,),
        parse=flags.path,
        metavar="DIR",
        required_by=(SCORE,),
        help="ground truth: a folder of PNG masks, or a folder of such folders, one per sequence",
    )
    pred: Path = flags.flag(
        Path(),
        "--pred",
        programs=(SCORE,),
        parse=flags.path,
        metavar="DIR",
        required_by=(SCORE,),
        help="masks to be scored, laid out and named as the ground truth",
    )
    csv: Path | None = flags.flag(
        None, "--csv", programs=(SCORE,), parse=flags.path, metavar="FILE", help="also write the table as CSV"
    )


def build_parser() -> flags.OneLineParser:
    """The parser of the scorer."""
    return flags.make_parser(
        ScoreConfig, SCORE, "python -m evaluation.score",
        "Region similarity J and contour accuracy F by the DAVIS definition, first and last frame left out.", {},
    )


def parse_score_config(argv: Sequence[str]) -> ScoreConfig:
    """The settings of the scorer; ends the program as `util.config.parse_config` does."""
    return ScoreConfig(**vars(build_parser().parse_args(argv)))
