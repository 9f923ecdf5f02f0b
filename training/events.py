"""TensorBoard events of a training, where the package is there."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from storage.atomic_file import disk_error

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

EVENTS = "events"
"""Folder of the event files in a training's folder: `tensorboard --logdir FOLDER`."""


class EventLog:
    """Writes event files. Without the package it says so once and does nothing: the history has all of it.

    Args:
        report: receives that line.
        resumed: samples seen before; events that an earlier process wrote beyond them no longer count.
    """

    def __init__(self, folder: Path, report: Callable[[str], None], resumed: int | None = None) -> None:
        self._writer: SummaryWriter | None = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            if error.name != "tensorboard":
                raise
            report("no TensorBoard events: the package tensorboard is missing (requirements-train.txt)")
            return
        try:
            self._writer = SummaryWriter(str(folder / EVENTS), purge_step=None if resumed is None else resumed + 1)
        except OSError as error:
            raise disk_error(error, folder / EVENTS) from error

    def add(self, seen: int, values: Mapping[str, float]) -> None:
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, seen)

    def close(self) -> None:
        """Have everything on disk. A second call does nothing."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def remove_events(folder: Path) -> None:
    """Delete a training's event files, so that they can be written anew."""
    for file in (folder / EVENTS).glob("events.out.tfevents.*"):
        file.unlink()
