"""A weight file that has come is looked into before it is put in its place and its checksum recorded."""
from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

from model import checksums
from model.checkpoint import open_checkpoint, shapes_of
from model.rvos_folder import load_rvos
from model.signatures import SIGNATURES, recognise
from model.weight_archive import unpacked
from model.zoo import WeightFile
from util.errors import AppError


def examine(entry: WeightFile, file: Path) -> None:
    """Raise AppError unless `file`, or a folder for an entry of several files, holds the network of this entry."""
    if entry.parts:
        load_rvos(file, takes_mask=entry.network == "rvos_one_shot")
        return
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
    """Move a good file to the entry's place and record its checksum; unpack it for an entry of several files.

    Args:
        file: in the same file system; stays where it is if it is not good.
        is_chosen: the user gave this very file, so it may differ from the one on record.

    Raises:
        AppError: it is damaged, another network's, not the one on record, or cannot be moved.
    """
    with unpacked(file, entry.parts) if entry.parts else nullcontext(file) as content:
        examine(entry, content)
        places = zip(entry.files_in(content), entry.files, strict=True)
        moves = [(new, place, checksums.sha256(new)) for new, place in places]
        if not is_chosen and any(checksums.recorded(place) not in (None, checksum) for _, place, checksum in moves):
            raise AppError(
                f"{file.name} is not the file that was first used under this name: its checksum is another one.",
                f"If you trust it, take it in by `python download_model.py {entry.name} --from FILE`.",
            )
        try:
            for new, place, checksum in moves:
                place.parent.mkdir(exist_ok=True)
                os.replace(new, place)
                checksums.record(place, checksum)
        except OSError as error:
            raise AppError(f"{entry.path} cannot be written ({error.strerror}).", "Check the disk.") from error


def verify(entry: WeightFile) -> str:
    """Compare the files that are present with their records; without these, look into them and record them.

    Returns:
        What was found, in a few words.

    Raises:
        AppError: one has changed, is damaged, or another network's.
    """
    is_recorded = True
    for file in entry.files:
        expected = checksums.recorded(file)
        if expected not in (None, checksums.sha256(file)):
            raise checksums.changed(file)
        is_recorded = is_recorded and expected is not None
    examine(entry, entry.path)
    if is_recorded:
        return "as recorded"
    for file in entry.files:
        checksums.remember(file)
    return "good"
