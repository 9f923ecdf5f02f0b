"""The score as a table for people and as CSV for programs."""
from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics import Statistics

ALL = "all"


@dataclass(frozen=True)
class Row:
    """One line: an object of a sequence, all objects of a sequence, or everything."""

    sequence: str
    object_name: str
    num_frames: int
    region: Statistics
    contour: Statistics

    @property
    def j_and_f(self) -> float:
        return (self.region.mean + self.contour.mean) / 2


def mean_row(sequence: str, num_frames: int, rows: Sequence[Row]) -> Row:
    """The mean over objects, as DAVIS 2017 does it: every object counts the same, however long its sequence."""
    return Row(sequence, ALL, num_frames, _mean([row.region for row in rows]), _mean([row.contour for row in rows]))


def _mean(parts: Sequence[Statistics]) -> Statistics:
    mean, recall, decay = np.mean([(part.mean, part.recall, part.decay) for part in parts], axis=0)
    return Statistics(float(mean), float(recall), float(decay))


_COLUMNS = ("J mean", "recall", "decay", "F mean", "recall", "decay", "J&F")


def _values(row: Row) -> tuple[float, ...]:
    region, contour = row.region, row.contour
    return (
        region.mean, region.recall, region.decay, contour.mean, contour.recall, contour.decay, row.j_and_f
    )


def as_table(rows: Sequence[Row]) -> str:
    """Percentages under their headings, one row per line, ending with a newline."""
    width = max(len("sequence"), *(len(row.sequence) for row in rows))
    lines = [f"{'sequence':<{width}}  object  frames" + "".join(f"{name:>8}" for name in _COLUMNS)]
    for row in rows:
        numbers = "".join(f"{100 * value:8.1f}" for value in _values(row))
        lines.append(f"{row.sequence:<{width}}  {row.object_name:>6}  {row.num_frames:>6}{numbers}")
    return "\n".join(lines) + "\n"


def as_csv(rows: Sequence[Row]) -> str:
    """Shares 0..1 with six decimals; the object column says `all` in rows over several objects."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("sequence", "object", "frames", "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay", "J&F")
    )
    for row in rows:
        numbers = (f"{value:.6f}" for value in _values(row))
        writer.writerow((row.sequence, row.object_name, row.num_frames, *numbers))
    return text.getvalue()
