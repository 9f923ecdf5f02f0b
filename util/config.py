"""What the window and the headless program can be told on the command line, as one table.

The fields of `AppConfig` ARE the table: each names its flag, the flag's other names, its default, its help and the
programs that take it. `parse_config` turns a command line into this frozen value and ends the program with exit code 2
and one line on stderr when a flag is wrong. Pure: looks at no file.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from util import flags
from util.frame_range import FrameRange, parse_range
from util.memory_budgets import MEMORY_PROFILES, MemoryBudgets
from util.types import MAX_OBJECT_ID

WINDOW = "interactive_gui"
HEADLESS = "propagate"
VOS_RUN = "eval_vos run"
DAVIS_INTERACTIVE = "eval_interactive_davis"
_ENGINE_PROGRAMS = (WINDOW, HEADLESS)
_NETWORK_PROGRAMS = (*_ENGINE_PROGRAMS, VOS_RUN, DAVIS_INTERACTIVE)

AUTO = "auto"
INTERACTIONS = ("ritm", "fbrs", "s2m", "light", "grabcut")
DEVICES = ("auto", "cpu", "cuda", "mps")
NATIVE_SIZE = -1
MIN_SIZE = 32


def short_side(text: str) -> int:
    """The value of `--size`: pixels, or `NATIVE_SIZE`."""
    value = flags.number(text)
    if value != NATIVE_SIZE and value < MIN_SIZE:
        raise argparse.ArgumentTypeError(
            f"needs the shorter side in pixels, at least {MIN_SIZE}, or {NATIVE_SIZE} for the native size; got {value}"
        )
    return value


@dataclass(frozen=True)
class AppConfig:
    """Settings of the window and of the headless program. None means: the engine's or the program's own choice."""

    images: Path | None = flags.flag(
        None,
        "--images",
        programs=_ENGINE_PROGRAMS,
        parse=flags.path,
        metavar="DIR",
        help="folder of frames (JPEG, PNG, TIFF, BMP, WebP)",
    )
    video: Path | None = flags.flag(
        None, "--video", programs=_ENGINE_PROGRAMS, parse=flags.path, metavar="FILE", help="video file"
    )
    masks: Path | None = flags.flag(
        None,
        "--masks",
        programs=_ENGINE_PROGRAMS,
        parse=flags.path,
        metavar="DIR|FILE.png",
        help="masks to start from: a folder of PNG files named like their frames, or one PNG for the first frame",
    )
    output: Path | None = flags.flag(
        None,
        "--output",
        programs=(HEADLESS,),
        parse=flags.path,
        metavar="DIR",
        help="folder for the masks, one palette PNG per frame at native size",
    )
    list_file: Path | None = flags.flag(
        None,
        "--list",
        programs=(HEADLESS,),
        parse=flags.path,
        metavar="FILE",
        help="many videos in one go: a JSON object per line, with video or images, masks and output of each (README)",
    )
    zero_shot: bool = flags.flag(
        False,
        "--zero_shot",
        programs=(HEADLESS,),
        help="no masks are given: a network finds the objects by itself and keeps their ids (engine rvos)",
    )
    engine: str = flags.flag(
        AUTO,
        "--engine",
        programs=_NETWORK_PROGRAMS,
        parse=str,
        metavar="NAME",
        help="propagation network: {choices}; auto takes stcn when its weights and a GPU are there, else light",
    )
    weights: Path | None = flags.flag(
        None,
        "--weights",
        "--prop_model",
        programs=_NETWORK_PROGRAMS,
        parse=flags.path,
        metavar="FILE|DIR",
        help="weights of the propagation network, for rvos a folder; default: those in saves/, or the embedded ones",
    )
    fusion_model: Path | None = flags.flag(
        None,
        "--fusion_model",
        programs=(*_ENGINE_PROGRAMS, DAVIS_INTERACTIVE),
        parse=flags.path,
        metavar="FILE",
        help="checkpoint of the fusion network; default: the embedded one for light, the one in saves/ if it fits, "
        "else fusion by distance in time",
    )
    s2m_model: Path | None = flags.flag(
        None,
        "--s2m_model",
        programs=(WINDOW, DAVIS_INTERACTIVE),
        parse=flags.path,
        metavar="FILE",
        help="checkpoint of the scribble network S2M, which then answers scribbles; default: the one in saves/",
    )
    fbrs_model: Path | None = flags.flag(
        None,
        "--fbrs_model",
        programs=(WINDOW,),
        parse=flags.path,
        metavar="FILE",
        help="checkpoint of a click network (f-BRS or RITM), which then answers clicks; default: those in saves/",
    )
    interaction: str = flags.flag(
        AUTO,
        "--interaction",
        programs=(WINDOW, DAVIS_INTERACTIVE),
        parse=str,
        metavar="NAME",
        choices=(AUTO, *INTERACTIONS),
        help="what answers clicks (ritm, fbrs), scribbles (s2m) or both (light, grabcut); auto takes the best whose "
        "weights are there; the window can change it",
    )
    mem_every: int = flags.flag(
        5,
        "--mem_every",
        "--mem_freq",
        programs=_NETWORK_PROGRAMS,
        parse=flags.integer(1),
        metavar="N",
        help="every N-th propagated frame goes into the memory; smaller is more accurate and slower",
    )
    top_k: int | None = flags.flag(
        None,
        "--top_k",
        programs=_NETWORK_PROGRAMS,
        parse=flags.integer(1),
        metavar="N",
        help="memory cells that each pixel listens to; default: what suits the engine",
    )
    max_memory_frames: int | None = flags.flag(
        None,
        "--max_memory_frames",
        programs=_NETWORK_PROGRAMS,
        parse=flags.integer(1),
        metavar="N",
        help="frames that a space-time memory holds besides the key frames, so that a video may be of any length; "
        "default: 6 for light, else 40",
    )
    budget: int | None = flags.flag(
        None,
        "--budget",
        programs=_NETWORK_PROGRAMS,
        parse=flags.integer(1),
        metavar="N",
        help="cells that the memory of afb-urr may hold, all objects together; default: 300000",
    )
    update_rate: float | None = flags.flag(
        None,
        "--update_rate",
        programs=_NETWORK_PROGRAMS,
        parse=flags.share,
        metavar="R",
        help="how far a cell of afb-urr's memory moves towards what is merged into it, 0 to 1; default: 0.1",
    )
    size: int | None = flags.flag(
        None,
        "--size",
        "--resolution",
        programs=_NETWORK_PROGRAMS,
        parse=short_side,
        metavar="PIXELS",
        help="shorter side the networks work at, -1: native; masks are written at native size always; "
        "default: what suits the engine",
    )
    device: str = flags.flag(
        "auto", "--device", programs=_NETWORK_PROGRAMS, parse=str, choices=DEVICES, help="where the networks run"
    )
    no_zoom: bool = flags.flag(
        False,
        "--no_zoom",
        programs=_NETWORK_PROGRAMS,
        help="always look at whole frames; otherwise the engine light looks closer at small objects",
    )
    no_amp: bool = flags.flag(
        False, "--no_amp", programs=_NETWORK_PROGRAMS, help="compute in full float32, without mixed precision"
    )
    mem_profile: int = flags.flag(
        0,
        "--mem_profile",
        programs=_NETWORK_PROGRAMS,
        parse=flags.integer(0, len(MEMORY_PROFILES) - 1),
        metavar="0..3",
        help="0 keeps the most frames and features at hand (fastest), 3 the fewest; the masks are the same",
    )
    num_objects: int | None = flags.flag(
        None,
        "--num_objects",
        programs=(WINDOW,),
        parse=flags.integer(1, MAX_OBJECT_ID),
        metavar="N",
        help="objects to create at the start; more can be added at any time",
    )
    range: FrameRange = flags.flag(
        FrameRange(),
        "--range",
        programs=(HEADLESS,),
        parse=parse_range,
        metavar="A:B",
        help="only frames A to B-1, counted from 0; A: runs to the end, :B from the start",
    )
    partial: bool = flags.flag(
        False,
        "--partial",
        programs=(HEADLESS,),
        help="an object missing from an annotated frame is not yet annotated there (default: it is absent there)",
    )
    overlay: Path | None = flags.flag(
        None,
        "--overlay",
        programs=(HEADLESS,),
        parse=flags.file_named(".mp4"),
        metavar="FILE.mp4",
        help="also write the video with its masks drawn over it",
    )
    stats: Path | None = flags.flag(
        None,
        "--stats",
        programs=(HEADLESS,),
        parse=flags.file_named(".json"),
        metavar="FILE.json",
        help="also write frames, frames per second, peak memory and all settings of the run",
    )
    self_check: bool = flags.flag(
        False,
        "--self_check",
        programs=(WINDOW,),
        help="print whether this machine has what the program needs, and end: with 0, or 2 where something is amiss",
    )
    workspace: Path | None = flags.flag(
        None,
        "--workspace",
        programs=_ENGINE_PROGRAMS,
        parse=flags.path,
        metavar="DIR",
        help="folder of the project that the window opens (window: default beside the video; propagate: none)",
    )

    @property
    def source(self) -> Path | None:
        """The video file or the folder of frames."""
        return self.images or self.video

    @property
    def budgets(self) -> MemoryBudgets:
        return MEMORY_PROFILES[self.mem_profile]


_OF_ONE_VIDEO = ("video", "images", "masks", "output", "overlay", "stats", "workspace")
JOB_FIELDS = (*_OF_ONE_VIDEO, "range", "partial", "zero_shot")
"""What a line of `--list` may say about its video."""

_DESCRIPTIONS = {
    WINDOW: "Mark objects in a video and carry their masks through it.",
    HEADLESS: "Carry given masks through a video without a window: masks in, one mask per frame out.",
}
_COMMANDS = {WINDOW: "interactive_gui.py", HEADLESS: "propagate.py"}


def build_parser(program: str, engines: Sequence[str]) -> flags.OneLineParser:
    """The parser of one program.

    Args:
        program: `WINDOW` or `HEADLESS`.
        engines: names of `inference_core.registry.available()`; `auto` is added.
    """
    names = (AUTO, *(name for name in engines if name != AUTO))
    return flags.make_parser(AppConfig, program, _COMMANDS[program], _DESCRIPTIONS[program], {"engine": names})


def parse_config(program: str, argv: Sequence[str], engines: Sequence[str]) -> AppConfig:
    """The settings of the window or the headless program.

    Ends the program (`SystemExit` 2) with one line on stderr for an unknown flag or a bad value.

    Args:
        program: `WINDOW` or `HEADLESS`.
        argv: the command line without the program's name.
        engines: names of `inference_core.registry.available()`.
    """
    parser = build_parser(program, engines)
    config = AppConfig(**vars(parser.parse_args(argv)))
    wrong = _source_complaint(config) if program == WINDOW else headless_complaint(config)
    if wrong is not None:
        parser.error(wrong)
    return config


def headless_complaint(config: AppConfig) -> str | None:
    """What is missing or contradicts itself in a headless job, or in what is given beside a list of them."""
    if config.list_file is not None:
        given = [name for name in _OF_ONE_VIDEO if getattr(config, name) is not None]
        return f"--list names all videos with their files: leave out --{given[0]}" if given else None
    if config.source is None:
        return "needs --images DIR or --video FILE"
    if config.output is None:
        return "needs --output DIR"
    if config.zero_shot == (config.masks is not None):
        return "needs either --masks DIR or --zero_shot"
    if config.zero_shot and config.partial:
        return "--partial is about given masks; with --zero_shot there are none"
    return _source_complaint(config)


def _source_complaint(config: AppConfig) -> str | None:
    if config.images is not None and config.video is not None:
        return "--images and --video exclude each other: give one"
    return None
