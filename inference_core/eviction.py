"""Which rolling frame makes room when the memory is full. Key frames never do.

Three answers: the oldest one; the one that was read least per read since it came (least frequently used, as the
long-term memory of XMem decides: Cheng and Schwing, ECCV 2022); or none, and the two neighbours that look most alike
become one (as MovieChat consolidates its memory: Song et al., CVPR 2024). docs/performance.md compares them.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

Eviction = Literal["oldest", "least_read", "merge"]

EVICTIONS: tuple[Eviction, ...] = ("oldest", "least_read", "merge")

DEFAULT_EVICTION: Eviction = "merge"
"""Best of the three wherever they were compared (docs/performance.md)."""


class Reads:
    """How much of what was read came from each entry of a bank. Stays on the bank's device: no read waits for it."""

    def __init__(self, capacity: int, device: torch.device) -> None:
        self._shares = torch.zeros(capacity, device=device)
        self._chances = torch.zeros(capacity, device=device)

    def note(self, rows: Sequence[int], weights: Tensor) -> None:
        """One read of the entries `rows`; weights [len(rows) * N] is what every cell gave."""
        shares = weights.view(len(rows), -1).sum(1)
        positions = torch.tensor(rows, device=weights.device)
        self._shares.index_add_(0, positions, shares / shares.sum())
        self._chances.index_add_(0, positions, torch.ones_like(shares))

    def keep(self, positions: Sequence[int]) -> None:
        """The entries at these positions are now 0, 1, ...; what follows has not been read."""
        picked = torch.tensor(positions, dtype=torch.long, device=self._shares.device)
        for buffer in (self._shares, self._chances):
            kept = buffer[picked]
            buffer.zero_()
            buffer[: len(kept)] = kept

    def shrunk(self, capacity: int) -> Reads:
        """Of the first entries only."""
        fewer = Reads(0, self._shares.device)
        fewer._shares, fewer._chances = self._shares[:capacity].clone(), self._chances[:capacity].clone()
        return fewer

    def grow(self, capacity: int) -> None:
        more = self._shares.new_zeros(capacity - len(self._shares))
        self._shares, self._chances = torch.cat([self._shares, more]), torch.cat([self._chances, more])

    def least(self, positions: Sequence[int]) -> int:
        """The position that gave least per read; one that was never read has had no chance and stays, unless none had.

        Of equals the first.
        """
        picked = torch.tensor(positions, device=self._shares.device)
        per_read = torch.where(self._chances > 0, self._shares / self._chances.clamp(min=1), torch.inf)
        return positions[int(per_read[picked].argmin())]


def most_alike(key: Tensor, pairs: Sequence[tuple[int, int]], groups: Sequence[Sequence[int]]) -> tuple[int, int]:
    """The pair of entries whose cells differ least, each from the one at its place; of equals the first.

    Args:
        key: [G, capacity, N, Ck].
        pairs: positions. groups: for each pair, the rows of `key` that count.
    """
    apart = [
        (key[list(rows), one] - key[list(rows), other]).square().mean()
        for (one, other), rows in zip(pairs, groups, strict=True)
    ]
    return pairs[int(torch.stack(apart).argmin())]


def melt(buffer: Tensor, one: int, other: int, share: float) -> None:
    """buffer [*, capacity, N, C]: `other` becomes `share` of `one` and the rest of itself."""
    buffer[:, other] = torch.lerp(buffer[:, other], buffer[:, one], share)
