"""Regions as polygons: the pixels come back."""
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from storage.exchange.contours import fill, joined, rings
from util.types import Size


@given(st.integers(0, 99999), st.integers(1, 24), st.integers(1, 24), st.integers(1, 5), st.floats(0.05, 0.95))
def test_the_pixels_of_every_part_come_back(seed: int, height: int, width: int, cell: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    blocks = rng.random((height // cell + 1, width // cell + 1)) < share
    region = np.kron(blocks, np.ones((cell, cell), bool))[:height, :width]
    size = Size(height, width)
    found = np.zeros(size, bool)
    for outline, holes in rings(region):
        found |= fill([outline, *holes], size)
    assert np.array_equal(found, region)


def test_one_line_keeps_holes_and_joins_parts() -> None:
    region = np.zeros((30, 40), bool)
    region[2:20, 2:20] = True
    region[6:10, 6:10] = False
    region[5:9, 30:38] = True
    line = joined(region)
    assert line is not None
    found = fill([line], Size(30, 40))
    assert found[region].all() and not found[7:9, 7:9].any()
    extra = np.argwhere(found & ~region)
    assert len(extra) == 30 - 20 and np.ptp(extra[:, 0]) <= 3, "nothing but one bridge of ten pixels"
    assert joined(np.zeros((3, 3), bool)) is None


def test_outlines_far_outside_the_picture_are_clipped() -> None:
    huge = np.array([[-1_000_000, -1_000_000], [1_000_000, -1_000_000], [1_000_000, 1_000_000]], np.int32)
    assert fill([huge], Size(4, 5)).shape == (4, 5)
