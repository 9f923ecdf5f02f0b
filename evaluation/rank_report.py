"""Tables of rank correlations with the true J: a line per sequence and round, the means, and everything together."""
from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from evaluation.rounds import ROUNDS
from storage.atomic_file import write_atomic


@dataclass(frozen=True)
class RankRow:
    """One line.

    Args:
        samples: masks that it is about.
        mean: their true J.
        correlations: a column each; NaN where a measure is not there, or constant, or all masks are equally good.
        counts: of masks, further columns.
    """

    sequence: str
    round: str
    samples: int
    mean: float
    correlations: tuple[float, ...]
    counts: tuple[int, ...] = ()


R = TypeVar("R", bound=RankRow)
S = TypeVar("S")


def overall(rows: Sequence[R]) -> list[R]:
    """By round: correlations are means over the sequences that have one, counts are sums."""
    found = []
    for name in ROUNDS:
        own = [row for row in rows if row.round == name]
        columns = zip(*(row.correlations for row in own), strict=True)
        known = [[value for value in column if value == value] for column in columns]
        means = tuple(float(np.mean(column)) if column else float("nan") for column in known)
        sizes = [row.samples for row in own]
        mean = float(np.average([row.mean for row in own], weights=sizes))
        counts = tuple(map(sum, zip(*(row.counts for row in own), strict=True)))
        found.append(
            replace(own[0], sequence="mean", samples=sum(sizes), mean=mean, correlations=means, counts=counts)
        )
    return found


class RankTable:
    """Prints lines as they come, and writes all of them.

    Args:
        columns: names of the correlations and counts.
        width: of a column, in characters.
    """

    def __init__(self, columns: Sequence[str], width: int) -> None:
        self._headings = ("sequence", "round", "masks", "J", *columns)
        self._width = width

    def fill(
        self,
        played: Iterable[tuple[str, Sequence[Sequence[S]]]],
        row_of: Callable[[str, str, Sequence[S]], RankRow],
        file: Path | None,
    ) -> None:
        """Args:
            played: sequence, and what was found in each of the `ROUNDS`.
            file: CSV to write in the end.

        Raises:
            AppError: the file cannot be written; and what `played` raises.
        """
        rows: list[RankRow] = []
        pooled: dict[str, list[S]] = {title: [] for title in ROUNDS}
        self._print(self._headings)
        for name, rounds in played:
            for title, found in zip(ROUNDS, rounds, strict=True):
                rows.append(row_of(name, title, found))
                pooled[title] += found
                self._print(_cells(rows[-1], 3))
        ends = [*overall(rows), *(row_of("together", title, pooled[title]) for title in ROUNDS)]
        for row in ends:
            self._print(_cells(row, 3))
        if file is not None:
            text = io.StringIO(newline="")
            lines = [self._headings, *(_cells(row, 6) for row in [*rows, *ends])]
            csv.writer(text, lineterminator="\n").writerows(lines)
            write_atomic(file, text.getvalue().encode())

    def _print(self, cells: Sequence[str]) -> None:
        name, title, *others = cells
        print(f"{name:<20}{title:<16}" + "".join(f"{cell:>{self._width}}" for cell in others), flush=True)


def _cells(row: RankRow, digits: int) -> tuple[str, ...]:
    numbers = ["" if value != value else f"{value:.{digits}f}" for value in row.correlations]
    return (row.sequence, row.round, str(row.samples), f"{row.mean:.{digits}f}", *numbers, *map(str, row.counts))
