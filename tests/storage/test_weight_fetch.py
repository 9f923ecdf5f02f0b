"""Downloads against a local server: resumed, broken off, moved to a mirror, refused, cancelled."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gdown
import pytest

from storage import weight_fetch
from storage.lock import FolderLock
from storage.weight_fetch import fetch, take_in
from tests.weight_server import Page, WeightServer, serve
from util.errors import AppError
from util.jobs import Cancelled, CancelToken

BODY = os.urandom(700_000)


@dataclass(frozen=True)
class Entry:
    """What is fetched."""

    path: Path
    sources: tuple[str, ...]
    name: str = "net"
    size: int | None = None
    by_hand: str = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightServer]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    with serve() as made:
        yield made


@pytest.fixture
def drive(server: WeightServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Addresses that begin like this are fetched as those of Google Drive are, by the real gdown."""
    monkeypatch.setattr(weight_fetch, "DRIVE", f"{server.url}/drive")
    return f"{server.url}/drive"


@dataclass
class Fetch:
    """Fetches one entry and keeps what was reported."""

    folder: Path
    token: CancelToken
    reports: list[tuple[int, int | None]]
    cancel_at: int | None = None

    def __call__(self, *sources: str, size: int | None = None, by_hand: str = "") -> str:
        entry = Entry(self.folder / "net.pth", sources, size=size, by_hand=by_hand)
        return fetch(entry, self.accept(entry), self.report, self.token)

    def accept(self, entry: Entry) -> Callable[[Path], None]:
        def accept(file: Path) -> None:
            if file.read_bytes().startswith(b"wrong"):
                raise AppError(f"{file} is another network's.")
            os.replace(file, entry.path)

        return accept

    def report(self, done: int, total: int | None) -> None:
        self.reports.append((done, total))
        if self.cancel_at is not None and done >= self.cancel_at:
            self.token.cancel()

    @property
    def content(self) -> bytes:
        return (self.folder / "net.pth").read_bytes()

    @property
    def left(self) -> list[str]:
        folder = self.folder / ".unfinished"
        return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


@pytest.fixture
def get(tmp_path: Path) -> Fetch:
    return Fetch(tmp_path / "saves", CancelToken(), [])


def test_a_file_comes_with_progress_and_leaves_nothing_behind(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY)
    assert get(f"{server.url}/a") == f"{server.url}/a"
    assert get.content == BODY and get.left == []
    assert get.reports[0] == (0, len(BODY)) and get.reports[-1] == (len(BODY), len(BODY))
    assert get.reports == sorted(get.reports) and len(get.reports) > 3


def test_a_broken_transfer_goes_on_where_it_ended(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY, breaks=[300_000, 200_000])
    get(f"{server.url}/a")
    assert get.content == BODY
    assert server.asked == [("a", 0), ("a", 300_000), ("a", 500_000)]


def test_a_transfer_that_does_not_get_on_is_given_up(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY, breaks=[1000, 0, 0, 0])
    with pytest.raises(AppError, match=r"/a breaks off \(1000 of 700000 bytes\)") as caught:
        get(f"{server.url}/a")
    assert "What has come is kept" in caught.value.hint
    assert len(server.asked) == 2


def test_a_later_run_goes_on_with_a_kept_part(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY, breaks=[100_000, 0])
    with pytest.raises(AppError):
        get(f"{server.url}/a")
    get(f"{server.url}/a")
    assert get.content == BODY and server.asked[-1] == ("a", 100_000)


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY, breaks=[100_000, 0])
    with pytest.raises(AppError):
        get(f"{server.url}/a")
    server.pages["a"] = Page(BODY[::-1], etag='"v2"')
    get(f"{server.url}/a")
    assert get.content == BODY[::-1]


def test_a_server_without_ranges_begins_anew(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY, breaks=[100_000], has_ranges=False)
    get(f"{server.url}/a")
    assert get.content == BODY and server.asked == [("a", 0), ("a", 0)]


def test_a_part_longer_than_the_file_begins_anew(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY, breaks=[100_000, 0])
    with pytest.raises(AppError):
        get(f"{server.url}/a")
    server.pages["a"] = Page(BODY[:50_000])
    get(f"{server.url}/a")
    assert get.content == BODY[:50_000]


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (None, "answers 404 Not Found"),
        (Page(b"", status=503), "answers 503"),
        (Page(b"<html>quota exceeded", kind="text/html; charset=utf-8"), "sends a web page"),
        (Page(b"\n<!DOCTYPE html><html>"), "sends a web page"),
        (Page(b"wrong" + BODY[5:]), "gives a wrong file: .*another network's"),
        (Page(BODY[:-1]), "gives 699999 bytes instead of 700000"),
    ],
)
def test_a_bad_source_is_told_and_the_mirror_is_asked(
    server: WeightServer, get: Fetch, page: Page | None, told: str
) -> None:
    if page is not None:
        server.pages["bad"] = page
    server.pages["mirror"] = Page(BODY)
    with pytest.raises(AppError, match=f"net.pth could not be fetched: {server.url}/bad {told}") as caught:
        get(f"{server.url}/bad", size=len(BODY))
    assert "online" not in caught.value.hint and "--from FILE" in caught.value.hint
    assert not (get.folder / "net.pth").exists() and get.left == []
    assert get(f"{server.url}/bad", f"{server.url}/mirror", size=len(BODY)) == f"{server.url}/mirror"
    assert get.content == BODY


def test_offline(get: Fetch, server: WeightServer) -> None:
    with serve() as gone:
        address = gone.url
    with pytest.raises(AppError, match=r"cannot be reached \(Connection refused\)") as caught:
        get(f"{address}/a", f"{address}/b")
    assert caught.value.hint.startswith("Is this computer online?")
    assert f"fetch {address}/a or {address}/b with a browser" in caught.value.hint


def test_cancel_keeps_what_has_come(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY)
    get.cancel_at = 1
    with pytest.raises(Cancelled):
        get(f"{server.url}/a")
    assert not (get.folder / "net.pth").exists()
    get.token, get.cancel_at = CancelToken(), None
    get(f"{server.url}/a")
    assert get.content == BODY and server.asked[1][1] > 0


def test_without_an_address(get: Fetch) -> None:
    with pytest.raises(AppError, match="no address of it is known") as caught:
        get(by_hand="ask its authors")
    assert "By hand: ask its authors" in caught.value.hint


def test_one_download_at_a_time(server: WeightServer, get: Fetch) -> None:
    server.pages["a"] = Page(BODY)
    (get.folder / ".unfinished").mkdir(parents=True)
    lock = FolderLock(get.folder / ".unfinished")
    with pytest.raises(AppError, match="in use"):
        get(f"{server.url}/a")
    lock.release()
    get(f"{server.url}/a")


def test_a_folder_that_cannot_be_made(server: WeightServer, get: Fetch) -> None:
    get.folder.write_text("a file")
    with pytest.raises(AppError, match="saves"):
        get(f"{server.url}/a")


def test_drive_goes_through_gdown_and_resumes(server: WeightServer, drive: str, get: Fetch) -> None:
    body = BODY * 2  # gdown writes half a MiB at a time and drops what is less when the connection ends
    server.pages["drive1"] = Page(body, breaks=[900_000])
    get(f"{drive}1")
    assert get.content == body and get.left == []
    assert ("drive1", 1 << 19) in server.asked
    assert get.reports[-1] == (len(body), len(body))


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (None, "answers 404 Not Found"),
        (Page(b"<html>quota exceeded", kind="text/html"), "sends a web page"),
        (Page(BODY, breaks=[0, 0, 0, 0]), "breaks off"),
    ],
)
def test_drive_that_fails_is_told(
    server: WeightServer, drive: str, get: Fetch, page: Page | None, told: str
) -> None:
    if page is not None:
        server.pages["drive1"] = page
    with pytest.raises(AppError, match=f"{drive}1 {told}"):
        get(f"{drive}1")


def test_drive_quota(drive: str, get: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> str:
        raise gdown.exceptions.FileURLRetrievalError("Too many users have viewed or downloaded this file recently.")

    monkeypatch.setattr(gdown, "download", refuse)
    with pytest.raises(AppError, match="is not handed out by Google Drive now") as caught:
        get(f"{drive}1")
    assert "--from FILE" in caught.value.hint


def test_drive_offline(get: Fetch, server: WeightServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as gone:
        monkeypatch.setattr(weight_fetch, "DRIVE", gone.url)
    with pytest.raises(AppError, match="cannot be reached") as caught:
        get(f"{gone.url}/a")
    assert caught.value.hint.startswith("Is this computer online?")


def test_drive_cancel(server: WeightServer, drive: str, get: Fetch) -> None:
    server.pages["drive1"] = Page(BODY)
    get.cancel_at = 1
    with pytest.raises(Cancelled):
        get(f"{drive}1")
    assert not (get.folder / "net.pth").exists()


def test_taking_in_a_file_copies_it(get: Fetch, tmp_path: Path) -> None:
    entry = Entry(get.folder / "net.pth", ())
    file = tmp_path / "fetched.bin"
    file.write_bytes(BODY)
    take_in(entry, file, get.accept(entry))
    assert get.content == BODY == file.read_bytes() and get.left == []
    file.write_bytes(b"wrong")
    with pytest.raises(AppError, match="another network's"):
        take_in(entry, file, get.accept(entry))
    assert get.content == BODY and get.left == []
    with pytest.raises(AppError, match=r"gone\.pth does not exist"):
        take_in(entry, tmp_path / "gone.pth", get.accept(entry))
