"""A local HTTP server that gives files, in part or wrongly as a test wants, and keeps what it was asked."""
from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast


@dataclass
class Page:
    """One file. `breaks`: for each request in turn, after how many bytes the connection ends."""

    body: bytes
    status: int = 200
    kind: str = "application/octet-stream"
    etag: str = '"v1"'
    has_ranges: bool = True
    breaks: list[int] = field(default_factory=list)


@dataclass
class WeightServer:
    """`pages[name]` answers `<url>/name`; `asked` holds each request's name and first byte."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    weights: WeightServer


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        weights = cast(_Server, self.server).weights
        name = self.path.lstrip("/")
        page = weights.pages.get(name, Page(b"not here", status=404, kind="text/html"))
        start = self._start(page)
        weights.asked.append((name, start))
        if start >= len(page.body) > 0:
            self.send_error(416)
            return
        body = page.body[start:]
        self.send_response(206 if start else page.status)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", page.etag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(page.body) - 1}/{len(page.body)}")
        self.end_headers()
        self.wfile.write(body[: page.breaks.pop(0)] if page.breaks else body)

    def _start(self, page: Page) -> int:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range", page.etag)
        return int(match[1]) if match and page.has_ranges and condition == page.etag else 0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@contextmanager
def serve() -> Iterator[WeightServer]:
    """The server, on a free port of this machine, until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.weights = WeightServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.weights
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
