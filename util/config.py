"""What the programs can be told on the command line, as one table.

The fields of `AppConfig` and `ScoreConfig` ARE the table: each names its flag, the flag's other names, its default, its
help and the programs that take it. `parse_config` turns a command line into one of these frozen values and ends the
program with exit code 2 and one line on stderr when a flag is wrong. Pure: looks at no file.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from util import flags
from util.errors import AppError
from util.types import MAX_OBJECT_ID

WINDOW = "interactive_gui"
HEADLESS = "propagate"
SCORE = "evaluation.score"
_ENGINE_PROGRAMS = (WINDOW, HEADLESS)

AUTO_ENGINE = "auto"
INTERACTIONS = ("light", "grabcut")
DEVICES = ("auto", "cpu", "cuda", "mps")
NATIVE_SIZE = -1
MIN_SIZE = 32

_MIB = 1 << 20


@dataclass(frozen=True)
class FrameRange:
    """`--range A:B` as in Python: frames A .. B-1, counted from 0; a missing end is the video's own."""

    start: int | None = None
    stop: int | None = None

    def resolve(self, num_frames: int) -> range:
        """The frames meant in a video of `num_frames` frames. AppError when the video does not have them."""
        start = 0 if self.start is None else self.start
        stop = num_frames if self.stop is None else self.stop
        if start >= num_frames or stop > num_frames:
            raise AppError(
                f"--range {self} reaches beyond the video, which has {num_frames} frames (0 to {num_frames - 1}).",
                f"Give a range within 0:{num_frames}; the second number is the first frame left out.",
            )
        return range(start, stop)

    def __str__(self) -> str:
        return f"{'' if self.start is None else self.start}:{'' if self.stop is None else self.stop}"


@dataclass(frozen=True)
class MemoryBudgets:
    """How many bytes may be kept to save work. Less is slower; the masks come out the same.

    Args:
        frames: decoded frames, in main memory.
        masks: masks in main memory; all others are read back from the disk.
        features: encoded frames, where the networks run.
    """

    frames: int
    masks: int
    features: int


MEMORY_PROFILES = (
    MemoryBudgets(frames=512 * _MIB, masks=256 * _MIB, features=1024 * _MIB),
    MemoryBudgets(frames=256 * _MIB, masks=128 * _MIB, features=512 * _MIB),
    MemoryBudgets(frames=128 * _MIB, masks=64 * _MIB, features=128 * _MIB),
    MemoryBudgets(frames=64 * _MIB, masks=32 * _MIB, features=0),
)


def _size(text: str) -> int:
    value = flags.number(text)
    if value != NATIVE_SIZE and value < MIN_SIZE:
        raise argparse.ArgumentTypeError(
            f"needs the shorter side in pixels, at least {MIN_SIZE}, or {NATIVE_SIZE} for the native size; got {value}"
        )
    return value


def _range(text: str) -> FrameRange:
    parts = text.split(":")
    if len(parts) != 2 or not all(part == "" or (part.isascii() and part.isdigit()) for part in parts):
        raise argparse.ArgumentTypeError(f"needs A:B with frame numbers from 0 (either may be left out), got '{text}'")
    start, stop = (int(part) if part else None for part in parts)
    if stop is not None and stop <= (start or 0):
        raise argparse.ArgumentTypeError(f"is empty: frames A to B-1 of '{text}' are none")
    return FrameRange(start, stop)


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
        required_by=(HEADLESS,),
        help="masks to start from: a folder of PNG files named like their frames, or one PNG for the first frame",
    )
    output: Path | None = flags.flag(
        None,
        "--output",
        programs=(HEADLESS,),
        parse=flags.path,
        metavar="DIR",
        required_by=(HEADLESS,),
        help="folder for the masks, one palette PNG per frame at native size",
    )
    engine: str = flags.flag(
        AUTO_ENGINE,
        "--engine",
        programs=_ENGINE_PROGRAMS,
        parse=str,
        metavar="NAME",
        help="propagation network: {choices}; auto takes stcn when its weights and a GPU are there, else light",
    )
    weights: Path | None = flags.flag(
        None,
        "--weights",
        "--prop_model",
        programs=_ENGINE_PROGRAMS,
        parse=flags.path,
        metavar="FILE",
        help="checkpoint of the propagation network; default: the one in saves/, or the embedded one",
    )
    fusion_model: Path | None = flags.flag(
        None,
        "--fusion_model",
        programs=_ENGINE_PROGRAMS,
        parse=flags.path,
        metavar="FILE",
        help="checkpoint of the fusion network; default: the one in saves/ if it fits, else fusion by distance in time",
    )
    s2m_model: Path | None = flags.flag(
        None,
        "--s2m_model",
        programs=(WINDOW,),
        parse=flags.path,
        metavar="FILE",
        help="checkpoint of the scribble network; no effect yet: --interaction says what answers scribbles",
    )
    fbrs_model: Path | None = flags.flag(
        None,
        "--fbrs_model",
        programs=(WINDOW,),
        parse=flags.path,
        metavar="FILE",
        help="checkpoint of the click network; no effect yet: --interaction says what answers clicks",
    )
    interaction: str = flags.flag(
        "grabcut",
        "--interaction",
        programs=(WINDOW,),
        parse=str,
        metavar="NAME",
        choices=INTERACTIONS,
        help="what answers clicks and scribbles: {choices}; light needs the weights of the interaction network",
    )
    mem_every: int = flags.flag(
        5,
        "--mem_every",
        "--mem_freq",
        programs=_ENGINE_PROGRAMS,
        parse=flags.integer(1),
        metavar="N",
        help="every N-th propagated frame goes into the memory; smaller is more accurate and slower",
    )
    top_k: int | None = flags.flag(
        None,
        "--top_k",
        programs=_ENGINE_PROGRAMS,
        parse=flags.integer(1),
        metavar="N",
        help="memory cells that each pixel listens to; default: what suits the engine",
    )
    size: int | None = flags.flag(
        None,
        "--size",
        "--resolution",
        programs=_ENGINE_PROGRAMS,
        parse=_size,
        metavar="PIXELS",
        help="shorter side the networks work at, -1: native; masks are written at native size always; "
        "default: what suits the engine",
    )
    device: str = flags.flag(
        "auto", "--device", programs=_ENGINE_PROGRAMS, parse=str, choices=DEVICES, help="where the networks run"
    )
    no_amp: bool = flags.flag(
        False, "--no_amp", programs=_ENGINE_PROGRAMS, help="compute in full float32, without mixed precision"
    )
    mem_profile: int = flags.flag(
        0,
        "--mem_profile",
        programs=_ENGINE_PROGRAMS,
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
        parse=_range,
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


_DESCRIPTIONS = {
    WINDOW: "Mark objects in a video and carry their masks through it.",
    HEADLESS: "Carry given masks through a video without a window: masks in, one mask per frame out.",
    SCORE: "Region similarity J and contour accuracy F by the DAVIS definition, first and last frame left out.",
}
_COMMANDS = {WINDOW: "interactive_gui.py", HEADLESS: "propagate.py", SCORE: "python -m evaluation.score"}


def build_parser(program: str, engines: Sequence[str] = ()) -> flags.OneLineParser:
    """The parser of one program.

    Args:
        program: `WINDOW`, `HEADLESS` or `SCORE`.
        engines: names of `inference_core.registry.available()`; `auto` is added. Needed where there is `--engine`.
    """
    table = ScoreConfig if program == SCORE else AppConfig
    names = (AUTO_ENGINE, *(name for name in engines if name != AUTO_ENGINE))
    return flags.make_parser(table, program, _COMMANDS[program], _DESCRIPTIONS[program], {"engine": names})


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
    if config.images is not None and config.video is not None:
        parser.error("--images and --video exclude each other: give one")
    if program == HEADLESS and config.source is None:
        parser.error("needs --images DIR or --video FILE")
    return config


def parse_score_config(argv: Sequence[str]) -> ScoreConfig:
    """The settings of the scorer; ends the program as `parse_config` does."""
    return ScoreConfig(**vars(build_parser(SCORE).parse_args(argv)))
