"""COCO's run-length code: what is written comes back, pycocotools agrees, and nothing damaged is believed."""
from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.exchange.rle import decode, decode_runs, encode, encode_runs
from util.types import Size


@st.composite
def regions(draw: st.DrawFn) -> np.ndarray:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    cell = draw(st.integers(1, 9))
    blocks = rng.random((height // cell + 1, width // cell + 1)) < draw(st.floats(0, 1))
    return np.kron(blocks, np.ones((cell, cell), bool))[:height, :width]


@given(regions())
def test_comes_back(region: np.ndarray) -> None:
    size = Size(*region.shape)
    assert np.array_equal(decode(encode(region), size), region)
    assert np.array_equal(decode_runs(encode_runs(region), size), region)


@given(regions())
def test_is_what_pycocotools_writes(region: np.ndarray) -> None:
    tools = pytest.importorskip("pycocotools.mask")
    theirs = tools.encode(np.asfortranarray(region.astype(np.uint8)))["counts"].decode()
    assert encode(region) == theirs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools 2.0.11 with numpy 2.4
        back = tools.decode({"size": list(region.shape), "counts": encode(region)})
    assert np.array_equal(back.astype(bool), region)


def test_large_runs() -> None:
    region = np.zeros((2000, 1500), bool)
    region[1999, 1499] = True
    assert np.array_equal(decode(encode(region), Size(2000, 1500)), region)


@given(st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=30))
def test_garbage_is_refused_or_a_mask(text: str) -> None:
    try:
        assert decode(text, Size(4, 5)).shape == (4, 5)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize("text", ["", "é", "o", "oooooooo0", "1", "0" * 30, "~", "O4"])
def test_damage_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="run"):
        decode(text, Size(4, 5))


def test_runs_that_overflow_are_refused() -> None:
    huge = np.array([2**62, 2**62, 2**62, 2**62 + 20], np.int64)
    with pytest.raises(ValueError, match="do not fill"):
        decode_runs(huge, Size(4, 5))
