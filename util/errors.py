"""Errors that a person reads.

An `AppError` is raised at the program's borders (files, flags, checkpoints) and shown as it is: on stderr with exit
code 2 by the command-line programs, in a dialog by the window. Anything else that escapes is a defect.
"""
from __future__ import annotations


class AppError(Exception):
    """A problem the user can do something about.

    Args:
        message: what is wrong, naming the file or value.
        hint: what to do about it; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
