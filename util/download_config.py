"""What `download_model.py` can be told on the command line, as a table like `config.py`. Pure: looks at no file."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from util import flags

DOWNLOAD = "download_model"


@dataclass(frozen=True)
class DownloadConfig:
    """Settings of the downloader, besides the names of the weights."""

    is_all: bool = flags.flag(
        False, "--all", programs=(DOWNLOAD,), help="fetch every file that is missing and has an address"
    )
    is_list: bool = flags.flag(
        False, "--list", programs=(DOWNLOAD,), help="show all weight files: where from, what for, and what is here"
    )
    is_verify: bool = flags.flag(
        False,
        "--verify",
        programs=(DOWNLOAD,),
        help="compare the files that are here with their recorded checksums, look into those without one",
    )
    file: Path | None = flags.flag(
        None,
        "--from",
        programs=(DOWNLOAD,),
        parse=flags.path,
        metavar="FILE",
        help="take in this file, fetched by hand, as the network that is named",
    )


def parse_download_config(argv: Sequence[str], known: Sequence[str]) -> tuple[DownloadConfig, tuple[str, ...]]:
    """The settings and the names of the weights that are wanted: either names, or one of the switches.

    Ends the program (`SystemExit` 2) with one line on stderr when they make no sense.

    Args:
        known: names of the weight files.
    """
    parser = flags.make_parser(
        DownloadConfig, DOWNLOAD, "download_model.py", "Fetch the weights of published networks into saves/.", {}
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which weights: {', '.join(known)}")
    given = vars(parser.parse_args(argv))
    names = tuple(dict.fromkeys(given.pop("names")))
    config = DownloadConfig(**given)
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"there are no weights called {unknown[0]}; there are {', '.join(known)}")
    if sum((bool(names), config.is_all, config.is_list, config.is_verify)) != 1:
        parser.error("give the names of weights, or one of --all, --list and --verify")
    if config.file is not None and len(names) != 1:
        parser.error("--from FILE needs the one name that the file is for")
    return config, names
