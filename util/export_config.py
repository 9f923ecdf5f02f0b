"""What `export.py` can be told on the command line, as a table like `config.py`. Pure: looks at no file."""
from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from util import flags
from util.frame_range import FrameRange, parse_range

EXPORT = "export"
MERGE = "merge"
_PROGRAMS = (EXPORT,)
_BOTH = (EXPORT, MERGE)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError(f"needs numbers or names of objects with commas between, got '{text}'")
    return names


def _pixels(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"needs a number of pixels from {low:g} to {high:g}, got '{text}'")
        return value

    return parse


@dataclass(frozen=True)
class OfVideo:
    """Which video, and which frames of it: rows that several programs have."""

    video: Path | None = flags.flag(
        None,
        "--video",
        programs=_BOTH,
        parse=flags.path,
        metavar="FILE",
        help="the video; default: where the workspace says it is",
    )
    images: Path | None = flags.flag(
        None, "--images", programs=_BOTH, parse=flags.path, metavar="DIR", help="the folder of frames, likewise"
    )
    range: FrameRange = flags.flag(
        FrameRange(),
        "--range",
        programs=_BOTH,
        parse=parse_range,
        metavar="A:B",
        help="only frames A to B-1, counted from 0; A: runs to the end, :B from the start",
    )


@dataclass(frozen=True)
class ExportConfig(OfVideo):
    """Settings of the exporter."""

    project: Path | None = flags.flag(
        None,
        "--project",
        programs=_PROGRAMS,
        parse=flags.path,
        metavar="DIR",
        help="workspace that the window made: masks, objects, classes and colours come from it",
    )
    masks: Path | None = flags.flag(
        None,
        "--masks",
        programs=_PROGRAMS,
        parse=flags.path,
        metavar="DIR|FILE",
        help="instead of a workspace: masks in any format that can be read back; the video has to be given then",
    )
    format: str = flags.flag(
        "", "--format", programs=_PROGRAMS, parse=str, metavar="NAME", help="what to write: {choices}"
    )
    is_list: bool = flags.flag(
        False, "--formats", programs=_PROGRAMS, help="show all formats, and why one cannot be written here"
    )
    output: Path | None = flags.flag(
        None,
        "--output",
        programs=_PROGRAMS,
        parse=flags.path,
        metavar="PATH",
        help="a new folder, or the name of the video file",
    )
    replace: bool = flags.flag(
        False, "--replace", programs=_PROGRAMS, help="write into a folder that holds something, or over a file"
    )
    objects: tuple[str, ...] = flags.flag(
        (),
        "--objects",
        programs=_PROGRAMS,
        parse=_names,
        metavar="LIST",
        help="only these objects, by number or name, with commas between; default: all",
    )
    with_frames: bool = flags.flag(
        False,
        "--with_frames",
        programs=_PROGRAMS,
        help="also write the frames as JPEG (youtube-vos, coco, yolo-seg, labelme)",
    )
    feather: float = flags.flag(
        0.8,
        "--feather",
        programs=_PROGRAMS,
        parse=_pixels(0, 50),
        metavar="PIXELS",
        help="softness of the edge of mattes and cut-outs, the sigma of a Gaussian; 0: hard; default: 0.8",
    )
    grow: float = flags.flag(
        0.0,
        "--grow",
        programs=_PROGRAMS,
        parse=_pixels(-100, 100),
        metavar="PIXELS",
        help="grow the masks for mattes and cut-outs first, or shrink them (negative); default: 0",
    )


def build_parser(formats: Sequence[str]) -> flags.OneLineParser:
    """The parser of the exporter. Args: formats: their names."""
    return flags.make_parser(
        ExportConfig, EXPORT, "export.py", "Write masks in a format of other programs, and check what was written.",
        {"format": formats},
    )


def parse_export_config(argv: Sequence[str], formats: Sequence[str]) -> ExportConfig:
    """The settings of the exporter.

    Ends the program (`SystemExit` 2) with one line on stderr for an unknown flag or a bad value.
    """
    parser = build_parser(formats)
    config = ExportConfig(**vars(parser.parse_args(argv)))
    if config.is_list:
        return config
    if (config.project is None) == (config.masks is None):
        parser.error("needs either --project DIR or --masks PATH")
    if config.images is not None and config.video is not None:
        parser.error("--images and --video exclude each other: give one")
    if config.masks is not None and config.images is None and config.video is None:
        parser.error("--masks needs the video they are of: --video FILE or --images DIR")
    if not config.format:
        parser.error(f"needs --format with one of {', '.join(formats)}")
    if config.output is None:
        parser.error("needs --output PATH")
    return config
