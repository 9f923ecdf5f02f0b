"""Which segments of a label map make an object worth following: single ones and unions of neighbours."""
from __future__ import annotations

import numpy as np

from util.types import IndexMask

MAX_LABELS = 63
"""Values in a label map, the background included: a set of labels is stored as the bits of a 64-bit number."""

_MIN_AREA, _MIN_UNION_AREA, _MAX_AREA, _MAX_WHOLE_AREA = 0.01, 0.02, 0.5, 0.7
_UNION_TRIES = 12


def compact(labels: IndexMask) -> IndexMask:
    """Labels renumbered 1, 2, ... from the largest segment down; what goes beyond `MAX_LABELS` becomes background."""
    area = np.bincount(labels.ravel(), minlength=256)
    area[0] = 0
    order = [label for label in np.argsort(-area, kind="stable") if area[label] > 0][: MAX_LABELS - 1]
    table = np.zeros(256, np.uint8)
    table[order] = np.arange(1, len(order) + 1)
    return table[labels]


def object_sets(
    labels: IndexMask, rng: np.random.Generator, *, with_whole: bool, limit: int = 10
) -> list[frozenset[int]]:
    """Sets of labels, each an object of 1 to 50 % of the image.

    Args:
        labels: as `compact` returns them.
        with_whole: all labels together are an object too (up to 70 %).
        limit: at most so many, drawn at random; the whole comes on top.
    """
    count = int(labels.max()) + 1
    area = np.bincount(labels.ravel(), minlength=count) / labels.size
    near = _neighbours(labels)
    found = {frozenset([label]) for label in range(1, count) if _MIN_AREA < area[label] < _MAX_AREA}
    for _ in range(_UNION_TRIES if count > 2 else 0):
        union = {int(rng.integers(1, count))}
        for _ in range(int(rng.integers(1, 4))):
            around = sorted({b for a in union for b in near.get(a, ())} - union)
            if around:
                union.add(around[int(rng.integers(len(around)))])
        if _MIN_UNION_AREA < sum(area[label] for label in union) < _MAX_AREA:
            found.add(frozenset(union))
    ordered = sorted(found, key=sorted)
    chosen = [ordered[i] for i in rng.permutation(len(ordered))[:limit]]
    if with_whole and count > 2 and area[1:].sum() < _MAX_WHOLE_AREA:
        chosen.append(frozenset(range(1, count)))
    return chosen


def _neighbours(labels: IndexMask) -> dict[int, set[int]]:
    """Labels (not 0) that share an edge of a pixel."""
    near: dict[int, set[int]] = {}
    for first, second in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        differs = (first != second) & (first > 0) & (second > 0)
        for a, b in np.unique(np.stack([first[differs], second[differs]], -1), axis=0):
            near.setdefault(int(a), set()).add(int(b))
            near.setdefault(int(b), set()).add(int(a))
    return near
