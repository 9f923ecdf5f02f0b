"""Ctrl-C as a wish to stop, for command-line programs."""
from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from util.jobs import CancelToken


@contextmanager
def interrupt_cancels() -> Iterator[CancelToken]:
    """The first Ctrl-C cancels the token, a second one interrupts whatever runs. Main thread."""
    token = CancelToken()

    def on_interrupt(signum: int, frame: object) -> None:
        if token.is_cancelled:
            raise KeyboardInterrupt
        token.cancel()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, before)
