"""How much main memory this process has needed."""
from __future__ import annotations

import sys


def peak_bytes() -> int | None:
    """The most main memory held at any moment so far; None where the system does not tell (Windows)."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
