"""What `eval_interactive_davis.py` can be told on the command line, as a table like `config.py`. Pure.

It also takes the rows of `config.py` that concern the networks.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from util import flags
from util.config import AUTO, DAVIS_INTERACTIVE, AppConfig

SELECTIONS = ("robot", "random", "linspace", "worst", "recommend")
SETTINGS = ("oracle", "wild")
BY_QUALITY = ("worst", "recommend")
_MINE = (DAVIS_INTERACTIVE,)


@dataclass(frozen=True)
class DavisConfig:
    """Settings of the interactive benchmark."""

    output: Path = flags.flag(
        Path(), "--output", programs=_MINE, parse=flags.path, metavar="DIR", required_by=_MINE,
        help="folder for the report, the summary and the work of the sessions",
    )
    davis: Path = flags.flag(
        Path("DAVIS"), "--davis", programs=_MINE, parse=flags.path, metavar="ROOT",
        help="DAVIS 2017 with its Scribbles, or any tree of its layout with a mask on every frame",
    )
    subset: str = flags.flag(
        "val", "--subset", programs=_MINE, parse=str, choices=("train", "val", "trainval"), metavar="NAME",
        help="{choices}",
    )
    frame_selection: str = flags.flag(
        "robot", "--frame_selection", programs=_MINE, parse=str, choices=SELECTIONS, metavar="HOW",
        help="who chooses the next frame: {choices}; the robot takes the truly worst one, recommend the frame agent",
    )
    setting: str = flags.flag(
        "wild", "--setting", programs=_MINE, parse=str, choices=SETTINGS, metavar="NAME",
        help="what worst and recommend know of the quality: oracle the true one, wild an estimate",
    )
    max_nb_interactions: int = flags.flag(
        8, "--max_nb_interactions", programs=_MINE, parse=flags.integer(1, 16), metavar="N",
        help="rounds of scribbles per sample",
    )
    max_time: int | None = flags.flag(
        None, "--max_time", programs=_MINE, parse=flags.integer(1, 600), metavar="SECONDS",
        help="for one sample and object, all its rounds together (default: no limit)",
    )
    seed: int = flags.flag(
        0, "--seed", programs=_MINE, parse=flags.integer(0), metavar="N",
        help="of the robot's lines and of --frame_selection random: one seed, one result",
    )


@dataclass(frozen=True)
class DavisCommand:
    """One call."""

    davis: DavisConfig
    engine: AppConfig


def build_parser(engines: Sequence[str]) -> tuple[flags.OneLineParser, tuple[str, ...]]:
    """The parser, and the fields of `DavisConfig` among what it parses."""
    parser = flags.OneLineParser(
        prog="eval_interactive_davis.py",
        description="The DAVIS interactive track with the official package, played through the window's own session.",
        allow_abbrev=False,
    )
    own = flags.add_rows(parser, DavisConfig, DAVIS_INTERACTIVE, {})
    flags.add_rows(parser, AppConfig, DAVIS_INTERACTIVE, {"engine": (AUTO, *engines)})
    return parser, own


def parse_davis_config(argv: Sequence[str], engines: Sequence[str]) -> DavisCommand:
    """The settings; ends the program as `util.config.parse_config` does.

    Args:
        engines: names of `inference_core.registry.available()`.
    """
    parser, own = build_parser(engines)
    given = vars(parser.parse_args(argv))
    is_oracle = given.get("setting") == "oracle"
    davis = DavisConfig(**{name: given.pop(name) for name in own if name in given})
    if is_oracle and davis.frame_selection not in BY_QUALITY:
        parser.error(f"--setting oracle is for --frame_selection {' and '.join(BY_QUALITY)}")
    return DavisCommand(davis, AppConfig(**given))
