"""The part of an exception from the system or a codec library that tells a person something."""
from __future__ import annotations


def reason(error: Exception) -> str:
    """Short text without error numbers and without the file's name, which the caller's message carries already."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).rstrip(".")
