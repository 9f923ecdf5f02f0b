"""Between index masks on disk and the channels of a prob tensor."""
from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor

from inference_core.propagator import Propagator
from util.types import IGNORE, IndexMask


class Channels:
    """Object `object_ids[i]` lives in slot i and in channel i+1 of a prob; channel 0 is the background. Immutable."""

    def __init__(self, propagator: Propagator, object_ids: Sequence[int] = ()) -> None:
        self._propagator = propagator
        self.object_ids = tuple(object_ids)

    def ordered(self, object_ids: Collection[int]) -> tuple[int, ...]:
        """Those ids that have a channel, in channel order."""
        return tuple(i for i in self.object_ids if i in object_ids)

    def slots(self, object_ids: Sequence[int]) -> list[int]:
        return [self.object_ids.index(i) for i in object_ids]

    def rows(self, object_ids: Sequence[int]) -> list[int]:
        """Channels of a prob [K+1, ...]."""
        return [1 + slot for slot in self.slots(object_ids)]

    def from_mask(self, mask: IndexMask) -> Tensor:
        """uint8 [H, W] -> prob [K+1, Hp, Wp]; ids without a channel count as background."""
        planes = np.stack([mask == i for i in self.object_ids]).astype(np.float32)
        background = 1 - planes.sum(0, keepdims=True)
        return self._propagator.to_working(torch.from_numpy(np.concatenate([background, planes])))

    def with_resting(self, prob: Tensor, active: Sequence[int], mask: IndexMask) -> Tensor:
        """Add the objects that do not take part: prob [A+1, Hp, Wp] of `active` -> [K+1, Hp, Wp].

        The others come from the stored mask, and where they are, no active object is.
        """
        if tuple(active) == self.object_ids:
            return prob
        planes = self.from_mask(mask)
        rows = self.rows(active)
        planes[rows] = 0
        free = 1 - planes[1:].sum(0)
        planes[rows] = prob[1:] * free
        planes[0] = prob[0] * free
        return planes

    def to_mask(self, prob: Tensor, active: Sequence[int], mask: IndexMask) -> IndexMask:
        """Decide every pixel at native size: prob [A+1, Hp, Wp] -> uint8 [H, W].

        Pixels of objects that are in `mask` but not active stay exactly as they are.
        """
        result = _winners(self._propagator.to_native(prob), (0, *active)).cpu().numpy()
        is_resting = np.ones(256, bool)
        is_resting[[0, IGNORE, *active]] = False
        np.copyto(result, mask, where=is_resting[mask])
        return result


def _winners(planes: Tensor, ids: Sequence[int]) -> Tensor:
    """uint8 [H, W]: ids[c] of the channel c with the highest value, the first of equals. planes [C, H, W].

    Plane by plane, because `argmax` over the slowest dimension takes a CPU as long as the small network's decoder.
    """
    best = planes[0]
    winner = torch.full(best.shape, ids[0], dtype=torch.uint8, device=planes.device)
    for object_id, plane in zip(ids[1:], planes[1:], strict=True):
        winner.masked_fill_(plane > best, object_id)
        best = torch.maximum(best, plane)
    return winner
