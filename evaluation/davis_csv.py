"""The two tables that the DAVIS 2017 evaluation tool writes, under its names, headings and number of digits."""
from __future__ import annotations

from collections.abc import Sequence

from evaluation.report import Row

_GLOBAL = "J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay"
_SEQUENCE = "Sequence,J-Mean,F-Mean"


def file_names(subset: str) -> tuple[str, str]:
    """Of the table over everything and of that over sequences."""
    return f"global_results-{subset}.csv", f"per-sequence_results-{subset}.csv"


def global_csv(overall: Row) -> str:
    """One line of shares: the mean over all objects."""
    j, f = overall.region, overall.contour
    values = (overall.j_and_f, j.mean, j.recall, j.decay, f.mean, f.recall, f.decay)
    return f"{_GLOBAL}\n{','.join(f'{value:.3f}' for value in values)}\n"


def sequence_csv(rows: Sequence[Row]) -> str:
    """A line per object, which is called SEQUENCE_NUMBER; numbers count from 1 within a sequence."""
    lines, counts = [_SEQUENCE], dict.fromkeys((row.sequence for row in rows), 0)
    for row in rows:
        counts[row.sequence] += 1
        lines.append(f"{row.sequence}_{counts[row.sequence]},{row.region.mean:.3f},{row.contour.mean:.3f}")
    return "\n".join(lines) + "\n"
