"""Weights that are published as a zip file with a folder in it: only the files that are known by name are unpacked."""
from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from model.checkpoint_file import damaged
from util.errors import AppError

_MAX_BYTES = 2 << 30
"""A published folder is a fifth of this; a zip file that declares more is made to fill the disk."""


@contextmanager
def unpacked(archive: Path, parts: Sequence[str]) -> Iterator[Path]:
    """A folder beside the archive with the files of these names, wherever in it they lie; gone afterwards.

    Raises:
        AppError: it is no zip file, damaged, has not each of these files once, or they are too large.
    """
    with TemporaryDirectory(prefix=f"{archive.name}.", dir=archive.parent) as folder:
        try:
            with zipfile.ZipFile(archive) as opened:
                members = [_member(opened, part, archive) for part in parts]
                if sum(member.file_size for member in members) > _MAX_BYTES:
                    raise AppError(f"{archive}: what is packed in it is too large for weights.", "Choose another file.")
                for part, member in zip(parts, members, strict=True):
                    # By our own name, so that no name in the archive decides where something is written.
                    with opened.open(member) as source, (Path(folder) / part).open("wb") as target:
                        shutil.copyfileobj(source, target)
        except AppError:
            raise
        except OSError as error:
            raise AppError(f"{archive} cannot be unpacked ({error.strerror or error}).", "Check the disk.") from error
        except Exception as error:  # a malformed or encrypted archive raises whatever its bytes lead to
            raise damaged(archive, error) from error
        yield Path(folder)


def _member(opened: zipfile.ZipFile, part: str, archive: Path) -> zipfile.ZipInfo:
    found = [
        member for member in opened.infolist()
        if PurePosixPath(member.filename).name == part and not PurePosixPath(member.filename).is_relative_to("__MACOSX")
    ]
    if len(found) == 1:
        return found[0]
    what = f"holds no {part}" if not found else f"holds {len(found)} files called {part}; it must be one folder"
    raise AppError(f"{archive} {what}.", "Choose the published zip file.")
