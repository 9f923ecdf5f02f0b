"""Presets, and what docs/training.md says about them and about the commands."""
from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

import train
from training.preset import Preset, Stage
from training.presets import PRESETS, as_table, preset_of
from training.tasks import TASKS
from util.errors import AppError

PRESET = Preset(1000, 4, (Stage(0.5, 128), Stage(1.0, 192)), rate=1e-3, warm_up=10, decay_from=0.6)


def test_sides_follow_the_stages() -> None:
    assert [PRESET.side_at(progress) for progress in (0, 0.49, 0.5, 0.99, 1)] == [128, 128, 192, 192, 192]


def test_the_rate_rises_stays_and_falls() -> None:
    assert PRESET.rate_at(0, 0) == pytest.approx(1e-4)
    assert PRESET.rate_at(9, 0.01) == PRESET.rate_at(500, 0.6) == pytest.approx(1e-3)
    assert PRESET.rate_at(500, 0.8) == pytest.approx(5e-4)
    assert PRESET.rate_at(1000, 1) == pytest.approx(1e-5)


def test_presets_are_sound() -> None:
    for (network, _), preset in PRESETS.items():
        assert network in TASKS
        ends = [stage.until for stage in preset.stages]
        assert ends == sorted(set(ends)) and ends[-1] == 1
        assert all(stage.side % 16 == 0 for stage in preset.stages)
        assert preset.score_every < preset.samples


def test_a_preset_that_is_not_there() -> None:
    with pytest.raises(AppError, match="light-other has no preset gpu"):
        preset_of("light-other", "gpu")


def test_the_document_has_the_presets(repository: Path) -> None:
    text = (repository / "docs" / "training.md").read_text(encoding="utf-8")
    assert as_table() in text, "replace its table by the output of: python -m training.presets"


def test_the_document_names_flags_that_exist(repository: Path) -> None:
    text = (repository / "docs" / "training.md").read_text(encoding="utf-8")
    calls = re.findall(r"^(?:torchrun .* )?(?:python )?train\.py (light-[a-z]+)((?:.*\\\n)*.*)$", text, re.MULTILINE)
    assert len(calls) >= 6
    known = {flag for action in parser_of(train._parser()) for flag in action.option_strings}
    for network, rest in calls:
        assert network in TASKS
        assert set(re.findall(r"--[a-z-]+", rest)) <= known


def parser_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The actions of all networks' parsers."""
    subs = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return [action for sub in subs.choices.values() for action in sub._actions]
