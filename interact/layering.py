"""Who owns a pixel where objects overlap."""
from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from util.types import IndexMask


def id_table(object_ids: Collection[int]) -> NDArray[np.bool_]:
    """bool [256], true at the given ids: `table[mask]` marks their pixels."""
    table = np.zeros(256, np.bool_)
    table[list(object_ids)] = True
    return table


def lay_region(
    base: IndexMask, object_id: int, region: NDArray[np.bool_], order: Sequence[int]
) -> IndexMask:
    """A copy of `base` in which the object is `region`, as far as the objects above it leave room.

    Args:
        region: bool [H, W], as a predictor gives it.
        order: all object ids, the topmost first. Objects above keep all their pixels, the others give way.
    """
    above = id_table(order[: order.index(object_id)])
    result = base.copy()
    result[base == object_id] = 0
    result[region & ~above[base]] = object_id
    return result
