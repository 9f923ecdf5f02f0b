"""Ctrl-C and SIGTERM end a training only after its state was saved."""
from __future__ import annotations

import signal
import time
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAME = 2.0
"""Seconds within which more signals are the same request: a terminal and torchrun both pass a Ctrl-C on."""


class StopRequest:
    """Says whether the program was asked to end, while entered. Later signals end it at once, without saving."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._time = 0.0

    def __enter__(self) -> StopRequest:
        self._before = [signal.signal(number, self._note) for number in _SIGNALS]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in zip(_SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    def __call__(self) -> bool:
        return self.signal is not None

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.signal is None:
            self.signal, self._time = number, time.monotonic()
        elif time.monotonic() - self._time > _SAME:
            raise KeyboardInterrupt
