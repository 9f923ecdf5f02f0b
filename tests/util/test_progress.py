"""The progress line on a terminal and in a log."""
from __future__ import annotations

import io

import pytest

from util.process_memory import peak_bytes
from util.progress import ProgressLine, format_duration, format_speed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def advance(line: ProgressLine, clock: Clock, steps: range, seconds: float) -> None:
    for step in steps:
        clock.now += seconds
        line.update(step)


def test_terminal_shows_speed_and_time_left() -> None:
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, 100, "frames", clock=clock)
    advance(line, clock, range(1, 21), 0.5)
    line.close()
    last = stream.getvalue().split("\r")[-1]
    assert last.strip() == "20/100 frames (20 %), 2.0 frames/s, 0:40 left"
    assert stream.getvalue().endswith("\n")


def test_terminal_line_covers_the_one_before() -> None:
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, 10, "frames", clock=clock)
    advance(line, clock, range(1, 11), 700)
    shown = stream.getvalue().split("\r")[1:]
    assert len(shown) == 10
    assert all(len(after) >= len(before.rstrip()) for before, after in zip(shown, shown[1:], strict=False))


def test_terminal_is_not_flooded_but_shows_the_end() -> None:
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, 1000, "frames", clock=clock)
    advance(line, clock, range(1, 1001), 0.001)
    shown = stream.getvalue().split("\r")[1:]
    assert 5 <= len(shown) <= 12
    assert shown[-1].startswith("1000/1000 frames (100 %)")


def test_speed_is_that_of_the_last_seconds() -> None:
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, 1000, "frames", clock=clock)
    advance(line, clock, range(1, 101), 0.01)
    advance(line, clock, range(101, 131), 1.0)
    assert "1.0 frames/s" in stream.getvalue().split("\r")[-1]


def test_log_gets_a_line_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    line = ProgressLine(stream, 100, "frames", clock=clock)
    advance(line, clock, range(1, 61), 1.0)
    line.close()
    lines = stream.getvalue().splitlines()
    assert "\r" not in stream.getvalue()
    assert len(lines) == 4
    assert lines[0] == "15/100 frames (15 %), 1.0 frames/s, 1:25 left"


def test_short_run_says_nothing_in_a_log() -> None:
    stream, clock = io.StringIO(), Clock()
    line = ProgressLine(stream, 3, "frames", clock=clock)
    advance(line, clock, range(1, 4), 1.0)
    line.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (750, "12:30"), (7500, "2:05:00")]
)
def test_format_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(("speed", "text"), [(24.26, "24.3"), (1.0, "1.0"), (0.116, "0.12"), (0.0, "0.00")])
def test_format_speed(speed: float, text: str) -> None:
    assert format_speed(speed) == text


def test_peak_memory_is_plausible() -> None:
    peak = peak_bytes()
    assert peak is None or 10_000_000 < peak < 1 << 40


def test_unknown_total_shows_what_is_done_and_may_become_known() -> None:
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, None, "MB", clock=clock)
    advance(line, clock, range(1, 3), 1.0)
    assert stream.getvalue().split("\r")[-1].strip() == "2 MB, 1.0 MB/s"
    line.total = 10
    advance(line, clock, range(3, 5), 1.0)
    assert stream.getvalue().split("\r")[-1].strip() == "4/10 MB (40 %), 1.0 MB/s, 0:06 left"
    line.close()


def test_what_is_told_has_a_line_of_its_own() -> None:
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, 10, "frames", clock=clock)
    advance(line, clock, range(1, 2), 1.0)
    line.tell("The memory ran out.")
    advance(line, clock, range(2, 3), 1.0)
    lines = stream.getvalue().split("\n")
    assert lines[0].startswith("\r1/10") and lines[1] == "The memory ran out." and lines[2].startswith("\r2/10")
