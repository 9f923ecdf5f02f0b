"""The memory that a program has given back to the C library, and that the library gives back to the system."""
from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_KEPT_BYTES = 256 << 20
_OWN_MAPPING_BYTES = 64 << 20


def keep_freed_memory() -> None:
    """Have the C library keep up to 256 MiB that is free at the moment, instead of asking the system again and again.

    A network takes and frees tens of megabytes per layer. Each time the system hands out new pages, one by one and
    cleared, which took a tenth of the time of the light network. Does nothing where the library is not glibc.
    """
    mallopt = _of_library("mallopt")
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)


def give_back_freed_memory() -> None:
    """Return all pages that are free at the moment, also between pieces in use.

    What lives long is scattered among what a network takes and frees, and the holes grow over a long video
    (docs/performance.md). To be called now and then: the next frame asks for its pages again.
    """
    trim = _of_library("malloc_trim")
    if trim is not None:
        trim(0)


def _of_library(name: str) -> Callable[..., int] | None:
    """A function of glibc; None where the library is another."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
