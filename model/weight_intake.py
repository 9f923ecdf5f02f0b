"""A weight file that has come is looked into before it is put in its place and its checksum recorded."""
from __future__ import annotations

import os
from pathlib import Path

from model import checksums
from model.checkpoint import open_checkpoint, shapes_of
from model.signatures import SIGNATURES, recognise
from model.zoo import WeightFile
from util.errors import AppError


def examine(entry: WeightFile, file: Path) -> None:
    """Raise AppError unless `file` can be read safely and holds the network of this entry."""
    for network in open_checkpoint(file):
        found = recognise(shapes_of(network.state))
        if entry.network and (found is None or found.network != entry.network):
            wanted = next(row.title for row in SIGNATURES if row.network == entry.network)
            guess = "a network that is not known" if found is None else found.title
            raise AppError(
                f"{file} does not hold the weights of {wanted}: it looks like {guess}.",
                f"Choose a file with the weights of {wanted}.",
            )


def install(entry: WeightFile, file: Path, *, is_chosen: bool = False) -> None:
    """Move a good file to the entry's place and record its checksum.

    Args:
        file: in the same file system; stays where it is if it is not good.
        is_chosen: the user gave this very file, so it may differ from the one on record.

    Raises:
        AppError: it is damaged, another network's, not the one on record, or cannot be moved.
    """
    examine(entry, file)
    checksum = checksums.sha256(file)
    if not is_chosen and checksums.recorded(entry.path) not in (None, checksum):
        raise AppError(
            f"{file.name} is not the file that was first used under this name: its checksum is another one.",
            f"If you trust it, take it in by `python download_model.py {entry.name} --from FILE`.",
        )
    try:
        os.replace(file, entry.path)
        checksums.record(entry.path, checksum)
    except OSError as error:
        raise AppError(f"{entry.path} cannot be written ({error.strerror}).", "Check the disk.") from error


def verify(entry: WeightFile) -> str:
    """Compare a file that is present with its record; without one, look into it and record it.

    Returns:
        What was found, in a few words.

    Raises:
        AppError: it has changed, is damaged, or another network's.
    """
    expected, checksum = checksums.recorded(entry.path), checksums.sha256(entry.path)
    if expected not in (None, checksum):
        raise checksums.changed(entry.path)
    examine(entry, entry.path)
    if expected is not None:
        return "as recorded"
    checksums.remember(entry.path)
    return "good"
