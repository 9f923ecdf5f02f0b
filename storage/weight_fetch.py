"""Fetching weight files: their sources in order, unfinished ones kept in a folder beside them. Any thread.

It lies in `storage` because both the program `download_model.py` and the window need it, it is work on files, and the
window may import neither `model` nor torch: which files there are comes in as `Fetchable`, and looking into a file that
has come is the caller's `accept`.
"""
from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from storage.atomic_file import disk_error
from storage.http_download import Report, SourceError, download
from storage.io_errors import reason
from storage.lock import FolderLock
from util.errors import AppError
from util.jobs import CancelToken

DRIVE = "https://drive.google.com/"
_UNFINISHED = ".unfinished"
_DRIVE_TIMEOUT = 20.0
_DRIVE_ATTEMPTS = 4


class Fetchable(Protocol):
    """What is to be fetched; `model.zoo.WeightFile` is one."""

    @property
    def name(self) -> str:
        """How `download_model.py` calls it."""

    @property
    def path(self) -> Path:
        """Where it belongs."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Addresses, in the order to be tried."""

    @property
    def size(self) -> int | None:
        """Bytes, None where it is not known."""

    @property
    def by_hand(self) -> str:
        """What to do without sources."""


def fetch(entry: Fetchable, accept: Callable[[Path], None], report: Report, token: CancelToken) -> str:
    """Get a file from the first of its sources that gives a good one.

    Args:
        accept: looks into the file that has come and moves it to `entry.path`; AppError if it is not what it should be.
        report: called as bytes come in.
        token: raises `Cancelled` between two chunks; what has come is kept.

    Returns:
        The source it came from.

    Raises:
        AppError: no source gives it, with each one's reason; or the disk does not take it.
    """
    if not entry.sources:
        raise AppError(f"{entry.path.name} cannot be fetched: no address of it is known.", how_by_hand(entry))
    reasons: list[str] = []
    is_offline = True
    with _unfinished(entry) as unfinished:
        for source in entry.sources:
            try:
                get = _download_drive if source.startswith(DRIVE) else download
                get(source, unfinished, report, token)
                _check_transfer(entry, unfinished)
                _accept(unfinished, accept)
                return source
            except SourceError as error:
                is_offline = is_offline and error.is_offline
                reasons.append(f"{source} {error}")
        kept = any(_parts(unfinished))
    hint = "Is this computer online? " if is_offline else ""
    hint += "What has come is kept: run it again to go on. " if kept else ""
    raise AppError(f"{entry.path.name} could not be fetched: {'; '.join(reasons)}.", hint + how_by_hand(entry))


def take_in(entry: Fetchable, file: Path, accept: Callable[[Path], None]) -> None:
    """Put a file that was fetched by hand in its place.

    Raises:
        AppError: it is not there, not what it should be, or the disk does not take it.
    """
    if not file.is_file():
        raise AppError(f"{file} does not exist.", "Check the path.")
    with _unfinished(entry) as copy:
        try:
            shutil.copyfile(file, copy)
            accept(copy)
        except OSError as error:
            raise disk_error(error, copy) from error
        finally:
            copy.unlink(missing_ok=True)


def how_by_hand(entry: Fetchable) -> str:
    """What a person can do where the program cannot."""
    address = entry.by_hand or f"fetch {' or '.join(entry.sources)} with a browser"
    return f"By hand: {address}; then run `python download_model.py {entry.name} --from FILE`."


@contextmanager
def _unfinished(entry: Fetchable) -> Iterator[Path]:
    """Where a file lies until it has been looked into; no other program works in that folder meanwhile."""
    folder = entry.path.parent / _UNFINISHED
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder) from error
    lock = FolderLock(folder, what="folder of downloads", hint="Wait until the other download has ended.")
    try:
        yield folder / entry.path.name
    finally:
        lock.release()


def _parts(unfinished: Path) -> Iterator[int]:
    """Sizes of what earlier attempts have left."""
    return (part.stat().st_size for part in unfinished.parent.glob(f"{unfinished.name}*.part"))


def _accept(file: Path, accept: Callable[[Path], None]) -> None:
    """Hand over a file that has come; a wrong one goes, so that nobody continues it."""
    try:
        accept(file)
    except AppError as error:
        raise SourceError(f"gives a wrong file: {error.message.rstrip('.')}") from error
    finally:
        file.unlink(missing_ok=True)


def _check_transfer(entry: Fetchable, file: Path) -> None:
    """What can be told without looking into the file; removes a wrong one."""
    with file.open("rb") as opened:
        is_page = opened.read(256).lstrip()[:1] == b"<"
    size = file.stat().st_size
    if not is_page and entry.size in (None, size):
        return
    file.unlink()
    if is_page:
        raise SourceError("sends a web page instead of the file; too many people may have fetched it today")
    raise SourceError(f"gives {size} bytes instead of {entry.size}")


def _download_drive(url: str, target: Path, report: Report, token: CancelToken) -> None:
    """Through gdown, which finds its way past Drive's page about large files and continues its own partial files."""
    import gdown  # here: it loads an HTTP library and an HTML parser, which only a download needs
    import requests  # gdown's own HTTP library, for its exceptions

    def progress(done: int, total: int | None) -> None:
        token.check()
        report(done, total)

    before = -1
    for _ in range(_DRIVE_ATTEMPTS):
        token.check()
        try:
            gdown.download(
                url=url, output=str(target), quiet=True, resume=True, use_cookies=False, timeout=_DRIVE_TIMEOUT,
                progress=progress,
            )
            return
        except gdown.exceptions.FileURLRetrievalError as error:
            raise SourceError(
                "is not handed out by Google Drive now; too many people may have fetched it today"
            ) from error
        except requests.HTTPError as error:
            raise SourceError(f"answers {error.response.status_code} {error.response.reason}") from error
        except (gdown.exceptions.DownloadError, requests.RequestException) as error:
            kept = sum(_parts(target))
            if kept <= before or not kept:
                is_offline = isinstance(error, requests.ConnectionError | requests.Timeout) and not kept
                what = "cannot be reached" if is_offline else f"breaks off ({reason(error).splitlines()[0]})"
                raise SourceError(what, is_offline=is_offline) from error
            before = kept
        except OSError as error:
            raise disk_error(error, target) from error
    raise SourceError(f"broke off {_DRIVE_ATTEMPTS} times; what has come is kept")
