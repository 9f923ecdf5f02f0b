"""What clicks and scribbles brought: a CSV row per object that is written as it comes, and means per set."""
from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from storage.atomic_file import write_atomic
from util.errors import AppError

ALL = "all"
MAX_CLICKS = 20
TARGETS = (0.85, 0.90)
COUNTS = (1, 3, 5)

_COLUMNS = (
    "predictor", "prompts", "set", "picture", "label", "area",
    *(f"IoU@{count}" for count in COUNTS), *(f"NoC@{target:.0%}".rstrip("%") for target in TARGETS),
    "seconds_per_prompt", "IoUs",
)


@dataclass(frozen=True)
class Row:
    """One object.

    Args:
        predictor: its name and, of a network, which weights.
        prompts: "clicks" or "scribbles".
        area: of the object, as a share of the picture.
        seconds: mean over the prompts, the predictor's own.
        ious: after every prompt; fewer than asked for where no wrong pixel was left.
    """

    predictor: str
    prompts: str
    set_name: str
    picture: str
    label: int
    area: float
    seconds: float
    ious: tuple[float, ...]

    @property
    def key(self) -> tuple[str, str, int]:
        return self.set_name, self.picture, self.label

    def iou_at(self, count: int) -> float:
        return self.ious[min(count, len(self.ious)) - 1]

    def clicks_to(self, target: float) -> int:
        """NoC: clicks until the IoU was reached for the first time; `MAX_CLICKS` where it never was."""
        return next((count for count, iou in enumerate(self.ious, 1) if iou >= target), MAX_CLICKS)

    def reached(self, target: float) -> bool:
        return max(self.ious) >= target

    def cells(self) -> tuple[str, ...]:
        return (
            self.predictor, self.prompts, self.set_name, self.picture, str(self.label), f"{self.area:.4f}",
            *(f"{self.iou_at(count):.4f}" for count in COUNTS), *(str(self.clicks_to(target)) for target in TARGETS),
            f"{self.seconds:.4f}", " ".join(f"{iou:.6f}" for iou in self.ious),
        )

    @classmethod
    def parse(cls, cells: Sequence[str]) -> Row:
        """The inverse of `cells`; ValueError for anything else."""
        given = dict(zip(_COLUMNS, cells, strict=True))
        ious = tuple(float(iou) for iou in given["IoUs"].split())
        if not ious:
            raise ValueError("no IoU")
        return cls(
            given["predictor"], given["prompts"], given["set"], given["picture"], int(given["label"]),
            float(given["area"]), float(given["seconds_per_prompt"]), ious,
        )


class RowFile:
    """The CSV file of one run: what an interrupted run left in it is not computed again.

    Args:
        path: None keeps the rows in memory only.

    Raises:
        AppError: the file is another run's or no such table, or cannot be written.
    """

    def __init__(self, path: Path | None, predictor: str, prompts: str) -> None:
        self.rows: list[Row] = []
        self._path = path
        if path is None:
            return
        if path.exists():
            self.rows = _read_rows(path)
            if any((row.predictor, row.prompts) != (predictor, prompts) for row in self.rows):
                raise AppError(
                    f"{path} holds {self.rows[0].prompts} of {self.rows[0].predictor}, not {prompts} of {predictor}.",
                    "Name another file for --csv.",
                )
        write_atomic(path, _as_csv([_COLUMNS, *(row.cells() for row in self.rows)]).encode())

    def add(self, row: Row) -> None:
        """Keep a row, on disk at once."""
        self.rows.append(row)
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8", newline="") as file:
                file.write(_as_csv([row.cells()]))
        except OSError as error:
            raise AppError(f"{self._path} cannot be written: {error.strerror or error}.") from error


def _read_rows(path: Path) -> list[Row]:
    """The rows of a file; a last line without its end, the mark of an interruption, is left out."""
    try:
        text = path.read_text(encoding="utf-8")
        lines = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
        if lines and tuple(lines[0]) != _COLUMNS:
            raise ValueError("other columns")
        return [Row.parse(cells) for cells in lines[1:]]
    except OSError as error:
        raise AppError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise AppError(f"{path} is no table of this program ({error}).", "Name another file for --csv.") from error


def _as_csv(lines: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def as_table(rows: Sequence[Row]) -> str:
    """Means per set and over all objects, ending with a newline: IoU in percent, clicks, share of failures."""
    names = [*dict.fromkeys(row.set_name for row in rows), ALL]
    is_clicks = rows[0].prompts == "clicks"
    width = max(len(name) for name in names)
    headings = [f"IoU@{count}" for count in (COUNTS if is_clicks else COUNTS[:1])]
    if is_clicks:
        headings += [f"{name}@{target:.0%}".rstrip("%") for target in TARGETS for name in ("NoC", "fails")]
    lines = [f"{'set':<{width}}  objects" + "".join(f"{name:>10}" for name in (*headings, "s/prompt"))]
    for name in names:
        own = [row for row in rows if name in (ALL, row.set_name)]
        cells = [f"{100 * np.mean([row.iou_at(count) for row in own]):.1f}" for count in COUNTS]
        cells = cells if is_clicks else cells[:1]
        for target in TARGETS if is_clicks else ():
            cells.append(f"{np.mean([row.clicks_to(target) for row in own]):.2f}")
            cells.append(f"{np.mean([not row.reached(target) for row in own]):.1%}")
        cells.append(f"{_seconds(own):.3f}")
        lines.append(f"{name:<{width}}  {len(own):>7}" + "".join(f"{cell:>10}" for cell in cells))
    return "\n".join(lines) + "\n"


def _seconds(rows: Sequence[Row]) -> float:
    counts = [len(row.ious) for row in rows]
    return float(np.average([row.seconds for row in rows], weights=counts))
