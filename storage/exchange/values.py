"""The numbers that things read from a file get in the masks: their own where they can be, else counted from 1."""
from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from util.types import MAX_OBJECT_ID

K = TypeVar("K", bound=Hashable)


def number_things(keys: Iterable[K], wished: Mapping[K, int]) -> dict[K, int]:
    """Every key's value in the masks, 1..254.

    Args:
        keys: in order; those that are there twice count once.
        wished: the number a key has in its file. All are kept if every key has one and they differ and fit.

    Raises:
        ValueError: more than 254 things.
    """
    order = list(dict.fromkeys(keys))
    if len(order) > MAX_OBJECT_ID:
        raise ValueError(f"holds {len(order)} objects; at most {MAX_OBJECT_ID} fit")
    numbers = [wished.get(key, 0) for key in order]
    if len(set(numbers)) < len(numbers) or any(not 1 <= number <= MAX_OBJECT_ID for number in numbers):
        numbers = list(range(1, len(order) + 1))
    return dict(zip(order, numbers, strict=True))
