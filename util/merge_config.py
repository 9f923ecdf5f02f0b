"""What `export.py merge` can be told on the command line, as a table like `config.py`. Pure: looks at no file."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from util import flags
from util.export_config import MERGE, OfVideo

NEW = "new"
_PROGRAMS = (MERGE,)

Pairs = tuple[tuple[str, str], ...]


def _pairs(text: str) -> Pairs:
    parts = [tuple(side.strip() for side in part.split("=")) for part in text.split(",") if part.strip()]
    if not parts or any(len(part) != 2 or not all(part) for part in parts):
        raise argparse.ArgumentTypeError(f"needs THEIRS=OURS pairs with commas between, got '{text}'")
    return tuple((part[0], part[1]) for part in parts)


@dataclass(frozen=True)
class MergeConfig(OfVideo):
    """Settings of a merge."""

    project: Path | None = flags.flag(
        None,
        "--project",
        programs=_PROGRAMS,
        parse=flags.path,
        metavar="DIR",
        help="workspace that takes the work over; it must not be open in the window",
        required_by=_PROGRAMS,
    )
    other: Path | None = flags.flag(
        None,
        "--other",
        programs=_PROGRAMS,
        parse=flags.path,
        metavar="PATH",
        help="the other workspace of the same video, or masks in any format that can be read back",
        required_by=_PROGRAMS,
    )
    map: Pairs = flags.flag(
        (),
        "--map",
        programs=_PROGRAMS,
        parse=_pairs,
        metavar="LIST",
        help="which of their objects become which of ours, by number or name: 2=1,cat=dog,7=new; the others are left "
        "out; default: those called alike, or of the same number, and all others as new objects",
    )
    is_survey: bool = flags.flag(
        False, "--survey", programs=_PROGRAMS, help="only show which objects would become which; change nothing"
    )


def parse_merge_config(argv: Sequence[str]) -> MergeConfig:
    """The settings of a merge.

    Ends the program (`SystemExit` 2) with one line on stderr for an unknown flag or a bad value.
    """
    parser = flags.make_parser(
        MergeConfig, MERGE, "export.py merge", "Take over somebody else's work on the same video into a workspace.", {}
    )
    config = MergeConfig(**vars(parser.parse_args(argv)))
    if config.images is not None and config.video is not None:
        parser.error("--images and --video exclude each other: give one")
    return config
