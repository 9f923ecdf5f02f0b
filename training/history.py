"""Losses and scores over a training: a line of JSON each; curves as a picture and TensorBoard events made from them.

    python -m training.history FOLDER

makes picture and events of a training that is not running anew.
"""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from storage.atomic_file import disk_error, write_atomic
from storage.lock import FolderLock
from training.curves import draw_curves
from training.events import EventLog, remove_events
from util.errors import AppError

HISTORY = "history.jsonl"
CURVES = "curves.png"
HELD_OUT = "held out "
"""Names of scores begin with this."""


class History:
    """Kept in `history.jsonl` of a training's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / HISTORY

    def add(self, seen: int, values: Mapping[str, float]) -> None:
        """Note values at `seen` samples. Raises AppError if that cannot be written."""
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"seen": seen, **values}) + "\n")
        except OSError as error:
            raise disk_error(error, self._file) from error

    def cut(self, seen: int) -> None:
        """Forget what came after `seen` samples: the training goes on from there."""
        lines = [line for line in self.read() if line["seen"] <= seen]
        write_atomic(self._file, "".join(json.dumps(line) + "\n" for line in lines).encode())

    def read(self) -> list[dict[str, float]]:
        """All lines, each with `seen`; empty if nothing was noted yet. Raises AppError for a damaged file."""
        if not self._file.is_file():
            return []
        lines = []
        for number, text in enumerate(self._file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            try:
                line = json.loads(text)
                lines.append({"seen": int(line["seen"])} | {k: float(v) for k, v in line.items() if k != "seen"})
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise AppError(
                    f"{self._file}: line {number} is damaged ({error!r}).", "Delete this line and try again."
                ) from error
        return lines

    def draw(self) -> None:
        """Draw all curves into `curves.png`. Does nothing as long as there are none."""
        if lines := self.read():
            write_atomic(self._folder / CURVES, draw_curves(lines))


def redraw(folder: Path, report: Callable[[str], None]) -> None:
    """Make picture and events of a folder anew. Raises AppError: nothing there, or its training is running."""
    history = History(folder)
    lines = history.read()
    if not lines:
        raise AppError(f"{folder / HISTORY} is not there or empty.", "Name the folder of a training (train.py --out).")
    lock = FolderLock(folder, what="training", hint="Its picture is drawn whenever the training saves.")
    try:
        history.draw()
        remove_events(folder)
        events = EventLog(folder, report)
        for line in lines:
            events.add(int(line["seen"]), {k: v for k, v in line.items() if k != "seen"})
        events.close()
    finally:
        lock.release()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.history", description="Draw the curves of a training and write its TensorBoard events."
    )
    parser.add_argument("folder", type=Path, help="folder of a training")
    folder = parser.parse_args().folder
    try:
        redraw(folder, print)
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    print(folder / CURVES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
