"""Memory that was freed is used again without asking the system."""
from __future__ import annotations

import subprocess
import sys

import pytest

_COUNT = """
import ctypes, resource, sys
from util.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes, library.memset.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
def faults():
    place = library.malloc(40 << 20)
    library.memset(place, 1, 40 << 20)
    library.free(place)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
first = faults()
print(faults() - first)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_a_freed_piece_needs_no_new_pages() -> None:
    def count(mode: str) -> int:
        done = subprocess.run([sys.executable, "-c", _COUNT, mode], capture_output=True, text=True, check=True)
        return int(done.stdout)

    new = count("new")
    if new < 1000:
        pytest.skip("this C library spares these anyway, or is another")
    assert count("kept") < new / 10


_HOLES = """
import ctypes
from util.allocator import give_back_freed_memory, keep_freed_memory
from util.process_memory import resident_bytes
keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes, library.memset.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
places = [library.malloc(1 << 20) for _ in range(100)]
for place in places:
    library.memset(place, 1, 1 << 20)
for place in places[::2]:
    library.free(place)
before = resident_bytes()
give_back_freed_memory()
print((before - resident_bytes()) >> 20)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_holes_between_pieces_in_use_are_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", _HOLES], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 40
