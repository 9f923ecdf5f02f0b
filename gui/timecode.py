"""Times as the window writes them."""
from __future__ import annotations

import bisect
import re
from collections.abc import Sequence

from util.errors import AppError

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)")


def format_timecode(seconds: float) -> str:
    """`00:00.667`, from an hour on `1:00:00.667`: rounded to milliseconds, negative times with a sign."""
    milliseconds = round(abs(seconds) * 1000)
    whole, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(whole, 60)
    sign = "-" if seconds < 0 and milliseconds else ""
    if minutes < 60:
        return f"{sign}{minutes:02d}:{second:02d}.{rest:03d}"
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{second:02d}.{rest:03d}"


def parse_position(text: str, times: Sequence[float]) -> int:
    """The frame that a user means: its number, or a time as `format_timecode` writes it (`7.5 s` works, too).

    Args:
        times: seconds of every frame, ascending.

    Returns: the frame; for a time, the one on screen then.

    Raises:
        AppError: not a position, or beyond the video.
    """
    written = text.strip().lower()
    last = len(times) - 1
    if written.isdecimal():
        frame = int(written)
        if frame > last:
            raise AppError(f"There is no frame {frame}.", f"The last frame is {last}.")
        return frame
    match = _CLOCK.fullmatch(written.removesuffix("s").strip())
    if match is None:
        raise AppError(f"“{text}” is neither a frame nor a time.", "Write a frame's number, or a time like 01:23.5.")
    hours, minutes, seconds = match.groups()
    time = int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds.replace(",", "."))
    if time > times[last] + 1.0:
        end = format_timecode(times[last])
        raise AppError(f"The video ends before {text.strip()}.", f"Its last frame is at {end}.")
    # Written times are rounded to milliseconds, so a frame's own time must find it.
    return max(bisect.bisect_right(times, time + 0.0005) - 1, 0)
