"""A workspace: the folder that keeps everything about one video. Owner thread only, except where a part says more.

    <folder>/project.json       objects, key frames, where the user was (storage/project.py)
    <folder>/project.json.bak   the version before that one
    <folder>/masks/<stem>.png   the masks (storage/mask_store.py)
    <folder>/journal/           what was done, step by step (storage/journal.py)
    <folder>/confidence.json    how sure the engine was of the masks (storage/confidence_file.py)
    <folder>/workspace.lock     held while a program has it open (storage/lock.py)

Nothing else in it is touched. The masks and the project file are written behind by one `MaskWriter`: first the journal
is on the medium, then the masks are written, then project.json, which names the last record of the journal that is in
all of them. So a crash never leaves a key frame without its mask, and what was not saved any more is in the journal.
"""
from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from storage.atomic_file import PARTIAL_PREFIX, disk_error, remove_partials, sync_folder, write_atomic
from storage.confidence_file import NAME as CONFIDENCE_NAME
from storage.confidence_file import Noted, confidence_text
from storage.io_errors import reason
from storage.journal import DEFAULT_QUOTA, Journal
from storage.lock import LOCK_NAME, FolderLock
from storage.mask_store import MaskStore
from storage.mask_writer import MaskWriter
from storage.project import NewerVersionError, Project
from storage.project_parts import ObjectInfo
from util.errors import AppError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.frame_source import FrameSource

PROJECT_NAME = "project.json"
BACKUP_NAME = "project.json.bak"
DAMAGED_NAME = "project.json.damaged"
MASKS_NAME = "masks"
JOURNAL_NAME = "journal"
SUFFIX = ".masks"

_APP_NAME = "video-masks"
_UNUSABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)


def default_folder(source: FrameSource) -> Path:
    """Beside the video or folder of images: its whole name (so that a.mp4 and a.mov differ) and `.masks`."""
    path = source.path.resolve()
    return path.with_name(f"{path.name or source.name}{SUFFIX}")


def user_folder(source: FrameSource) -> Path:
    """Where the workspace goes when nothing can be written beside the video: in the user's data folder."""
    name = re.sub(r"[^\w.-]+", "_", source.name)[:60]
    digest = hashlib.sha256(source.fingerprint().encode()).hexdigest()[:12]
    return platformdirs.user_data_path(_APP_NAME, appauthor=False) / "workspaces" / f"{name}-{digest}{SUFFIX}"


class Workspace:
    """An open workspace; made by `open`, ended by `close`.

    Attributes:
        folder: absolute.
        masks: its store.
        journal: of the steps; empty in a new workspace.
        project: its content; the owner changes it and calls `save`.
        notice: what the user should know about this opening; empty when nothing is unusual.
    """

    def __init__(
        self,
        folder: Path,
        source: FrameSource,
        lock: FolderLock,
        notices: list[str],
        mask_bytes: int,
        journal_bytes: int,
    ) -> None:
        """Use `open`. Reads the folder, which must be writable and locked."""
        self.folder = folder
        self._lock = lock
        self._writer = MaskWriter()
        self._is_closed = False
        self._saved_text: str | None = None  # what project.json holds, if that is whole
        self._asked_text: str | None = None  # what it holds or will hold
        remove_partials(folder)
        self.project = self._load(source, notices)
        self.project.source_path = source.path.resolve()
        self.journal = Journal(folder / JOURNAL_NAME, self._writer, quota_bytes=journal_bytes)
        self.journal.checkpoint(self.project.journal_number)
        stems = [source.stem(frame) for frame in range(len(source))]
        self.masks = MaskStore(folder / MASKS_NAME, stems, source.size, budget_bytes=mask_bytes, writer=self._writer)
        if self.masks.unmatched:
            num_files, name = len(self.masks.unmatched), self.masks.unmatched[0]
            notices.append(f"{num_files} files in {self.masks.folder} belong to no frame ({name}); left alone.")
        if self._saved_text is None:
            _adopt_objects(self.project, self.masks, notices)
        self.notice = " ".join(notices)
        self.save()
        self.flush()

    @classmethod
    def open(
        cls,
        source: FrameSource,
        folder: Path | None = None,
        *,
        mask_bytes: int = 256 << 20,
        journal_bytes: int = DEFAULT_QUOTA,
    ) -> Workspace:
        """Open or make the workspace of a video.

        Args:
            source: the video.
            folder: where; None for the folder beside the video, or the user data folder when that cannot be written.
            mask_bytes: budget of masks in memory.
            journal_bytes: quota of the journal on disk.

        Raises:
            AppError: in use by another program (names its process), of another video, saved by a newer version,
                damaged beyond its backup, not a workspace, or not writable. Nothing in it has been changed then.
        """
        notices: list[str] = []
        folder = _default_place(source, notices) if folder is None else folder.expanduser().resolve()
        try:
            is_new = _prepare(folder)
        except OSError as error:
            raise disk_error(error, folder) from error
        lock = FolderLock(folder)
        try:
            return cls(folder, source, lock, notices, mask_bytes, journal_bytes)
        except BaseException:
            lock.release()
            if is_new:
                _remove_unused(folder)
            raise

    def save(self) -> None:
        """Have project.json written soon, after the masks enqueued so far; costs nothing when it did not change.

        Failures show as `masks.failed`, `masks.has_unsaved` and in `flush`. Raises ValueError for an impossible
        project.
        """
        self.project.spend_ids()
        text = self.project.to_json()
        if text != self._asked_text:
            self._asked_text = text
            task = partial(self._write_project, text, self.project.journal_number)
            self._writer.enqueue(self.folder / PROJECT_NAME, task, rank="last")

    def save_confidence(self, notes: Iterable[Noted]) -> None:
        """Have confidence.json written soon."""
        path = self.folder / CONFIDENCE_NAME
        self._writer.enqueue(path, partial(write_atomic, path, confidence_text(notes).encode()), rank="last")

    def flush(self) -> None:
        """Block until masks and project.json are on disk. Raises the first AppError; nothing is lost in memory."""
        self.masks.flush()

    def close(self) -> None:
        """Save, flush, unlock. On an AppError the workspace stays open, and closing can be tried again."""
        if not self._is_closed:
            self.save()
            self.masks.close()
            self.journal.close()
            self._lock.release()
            self._is_closed = True

    def abandon(self) -> None:
        """Unlock without saving, for when it cannot be saved and the user has agreed to lose what is not."""
        if not self._is_closed:
            self.journal.close()
            self._lock.release()
            self._is_closed = True

    def _write_project(self, text: str, journal_number: int) -> None:
        """Writer thread."""
        if self._saved_text is not None:
            write_atomic(self.folder / BACKUP_NAME, self._saved_text.encode())
        write_atomic(self.folder / PROJECT_NAME, text.encode(), durable=True)
        sync_folder(self.folder)
        self._saved_text = text
        self.journal.checkpoint(journal_number)

    def _load(self, source: FrameSource, notices: list[str]) -> Project:
        path, backup = self.folder / PROJECT_NAME, self.folder / BACKUP_NAME
        text, backup_text = _read_text(path), _read_text(backup)
        if text is None and backup_text is None:
            _check_unused(self.folder)
            return Project(source.path.resolve(), len(source), source.size, source.fingerprint())
        try:
            if text is None:
                raise AppError(f"{path}: is missing.")
            project = Project.from_json(text, path)
        except NewerVersionError:
            raise
        except AppError as damage:
            if backup_text is None:
                raise
            project = Project.from_json(backup_text, backup)
            check_same_video(project, source, backup, _other_folder(source))
            if text is not None:
                os.replace(path, self.folder / DAMAGED_NAME)
            notices.append(
                f"{damage.message} The version before it ({BACKUP_NAME}) was opened; the last changes of objects and "
                f"key frames may be missing. A damaged file is kept as {DAMAGED_NAME}."
            )
        else:
            check_same_video(project, source, path, _other_folder(source))
            self._saved_text = self._asked_text = text
        return project


def _default_place(source: FrameSource, notices: list[str]) -> Path:
    """Beside the video where that can be written, else in the user's data folder, which the notice tells."""
    beside = default_folder(source)
    try:
        if _prepare(beside):
            beside.rmdir()
    except OSError as error:
        if error.errno not in _UNUSABLE:
            raise disk_error(error, beside) from error
        folder = user_folder(source)
        unused = f" The masks in {beside} are not used." if (beside / PROJECT_NAME).exists() else ""
        notices.append(f"Nothing can be written beside the video ({reason(error)}): working in {folder}.{unused}")
        return folder
    return beside


def _prepare(folder: Path) -> bool:
    """Make `folder` and try to write in it; True when it was not there. OSError when it is not writable.

    Only really creating a file tells: os.access says yes to root on a read-only mount.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder, folder / MASKS_NAME):
        if place.exists():
            probe = place / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}"
            probe.touch(exist_ok=False)
            probe.unlink()
    return is_new


def _adopt_objects(project: Project, masks: MaskStore, notices: list[str]) -> None:
    """List the objects that the masks hold and an older project.json does not know: nobody could select them."""
    found: set[int] = set()
    for frame in masks.frames():
        try:
            found |= masks.object_ids(frame)
        except AppError as error:
            notices.append(str(error))
    for object_id in sorted(found - {info.object_id for info in project.objects}):
        project.objects.append(ObjectInfo(object_id, f"object {object_id}"))


def _remove_unused(folder: Path) -> None:
    """Take back a folder that was made for a workspace that could not be opened."""
    with contextlib.suppress(OSError):  # the error that led here is the one to show
        (folder / LOCK_NAME).unlink(missing_ok=True)
        (folder / MASKS_NAME).rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()


def _read_text(path: Path) -> str | None:
    try:
        # A byte that is no UTF-8 is damage for the JSON parser to report, like any other.
        return path.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the permissions.") from error


def _check_unused(folder: Path) -> None:
    """AppError when a folder without project.json holds anything: it is somebody's, perhaps with masks of the same
    names, which opening would take for ours."""
    masks = folder / MASKS_NAME
    names = [path.name for path in folder.iterdir() if path.name not in (LOCK_NAME, MASKS_NAME)]
    names += [f"{MASKS_NAME}/{path.name}" for path in masks.iterdir()] if masks.is_dir() else []
    names = [name for name in names if not name.startswith(".")]  # .DS_Store and the like
    if names:
        raise AppError(
            f"{folder}: is not a workspace: it has no {PROJECT_NAME} and holds other files ({names[0]}).",
            "Choose a new or empty folder with --workspace. Masks made elsewhere are loaded with --masks.",
        )


def _other_folder(source: FrameSource) -> str:
    return f"Open that video, or choose another folder for {source.path} with --workspace."


def check_same_video(project: Project, source: FrameSource, path: Path, hint: str) -> None:
    """Raise AppError, which names the difference, unless the project is about this video."""
    if (project.num_frames, project.size) != (len(source), source.size):
        difference = f"{project.num_frames} frames of {project.size}, not {len(source)} of {source.size}"
    elif project.fingerprint != source.fingerprint():
        difference = "with as many frames of the same size, but other content"
    else:
        return
    raise AppError(
        f"{path}: is the workspace of another video ({project.source_path}: {difference}).",
        hint,
    )
