"""The adaptive feature bank of AFB-URR: absorb what is new, merge what is known, drop what is hardly ever looked at.

Liang, Li, Jafari, Chen: "Video Object Segmentation with Adaptive Feature Bank and Uncertain-Region Refinement",
NeurIPS 2020. Unlike `memory_bank` it knows no frames: a frame's features melt into those that are there, so that
a video of any length fits into a budget, and nothing can be taken back out.
"""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inference_core.api import BankFill
from inference_core.readout import query_blocks
from model.attention import dot_similarity, scores

BUDGET = 300_000
UPDATE_RATE = 0.1
MERGE_ABOVE = 0.95
_LOOKED_AT = 1e-3
"""A cell counts as used by a pixel that gives it more than this weight."""
_MAX_USAGE = 1e5


@dataclass
class Cells:
    """What is known of one object.

    Args:
        key: float32 [Ck, N]. value: float32 [Cv, N].
        born: float32 [N], the time at which a cell came. usage: float32 [N], how much it was looked at since.
    """

    key: Tensor
    value: Tensor
    born: Tensor
    usage: Tensor

    @property
    def count(self) -> int:
        return self.key.shape[1]

    def keep(self, mask: Tensor) -> None:
        """Drop the cells where bool [N] is False."""
        self.key, self.value = self.key[:, mask], self.value[:, mask]
        self.born, self.usage = self.born[mask], self.usage[mask]

    def append(self, key: Tensor, value: Tensor, time: float) -> None:
        """key [Ck, M], value [Cv, M]: cells that nobody has looked at yet."""
        self.key, self.value = torch.cat([self.key, key], 1), torch.cat([self.value, value], 1)
        self.born = torch.cat([self.born, self.born.new_full((key.shape[1],), time)])
        self.usage = torch.cat([self.usage, self.usage.new_zeros(key.shape[1])])


class FeatureBank:
    """Keys and values of K objects, the background among them, each within its share of the budget.

    Args:
        num_objects: K.
        budget: cells of all objects together. The frame an object starts from, and the newest one, stay whole however
            small the share is.
        update_rate: how far a merged cell moves towards what was merged into it, 0..1.
        merge_above: cosine similarity of keys above which two cells are the same.

    Attributes:
        cells: object id -> what is known of it.
        merged, removed: object id -> features merged into cells, and cells dropped, so far.
    """

    def __init__(
        self,
        num_objects: int,
        *,
        budget: int = BUDGET,
        update_rate: float = UPDATE_RATE,
        merge_above: float = MERGE_ABOVE,
    ) -> None:
        # A lone object changes little and its background much; the published programs leave a fifth free then.
        self.share = 0.8 * (budget // 2) if num_objects == 2 else float(budget // num_objects)
        self.cells: dict[int, Cells] = {}
        self._update_rate = update_rate
        self._merge_above = merge_above
        self._num_objects = num_objects
        self.merged: Counter[int] = Counter()
        self.removed: Counter[int] = Counter()

    @property
    def fill(self) -> BankFill:
        """Cells held and cells that fit; what was merged and removed since the bank is there."""
        held = sum(cells.count for cells in self.cells.values())
        return BankFill(
            held, int(self.share * self._num_objects), self.merged.total(), self.removed.total()
        )

    @property
    def nbytes(self) -> int:
        tensors = (t for c in self.cells.values() for t in (c.key, c.value, c.born, c.usage))
        return sum(t.numel() * t.element_size() for t in tensors)

    def read(self, object_id: int, query: Tensor, *, count_usage: bool = True) -> Tensor:
        """What the cells of an object say of each pixel.

        Args:
            query: [Ck, Nq].
            count_usage: let this reading count when the least used cells are looked for.

        Returns:
            float32 [Cv, Nq]. Raises KeyError for an object that is not in the bank.
        """
        cells = self.cells[object_id]
        memory, pixels = dot_similarity(cells.key, query)
        read = cells.value.new_empty(cells.value.shape[0], query.shape[1])
        looks = torch.zeros_like(cells.usage)
        for block in query_blocks(query.shape[1], cells.count):
            weight = scores(memory, pixels[:, block]).softmax(1)
            looks += (weight > _LOOKED_AT).sum(0)
            with torch.autocast(query.device.type, enabled=False):
                read[:, block] = cells.value @ weight.T
        if count_usage:
            cells.usage = cells.usage + torch.log(looks + 1)
        return read

    def absorb(self, object_id: int, key: Tensor, value: Tensor, time: float, *, evict: bool = True) -> None:
        """Learn from a frame; the first one of an object is taken as it is.

        Args:
            key: [Ck, M]. value: [Cv, M]. Copied.
            time: of the frame; later than that of earlier frames.
            evict: make room for what is new; otherwise only as much is taken in as there is room for, first what is
                least like anything known.
        """
        key, value = key.float(), value.float()
        if object_id not in self.cells:
            new = Cells(key[:, :0], value[:, :0], key.new_zeros(0), key.new_zeros(0))
            self.cells[object_id] = new
            new.append(key, value, time)
            return
        cells = self.cells[object_id]
        similarity, nearest = _nearest(cells.key, key)
        is_known = similarity > self._merge_above
        cells.key = self._moved(cells.key, key[:, is_known], nearest[is_known])
        cells.value = self._moved(cells.value, value[:, is_known], nearest[is_known])
        self.merged[object_id] += int(is_known.sum())
        is_new = ~is_known
        if evict:
            self.removed[object_id] += self._make_room(cells, int(is_new.sum()), time)
        else:
            room = max(0, int(self.share - cells.count))
            is_new[similarity.argsort()[room:]] = False
        cells.append(key[:, is_new], value[:, is_new], time)
        cells.usage = cells.usage.clamp(0, _MAX_USAGE)

    def _moved(self, old: Tensor, new: Tensor, target: Tensor) -> Tensor:
        """`old` [C, N] with column target[j] turned towards new[:, j], all j of one target averaged; lengths stay."""
        total = torch.zeros_like(old).index_add_(1, target, F.normalize(new, dim=0))
        count = torch.bincount(target, minlength=old.shape[1])
        turned = (1 - self._update_rate) * F.normalize(old, dim=0) + self._update_rate * total / count.clamp(min=1)
        return torch.where(count > 0, old.norm(dim=0) * turned, old)

    def _make_room(self, cells: Cells, wanted: int, time: float) -> int:
        """Drop the cells least looked at per unit of time, a whole number of looks at once, until `wanted` fit.

        Returns: how many are gone.
        """
        rate = cells.usage / (time - cells.born).clamp(min=1)
        kept = torch.ones_like(rate, dtype=torch.bool)
        before = remaining = cells.count
        while remaining and self.share - remaining < wanted:
            kept &= rate > int(rate[kept].min()) + 1
            remaining = int(kept.sum())
        if remaining < before:
            cells.keep(kept)
        return before - remaining


def _nearest(known: Tensor, new: Tensor) -> tuple[Tensor, Tensor]:
    """For every new key [C, M] the largest cosine with a known one [C, N], and which one that is: [M] each."""
    known, new = F.normalize(known, dim=0), F.normalize(new, dim=0)
    best = [scores(known, new[:, block]).max(1) for block in query_blocks(new.shape[1], known.shape[1])]
    return torch.cat([found.values for found in best]), torch.cat([found.indices for found in best])
