"""COCO's run-length code of a binary mask, as pycocotools writes it. Pure arrays; input is not trusted.

Runs go down the columns, the first run is background (Lin et al., Microsoft COCO, ECCV 2014; `maskApi.c` of its tools).
In the compressed text every run from the fourth on is the difference to the one two before it, cut into groups of five
bits, lowest first, each a character from "0" on; the sixth bit says that another group follows.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from util.types import Size

_FIRST = 48
_MORE = 0x20
_SIGN = 0x10
_BITS = 5
_MAX_GROUPS = 7  # 35 bits: more than any run of a picture needs


def encode_runs(region: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of the runs of bool [H, W], column by column, the first one background (and perhaps 0)."""
    flat = region.T.ravel()
    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    marks = np.concatenate(([0], ends, [flat.size]))
    runs = np.diff(marks).astype(np.int64)
    return np.concatenate(([0], runs)) if flat[0] else runs


def encode(region: NDArray[np.bool_]) -> str:
    """The compressed text of bool [H, W]."""
    values = encode_runs(region)
    values[3:] -= values[1:-2].copy()
    groups = np.zeros((len(values), _MAX_GROUPS), np.uint8)
    is_used = np.zeros_like(groups, np.bool_)
    is_open = np.ones(len(values), np.bool_)
    for place in range(_MAX_GROUPS):
        low = values & 0x1F
        values >>= _BITS
        more = np.where(low & _SIGN, values != -1, values != 0)
        groups[:, place] = low + np.where(more, _MORE, 0) + _FIRST
        is_used[:, place] = is_open
        is_open &= more
    return groups[is_used].tobytes().decode("ascii")


def decode(counts: str, size: Size) -> NDArray[np.bool_]:
    """bool [H, W] of a compressed text. Raises ValueError unless it fills a mask of `size` exactly."""
    try:
        codes = np.frombuffer(counts.encode("ascii"), np.uint8).astype(np.int64) - _FIRST
    except UnicodeEncodeError:
        raise ValueError("holds characters that are no run lengths") from None
    if not codes.size or codes.min() < 0 or codes.max() >= 2 * _MORE or codes[-1] & _MORE:
        raise ValueError("is no list of run lengths, or is cut off")
    lasts = np.flatnonzero(codes & _MORE == 0)
    starts = np.concatenate(([0], lasts[:-1] + 1))
    lengths = lasts - starts + 1
    if lengths.max() > _MAX_GROUPS:
        raise ValueError("holds a run length that is too large")
    places = np.arange(codes.size) - np.repeat(starts, lengths)
    values = np.add.reduceat((codes & 0x1F) << (_BITS * places), starts)
    values -= np.where(codes[lasts] & _SIGN, np.int64(1) << (_BITS * lengths), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return decode_runs(values, size)


def decode_runs(runs: NDArray[np.int64], size: Size) -> NDArray[np.bool_]:
    """bool [H, W] of run lengths. Raises ValueError unless they fill a mask of `size` exactly."""
    total = size.height * size.width
    # Each run is bounded first: a sum of huge ones could overflow into the right number.
    if runs.size and (runs.min() < 0 or runs.max() > total) or int(runs.sum()) != total:
        raise ValueError(f"has runs that do not fill a mask of {size} pixels")
    is_inside = np.arange(runs.size) % 2 == 1
    return np.ascontiguousarray(np.repeat(is_inside, runs).reshape(size.width, size.height).T)
