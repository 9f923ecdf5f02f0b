"""What networks made of frames, kept on disk so that it need not be made again. The worker's thread.

Everything here can be made again. The folder may be deleted at any time; a file that is damaged, or that cannot be
read, is as good as none; and when the disk is full or read-only nothing more is written.
"""
from __future__ import annotations

import logging
import os
import re
import shutil
import struct
import zlib
from collections import OrderedDict
from pathlib import Path

from storage.atomic_file import remove_partials, write_atomic
from util.errors import AppError

_log = logging.getLogger(__name__)

FEATURES_NAME = Path("cache", "features")
"""Inside a workspace."""

_SUFFIX = ".features"
_HEAD = struct.Struct("<8sI")
_MAGIC = b"frameft1"
_NAME = re.compile(r"[0-9a-f]{16}")


class FeatureFolder:
    """Bytes by frame number, at most `budget_bytes` of them.

    Those not used for longest make room, but none that was used since the folder was opened: going through a video that
    does not fit would else write everything and find nothing.

    Args:
        parent: holds one folder per `identity`. Those of others are removed: only what is in use is kept.
        identity: 16 hexadecimal digits that stand for everything the bytes depend on but the frame.
    """

    def __init__(self, parent: Path, identity: str, budget_bytes: int) -> None:
        if _NAME.fullmatch(identity) is None:
            raise ValueError(f"{identity!r} is no 16 hexadecimal digits")
        self._folder = parent / identity
        self._budget = budget_bytes
        self._sizes: OrderedDict[int, int] = OrderedDict()
        self._used: set[int] = set()
        self._is_writable = True
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for other in parent.iterdir():
                if other.is_dir() and other != self._folder and _NAME.fullmatch(other.name):
                    shutil.rmtree(other)
            remove_partials(self._folder)
            self._survey()
        except (OSError, AppError) as error:
            self._give_up(error)

    def _survey(self) -> None:
        """Find the files of an earlier run, the ones used longest ago first."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(entry.name)
                if suffix == _SUFFIX and stem.isdecimal():
                    status = entry.stat()
                    found.append((status.st_mtime_ns, int(stem), status.st_size))
        self._sizes = OrderedDict((frame, size) for _, frame, size in sorted(found))
        self._make_room(0)

    def __contains__(self, frame: int) -> bool:
        return frame in self._sizes

    def fits(self, nbytes: int) -> bool:
        """Whether there is room for as much without removing anything."""
        return self._is_writable and self.nbytes + nbytes <= self._budget

    @property
    def nbytes(self) -> int:
        return sum(self._sizes.values())

    def get(self, frame: int) -> bytes | None:
        """What was put; None when there is nothing whole."""
        if frame not in self._sizes:
            return None
        path = self._path(frame)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError as error:
            _log.info("%s cannot be read: %s", path, error)
            del self._sizes[frame]
            return None
        if len(data) < _HEAD.size or _HEAD.unpack_from(data) != (_MAGIC, zlib.crc32(data[_HEAD.size :])):
            _log.warning("%s is damaged", path)
            self._remove(frame)
            return None
        self._used.add(frame)
        return data[_HEAD.size :]

    def put(self, frame: int, data: bytes) -> None:
        """Keep it if there is room or can be made."""
        size = _HEAD.size + len(data)
        if not self._is_writable or frame in self._sizes:
            return
        try:
            if not self._make_room(size):
                return
            write_atomic(self._path(frame), _HEAD.pack(_MAGIC, zlib.crc32(data)) + data)
        except (OSError, AppError) as error:
            self._give_up(error)
            return
        self._sizes[frame] = size
        self._used.add(frame)

    def _make_room(self, size: int) -> bool:
        """Remove what was not used for longest; whether there is as much room then. Removes nothing in vain."""
        unused = [frame for frame in self._sizes if frame not in self._used]
        if self.nbytes - sum(self._sizes[frame] for frame in unused) + size > self._budget:
            return False
        while self.nbytes + size > self._budget:
            self._remove(unused.pop(0))
        return True

    def _remove(self, frame: int) -> None:
        del self._sizes[frame]
        self._path(frame).unlink(missing_ok=True)

    def _give_up(self, error: Exception) -> None:
        _log.warning("features of frames are not kept on disk any more: %s", error)
        self._is_writable = False

    def _path(self, frame: int) -> Path:
        return self._folder / f"{frame:08d}{_SUFFIX}"
