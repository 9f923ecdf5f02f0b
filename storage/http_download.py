"""One file over HTTP, into a folder for unfinished downloads, going on where an earlier attempt broke off.

What is on the disk is continued only if the server vouches, by `If-Range`, that its file is still the same; otherwise
the download begins anew. A partial file stays when an attempt fails or is cancelled.
"""
from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeAlias

from storage.atomic_file import disk_error
from storage.io_errors import reason
from util.jobs import CancelToken

Report: TypeAlias = Callable[[int, "int | None"], None]
"""Called with the bytes that are here and the bytes of the whole file, None while that is not known."""

_CHUNK = 1 << 18
_TIMEOUT = 20.0
_ATTEMPTS = 4
_AGENT = "video-masks/0.1 (python-urllib)"


class SourceError(Exception):
    """A source does not give the file. `is_offline`: it was not even reached."""

    def __init__(self, message: str, *, is_offline: bool = False) -> None:
        super().__init__(message)
        self.is_offline = is_offline


class _BrokenOffError(Exception):
    """The connection ended early; what came is on the disk."""


def download(url: str, target: Path, report: Report, token: CancelToken) -> None:
    """Fetch `url` into `target`, whose folder exists.

    Args:
        token: polled between two chunks; raises `Cancelled`.

    Raises:
        SourceError: the server does not give the file.
        AppError: the disk does not take it.
    """
    part = target.with_name(f"{target.name}.{zlib.crc32(url.encode()):08x}.part")
    before = -1
    for _ in range(_ATTEMPTS):
        try:
            _attempt(url, part, report, token)
        except _BrokenOffError as error:
            if _size(part) <= before:
                raise SourceError(f"breaks off ({error})") from error
            before = _size(part)
            continue
        try:
            os.replace(part, target)
            _mark_of(part).unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, target) from error
        return
    raise SourceError(f"broke off {_ATTEMPTS} times; what has come is kept")


def _attempt(url: str, part: Path, report: Report, token: CancelToken) -> None:
    token.check()
    start, mark = _size(part), _read_mark(part)
    headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
    if start and mark:
        headers |= {"Range": f"bytes={start}-", "If-Range": mark}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT) as response:
            if response.headers.get_content_type() == "text/html":
                raise SourceError("sends a web page instead of the file")
            if response.status != http.HTTPStatus.PARTIAL_CONTENT:
                start = 0
            elif _range_start(response) != start:
                raise SourceError("continues the file at another place than asked")
            length = response.headers.get("Content-Length")
            total = start + int(length) if length is not None and length.isdigit() else None
            _write_mark(part, response)
            _receive(response, part, start, total, report, token)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            _forget(part)
            raise _BrokenOffError("begins anew") from error
        raise SourceError(f"answers {error.code} {error.reason}".rstrip()) from error
    except urllib.error.URLError as error:
        cause = error.reason if isinstance(error.reason, Exception) else error
        raise SourceError(f"cannot be reached ({reason(cause)})", is_offline=True) from error
    except (OSError, http.client.HTTPException) as error:  # of the network: the disk's were turned into AppError
        raise _BrokenOffError(reason(error)) from error


def _receive(
    response: http.client.HTTPResponse, part: Path, start: int, total: int | None, report: Report, token: CancelToken
) -> None:
    done = start
    with _open(part, start) as file:
        report(done, total)
        while chunk := response.read(_CHUNK):
            token.check()
            try:
                file.write(chunk)
            except OSError as error:
                raise disk_error(error, part) from error
            done += len(chunk)
            report(done, total)
    if total is not None and done < total:
        raise _BrokenOffError(f"{done} of {total} bytes")


def _open(part: Path, start: int) -> BinaryIO:
    try:
        return part.open("ab" if start else "wb", buffering=0)
    except OSError as error:
        raise disk_error(error, part) from error


def _range_start(response: http.client.HTTPResponse) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _mark_of(part: Path) -> Path:
    return part.with_suffix(".mark")


def _read_mark(part: Path) -> str | None:
    """What the server called the version of the file that `part` is the beginning of."""
    mark = _mark_of(part)
    return mark.read_text(encoding="ascii", errors="ignore").strip() or None if mark.exists() else None


def _write_mark(part: Path, response: http.client.HTTPResponse) -> None:
    tag = response.headers.get("ETag", "")
    mark = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")  # weak tags are no promise
    try:
        _mark_of(part).write_text(mark, encoding="ascii", errors="ignore")
    except OSError as error:
        raise disk_error(error, part) from error


def _forget(part: Path) -> None:
    for path in (part, _mark_of(part)):
        path.unlink(missing_ok=True)
