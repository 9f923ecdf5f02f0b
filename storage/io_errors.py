"""The part of an exception from the system or a codec library that tells a person something."""
from __future__ import annotations


def reason(error: Exception) -> str:
    """Short text without the file's name, which the caller's message carries already."""
    text = error.strerror if isinstance(error, OSError) else None
    return (text or str(error) or type(error).__name__).rstrip(".")
