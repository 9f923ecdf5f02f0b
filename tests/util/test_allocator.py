"""Memory that was freed is used again without asking the system."""
from __future__ import annotations

import subprocess
import sys

import pytest

_COUNT = """
import resource, sys
import numpy as np
from util.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def faults():
    np.ones(40 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
first = faults()
print(faults() - first)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_a_freed_array_needs_no_new_pages() -> None:
    def count(mode: str) -> int:
        done = subprocess.run([sys.executable, "-c", _COUNT, mode], capture_output=True, text=True, check=True)
        return int(done.stdout)

    new = count("new")
    if new < 1000:
        pytest.skip("the C library, or the system with large pages, spares these anyway")
    assert count("kept") < new / 10
