"""The masks of a run in one ZIP file, as the evaluation servers want them.

    DAVIS, long, folder    NAME/00000.png
    YouTube-VOS            Annotations/NAME/00000.png

Every frame that the server scores, nothing else, as palette pictures. The same masks give the same file.
"""
from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from evaluation.vos_tree import VosSequence
from storage.atomic_file import write_atomic
from storage.image_folder import ImageFolderSource
from storage.mask_folder import mask_files, some
from storage.mask_io import encode_mask, read_mask
from util.errors import AppError
from util.types import Size
from util.vos_config import VosConfig

_DATE = (1980, 1, 1, 0, 0, 0)


def pack(file: Path, masks: Path, sequences: Sequence[VosSequence], config: VosConfig) -> int:
    """Write `file`; returns how many masks are in it.

    Args:
        masks: folder with a folder of masks for every sequence.

    Raises:
        AppError: a line for every sequence whose masks are missing, unreadable or of another size. Nothing is written.
    """
    content, complaints, count = io.BytesIO(), [], 0
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for sequence in sequences:
            try:
                for name, data in _members(masks / sequence.name, sequence, config):
                    archive.writestr(zipfile.ZipInfo(name, _DATE), data)
                    count += 1
            except AppError as error:
                complaints.append(str(error))
    if complaints:
        raise AppError("\n  ".join([f"{masks}: nothing was packed:", *complaints]))
    write_atomic(file, content.getvalue())
    return count


def _members(folder: Path, sequence: VosSequence, config: VosConfig) -> list[tuple[str, bytes]]:
    files = mask_files(folder) if folder.is_dir() else {}
    missing = [stem for stem in sequence.wanted if stem not in files]
    if missing:
        count = f"{len(missing)} of {len(sequence.wanted)}"
        raise AppError(f"{folder}: {count} frames have no mask: {some(missing)}.", "Run first.")
    size = ImageFolderSource(sequence.images).size
    above = "Annotations/" if config.dataset.startswith("youtube") else ""
    return [(f"{above}{sequence.name}/{stem}.png", _palette_png(files[stem], size)) for stem in sequence.wanted]


def _palette_png(file: Path, size: Size) -> bytes:
    """The file as it is if it is a palette picture, else written anew as one."""
    mask = read_mask(file, size)
    with Image.open(file) as image:
        is_palette = image.format == "PNG" and image.mode == "P"
    return file.read_bytes() if is_palette else encode_mask(mask)
