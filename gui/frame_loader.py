"""Fetches frames for the screen without ever making the window wait for a decoder. Owned by the GUI thread."""
from __future__ import annotations

import logging
import threading

from PyQt5.QtCore import QObject, Qt, pyqtSignal

from storage.frame_store import FrameStore
from util.errors import AppError
from util.types import ImageU8

log = logging.getLogger(__name__)


class FrameLoader(QObject):
    """Decodes the frame asked for last on a thread of its own; requests that were overtaken are dropped.

    Signals, both in the owner's thread: `loaded(frame, image)`, and `failed(frame, AppError)`. `close` must be called
    before the object goes away.
    """

    loaded = pyqtSignal(int, object)
    failed = pyqtSignal(int, object)
    _arrived = pyqtSignal(int, object)

    def __init__(self, frames: FrameStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frames = frames
        self._condition = threading.Condition()
        self._wanted: int | None = None
        self._is_closed = False
        self._arrived.connect(self._on_arrived, Qt.QueuedConnection)
        self._thread = threading.Thread(target=self._work, name="display-loader", daemon=True)
        self._thread.start()

    def request(self, frame: int) -> None:
        """Ask for a frame. `loaded` or `failed` follows later, unless a newer request comes before its turn."""
        with self._condition:
            self._wanted = frame
            self._condition.notify()

    def close(self, timeout: float = 5.0) -> None:
        """End the thread, after the frame it decodes at the moment. Nothing is delivered any more."""
        with self._condition:
            self._is_closed = True
            self._wanted = None
            self._condition.notify()
        self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._condition:
                while self._wanted is None and not self._is_closed:
                    self._condition.wait()
                if self._is_closed or self._wanted is None:
                    return
                frame = self._wanted
                self._wanted = None
            try:
                result = self._read(frame)
            except RuntimeError:
                log.debug("frame %d is not shown: the video was closed meanwhile", frame)
                return
            if self._is_closed:
                return
            self._arrived.emit(frame, result)
            del result

    def _read(self, frame: int) -> ImageU8 | AppError:
        try:
            return self._frames.get(frame)
        except AppError as error:
            return error

    def _on_arrived(self, frame: int, result: ImageU8 | AppError) -> None:
        if self._is_closed:
            return
        if isinstance(result, AppError):
            self.failed.emit(frame, result)
        else:
            self.loaded.emit(frame, result)
