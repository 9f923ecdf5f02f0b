"""Objects made of the segments of a label map."""
from __future__ import annotations

import numpy as np

from generation.object_sets import MAX_LABELS, compact, object_sets
from tests.generation.pictures import blocks


def test_compact_sorts_by_size_and_keeps_the_segments() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[:2], labels[5:15], labels[17, :3] = 200, 7, 99
    result = compact(labels)
    for old, new in ((7, 1), (200, 2), (99, 3), (0, 0)):
        np.testing.assert_array_equal(result == new, labels == old)


def test_compact_drops_the_smallest_beyond_the_limit() -> None:
    labels = np.zeros((100, 200), np.uint8)
    for label in range(1, 100):
        labels[label, : label + 1] = label
    result = compact(labels)
    assert result.max() == MAX_LABELS - 1
    assert (result[99] == 1).sum() == 100
    assert not result[:30].any()


def test_sets_are_single_segments_and_touching_ones() -> None:
    labels = blocks()
    labels[60:, 60:] = 3  # alone, and too small to be an object
    found = object_sets(labels, np.random.default_rng(0), with_whole=False)
    assert set(found) == {frozenset({1}), frozenset({2}), frozenset({1, 2})}


def test_size_limits() -> None:
    labels = np.zeros((64, 64), np.uint8)
    labels[:40] = 1
    labels[50:60, :10] = 2
    assert object_sets(labels, np.random.default_rng(0), with_whole=False) == [frozenset({2})]
    with_whole = object_sets(labels, np.random.default_rng(0), with_whole=True)
    assert with_whole == [frozenset({2}), frozenset({1, 2})]


def test_no_more_than_the_limit_and_the_same_every_time() -> None:
    labels = np.kron(np.arange(1, 26, dtype=np.uint8).reshape(5, 5), np.ones((12, 12), np.uint8))
    one, two = (object_sets(labels, np.random.default_rng(3), with_whole=False, limit=4) for _ in range(2))
    assert len(one) == 4 and one == two


def test_nothing_in_an_empty_map() -> None:
    assert object_sets(np.zeros((8, 8), np.uint8), np.random.default_rng(0), with_whole=True) == []
