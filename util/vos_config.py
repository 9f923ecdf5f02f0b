"""What `eval_vos.py` can be told on the command line, as a table like `config.py`. Pure: looks at no file.

`run` also takes the rows of `config.py` that concern the networks.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from util import flags
from util.config import AUTO, VOS_RUN, AppConfig

VOS_SCORE = "eval_vos score"
VOS_PACK = "eval_vos pack"
_ALL = (VOS_RUN, VOS_SCORE, VOS_PACK)

Command = Literal["run", "score", "pack"]
DATASETS = ("davis16", "davis17", "youtube18", "youtube19", "long", "folder")
TASKS = ("semi", "unsupervised")

_WHAT = {
    VOS_RUN: "Carry the first masks of every sequence of a data set through it. A run that was stopped goes on.",
    VOS_SCORE: "Score the masks of a run: tables, curves, the CSV files of the DAVIS tool.",
    VOS_PACK: "Pack the masks of a run as the data set's evaluation server wants them.",
}


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(names):
        raise argparse.ArgumentTypeError(f"needs names with commas between them, got '{text}'")
    return names


@dataclass(frozen=True)
class VosConfig:
    """Which data set, and where the results are."""

    dataset: str = flags.flag(
        "",
        "--dataset",
        programs=_ALL,
        parse=str,
        metavar="NAME",
        choices=DATASETS,
        required_by=_ALL,
        help="whose layout and rules: {choices}",
    )
    root: Path = flags.flag(
        Path(),
        "--root",
        programs=_ALL,
        parse=flags.path,
        metavar="DIR",
        required_by=_ALL,
        help="the data set, as it is unpacked",
    )
    output: Path = flags.flag(
        Path(),
        "--output",
        programs=_ALL,
        parse=flags.path,
        metavar="DIR",
        required_by=_ALL,
        help="folder of the run: its masks, scores and the packed file; score and pack also take a folder of masks",
    )
    subset: str | None = flags.flag(
        None,
        "--subset",
        programs=_ALL,
        parse=str,
        metavar="NAME",
        help="part of the data set, as its lists and folders are called (default: val, for youtube valid)",
    )
    sequences: tuple[str, ...] | None = flags.flag(
        None, "--sequences", programs=_ALL, parse=_names, metavar="A,B,...", help="only these sequences"
    )
    task: str = flags.flag(
        "semi",
        "--task",
        programs=_ALL,
        parse=str,
        choices=TASKS,
        help="semi: the first masks are given; unsupervised: the engine finds the objects, which the score matches",
    )
    all_frames: bool = flags.flag(
        False,
        "--all_frames",
        programs=(VOS_RUN,),
        help="youtube: carry through every frame, not only those that are scored",
    )


@dataclass(frozen=True)
class VosCommand:
    """One call. `engine` holds the network's settings, which only `run` takes."""

    command: Command
    vos: VosConfig
    engine: AppConfig


def build_parser(program: str, engines: Sequence[str]) -> tuple[flags.OneLineParser, tuple[str, ...]]:
    """The parser of one command, and the fields of `VosConfig` among what it parses."""
    name = f"eval_vos.py {program.split()[1]}"
    parser = flags.OneLineParser(prog=name, description=_WHAT[program], allow_abbrev=False)
    own = flags.add_rows(parser, VosConfig, program, {})
    if program == VOS_RUN:
        flags.add_rows(parser, AppConfig, program, {"engine": (AUTO, *engines)})
    return parser, own


def parse_vos_config(argv: Sequence[str], engines: Sequence[str]) -> VosCommand:
    """The command and its settings; ends the program as `util.config.parse_config` does.

    Args:
        engines: names of `inference_core.registry.available()`.
    """
    lines = "\n".join(f"  {program.split()[1]:<6} {text}" for program, text in _WHAT.items())
    first = flags.OneLineParser(
        prog="eval_vos.py",
        description=f"Benchmarks of video object segmentation.\n\n{lines}\n\nrun --help lists the flags of run.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = [program.split()[1] for program in _ALL]
    first.add_argument("command", choices=commands, metavar="run|score|pack")
    command = cast(Command, first.parse_args(argv[:1]).command)
    parser, own = build_parser(f"eval_vos {command}", engines)
    given = vars(parser.parse_args(argv[1:]))
    vos = VosConfig(**{name: given.pop(name) for name in own if name in given})
    if vos.all_frames and not vos.dataset.startswith("youtube"):
        parser.error("--all_frames is for youtube18 and youtube19")
    if vos.task == "unsupervised" and not vos.dataset.startswith("davis"):
        parser.error("--task unsupervised is for davis16 and davis17")
    return VosCommand(command, vos, AppConfig(**given))
