"""The table of flags: names, aliases, defaults, and one line with exit code 2 for every bad value."""
from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from util import score_config
from util.config import HEADLESS, WINDOW, AppConfig, build_parser, parse_config
from util.errors import AppError
from util.frame_range import FrameRange
from util.memory_budgets import MEMORY_PROFILES
from util.score_config import SCORE, ScoreConfig, parse_score_config

ENGINES = ("stcn", "light", "static")
JOB = ["--video", "v.mp4", "--masks", "m", "--output", "o"]


def headless(*extra: str) -> AppConfig:
    return parse_config(HEADLESS, [*JOB, *extra], ENGINES)


def window(*argv: str) -> AppConfig:
    return parse_config(WINDOW, argv, ENGINES)


def refusal(capsys: pytest.CaptureFixture[str], program: str, argv: list[str]) -> str:
    """The line on stderr of a refused command line."""
    with pytest.raises(SystemExit) as stop:
        parse_config(program, argv, ENGINES)
    captured = capsys.readouterr()
    assert stop.value.code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_defaults() -> None:
    settings = headless()
    assert settings == AppConfig(video=Path("v.mp4"), masks=Path("m"), output=Path("o"))
    assert (settings.engine, settings.device, settings.mem_every, settings.mem_profile) == ("auto", "auto", 5, 0)
    assert settings.top_k is None
    assert settings.size is None
    assert settings.range == FrameRange(None, None)
    assert not settings.partial
    assert not settings.no_amp
    assert window() == AppConfig()


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        (["--mem_freq", "3"], "mem_every", 3),
        (["--mem_every", "3"], "mem_every", 3),
        (["--resolution", "480"], "size", 480),
        (["--size", "-1"], "size", -1),
        (["--prop_model", "a.pth"], "weights", Path("a.pth")),
        (["--weights", "a.pth"], "weights", Path("a.pth")),
        (["--fusion_model", "f.pth"], "fusion_model", Path("f.pth")),
        (["--mem_profile", "3"], "mem_profile", 3),
        (["--no_amp"], "no_amp", True),
        (["--no_zoom"], "no_zoom", True),
        (["--top_k", "20"], "top_k", 20),
        (["--max_memory_frames", "12"], "max_memory_frames", 12),
        (["--budget", "50000"], "budget", 50000),
        (["--update_rate", "0.05"], "update_rate", 0.05),
        (["--engine", "light"], "engine", "light"),
        (["--engine", "auto"], "engine", "auto"),
        (["--device", "mps"], "device", "mps"),
        (["--workspace", "w"], "workspace", Path("w")),
    ],
)
def test_both_programs_take_the_engine_flags(argv: list[str], field: str, value: object) -> None:
    assert getattr(headless(*argv), field) == value
    assert getattr(window(*argv), field) == value


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        (["--images", "f"], "source", Path("f")),
        (["--video", "v.mov"], "source", Path("v.mov")),
        (["--num_objects", "254"], "num_objects", 254),
        (["--masks", "m"], "masks", Path("m")),
        (["--s2m_model", "s.pth"], "s2m_model", Path("s.pth")),
        (["--fbrs_model", "b.pth"], "fbrs_model", Path("b.pth")),
        (["--interaction", "grabcut"], "interaction", "grabcut"),
    ],
)
def test_window_keeps_the_names_of_mivos(argv: list[str], field: str, value: object) -> None:
    assert getattr(window(*argv), field) == value


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        (["--partial"], "partial", True),
        (["--overlay", "o.MP4"], "overlay", Path("o.MP4")),
        (["--stats", "s.json"], "stats", Path("s.json")),
        (["--range", "3:9"], "range", FrameRange(3, 9)),
        (["--range", "3:"], "range", FrameRange(3, None)),
        (["--range", ":9"], "range", FrameRange(None, 9)),
        (["--range", ":"], "range", FrameRange(None, None)),
    ],
)
def test_headless_flags(argv: list[str], field: str, value: object) -> None:
    assert getattr(headless(*argv), field) == value


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--mem_every", "0"], ["--mem_every", "at least 1", "got 0"]),
        (["--mem_every", "five"], ["--mem_every", "whole number", "'five'"]),
        (["--top_k", "-3"], ["--top_k", "at least 1"]),
        (["--max_memory_frames", "0"], ["--max_memory_frames", "at least 1"]),
        (["--budget", "0"], ["--budget", "at least 1"]),
        (["--update_rate", "1.5"], ["--update_rate", "from 0 to 1", "1.5"]),
        (["--update_rate", "fast"], ["--update_rate", "from 0 to 1", "fast"]),
        (["--size", "0"], ["--size", "at least 32", "got 0"]),
        (["--size", "-2"], ["--size", "-1 for the native size"]),
        (["--mem_profile", "4"], ["--mem_profile", "from 0 to 3"]),
        (["--engine", "resnet"], ["--engine", "'resnet'", "stcn"]),
        (["--device", "tpu"], ["--device", "'tpu'", "cuda"]),
        (["--range", "5"], ["--range", "A:B", "'5'"]),
        (["--range", "1:2:3"], ["--range", "A:B"]),
        (["--range", "-5:-1"], ["--range"]),
        (["--range", "a:b"], ["--range", "A:B"]),
        (["--range", "7:7"], ["--range", "empty"]),
        (["--range", ":0"], ["--range", "empty"]),
        (["--overlay", "o.gif"], ["--overlay", ".mp4", "'o.gif'"]),
        (["--stats", "s.txt"], ["--stats", ".json"]),
        (["--workspace", ""], ["--workspace", "empty"]),
        (["--weights"], ["--weights"]),
        (["--num_objects", "2"], ["--num_objects"]),
        (["--part"], ["--part"]),
        (["stray"], ["stray"]),
    ],
)
def test_bad_values_end_with_one_line(capsys: pytest.CaptureFixture[str], argv: list[str], words: list[str]) -> None:
    line = refusal(capsys, HEADLESS, [*JOB, *argv])
    assert line.startswith("propagate.py: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize("value", ["0", "255", "many"])
def test_bad_number_of_objects(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert "--num_objects" in refusal(capsys, WINDOW, ["--num_objects", value])


@pytest.mark.parametrize("missing", ["--video", "--masks", "--output"])
def test_headless_needs_source_masks_and_output(capsys: pytest.CaptureFixture[str], missing: str) -> None:
    at = JOB.index(missing)
    assert missing in refusal(capsys, HEADLESS, JOB[:at] + JOB[at + 2 :])


def test_either_masks_or_objects_found_without(capsys: pytest.CaptureFixture[str]) -> None:
    job = ["--video", "v.mp4", "--output", "o", "--zero_shot"]
    assert parse_config(HEADLESS, job, ENGINES).zero_shot
    assert "either --masks DIR or --zero_shot" in refusal(capsys, HEADLESS, [*job, "--masks", "m"])
    assert "--partial is about given masks" in refusal(capsys, HEADLESS, [*job, "--partial"])


@pytest.mark.parametrize("program", [WINDOW, HEADLESS])
def test_two_sources_are_refused(capsys: pytest.CaptureFixture[str], program: str) -> None:
    argv = ["--images", "f", *(JOB if program == HEADLESS else ["--video", "v"])]
    assert "--images and --video" in refusal(capsys, program, argv)


@pytest.mark.parametrize("program", [WINDOW, HEADLESS, SCORE])
def test_help_names_every_flag_once(program: str) -> None:
    parser = score_config.build_parser() if program == SCORE else build_parser(program, ENGINES)
    text = parser.format_help()
    for entry in dataclasses.fields(ScoreConfig if program == SCORE else AppConfig):
        row = entry.metadata["flag"]
        for name in row.names:
            assert (name in parser._option_string_actions) == (program in row.programs)
            assert (name in text) == (program in row.programs)
    assert "{" not in text.replace("{auto,cpu,cuda,mps}", "")


def test_no_name_stands_for_two_flags() -> None:
    names = [name for entry in dataclasses.fields(AppConfig) for name in entry.metadata["flag"].names]
    assert len(names) == len(set(names))


def test_scorer() -> None:
    settings = parse_score_config(["--gt", "g", "--pred", "p"])
    assert (settings.gt, settings.pred, settings.csv) == (Path("g"), Path("p"), None)
    assert parse_score_config(["--gt", "g", "--pred", "p", "--csv", "c"]).csv == Path("c")


def test_scorer_needs_both_folders(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse_score_config(["--gt", "g"])
    assert stop.value.code == 2
    assert "--pred" in capsys.readouterr().err


def test_home_folder_is_expanded() -> None:
    assert window("--video", "~/v.mp4").video == Path.home() / "v.mp4"


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (FrameRange(), range(10)),
        (FrameRange(3, None), range(3, 10)),
        (FrameRange(None, 4), range(4)),
        (FrameRange(9, 10), range(9, 10)),
    ],
)
def test_range_is_half_open(text: FrameRange, frames: range) -> None:
    assert text.resolve(10) == frames


@pytest.mark.parametrize("beyond", [FrameRange(10, None), FrameRange(2, 11), FrameRange(11, 12)])
def test_range_beyond_the_video(beyond: FrameRange) -> None:
    with pytest.raises(AppError, match=rf"--range {beyond} .* 10 frames"):
        beyond.resolve(10)


def test_memory_profiles_shrink() -> None:
    for larger, smaller in zip(MEMORY_PROFILES, MEMORY_PROFILES[1:], strict=False):
        assert larger.frames > smaller.frames
        assert larger.masks > smaller.masks
        assert larger.features > smaller.features
    assert window("--mem_profile", "2").budgets == MEMORY_PROFILES[2]
