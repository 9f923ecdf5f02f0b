"""Times as the window writes them."""
from __future__ import annotations


def format_timecode(seconds: float) -> str:
    """`00:00.667`, from an hour on `1:00:00.667`: rounded to milliseconds, negative times with a sign."""
    milliseconds = round(abs(seconds) * 1000)
    whole, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(whole, 60)
    sign = "-" if seconds < 0 and milliseconds else ""
    if minutes < 60:
        return f"{sign}{minutes:02d}:{second:02d}.{rest:03d}"
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{second:02d}.{rest:03d}"
