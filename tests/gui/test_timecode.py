from __future__ import annotations

import pytest

from gui.timecode import format_timecode, parse_position
from util.errors import AppError

TIMES = [index * 1001 / 30000 for index in range(4000)]


@pytest.mark.parametrize(("text", "frame"), [("0", 0), (" 17 ", 17), ("0.49 s", 14), ("1:00", 1798), ("00:01,002", 30)])
def test_positions(text: str, frame: int) -> None:
    assert parse_position(text, TIMES) == frame


def test_what_is_shown_is_understood() -> None:
    for frame in range(0, 4000, 37):
        assert parse_position(format_timecode(TIMES[frame]), TIMES) == frame


@pytest.mark.parametrize("text", ["", "4000", "-3", "ten", "1:2:3:4", "9:00:00"])
def test_what_is_no_position(text: str) -> None:
    with pytest.raises(AppError):
        parse_position(text, TIMES)
