"""Write pictures as a video (H.264 that every player opens, unless told), with the sound of the video they are from."""
from __future__ import annotations

import contextlib
import math
import secrets
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from storage.atomic_file import PARTIAL_PREFIX, disk_error
from storage.io_errors import reason
from storage.video_codec import H264, PictureCodec
from storage.video_sound import SoundTrack, open_sound
from util.errors import AppError
from util.types import Size

# Times are kept at least this finely, and multiples of the frame duration exactly.
_TICKS_PER_SECOND = 90_000


class VideoWriter:
    """Writes one video under a temporary name and renames it at `close`; use it as a context manager.

    Leaving the `with` block by an exception, or any error of its own, removes the temporary file and leaves what stood
    at `path` before.

    Args:
        path: ends in one of the codec's suffixes.
        size: of the pictures.
        rate: frames per second; the distance of pictures that come without a time.
        audio_from: video or sound file whose sound is taken along; nothing happens when it has none.
        codec: H.264 when None.

    Raises:
        AppError: wrong suffix, folder not writable, no such encoder, `audio_from` unreadable.
    """

    def __init__(
        self,
        path: Path,
        size: Size,
        rate: Fraction,
        *,
        audio_from: Path | None = None,
        codec: PictureCodec | None = None,
    ) -> None:
        self._codec = codec or H264()
        if path.suffix.lower() not in self._codec.suffixes:
            raise AppError(
                f"{path} cannot be written: no video format is called {path.suffix or 'nothing'}.",
                f"Choose a name that ends in one of {', '.join(self._codec.suffixes)}.",
            )
        self.path = path
        self.size = size
        self.rate = rate
        # Whole ticks per frame, so that a constant rate stays constant in the file.
        scale = max(1, math.ceil(_TICKS_PER_SECOND / rate.numerator))
        self._time_base = Fraction(1, rate.numerator * scale)
        self._ticks_per_frame = rate.denominator * scale
        self._num_written = 0
        self._start = 0.0
        self._last_pts = -1
        self._sound: SoundTrack | None = None
        self._container: OutputContainer | None = None
        self._partial = path.parent / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}{path.suffix.lower()}"
        with self._errors():
            self._container = self._open()
            self._stream = self._codec.add_stream(self._container, size, rate, self._time_base)
            if audio_from is not None:
                self._sound = open_sound(audio_from, self._container)
            # Makes the file, so that a folder that cannot be written to is known before the work begins.
            self._container.start_encoding()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def write(self, image: NDArray[np.uint8], time: float | None = None) -> None:
        """Append a picture.

        Args:
            image: uint8 [H, W, 3], RGB, or [H, W, 4] with straight alpha, as the codec takes it.
            time: when it is shown, in seconds of the source's clock, for sources of variable rate. The video begins
                with its first picture, and so does the sound. None: one frame duration after the picture before.

        Raises:
            ValueError: wrong shape or dtype, or a time that is not later than the one before.
            AppError: disk full or another error of writing.
        """
        if self._container is None:
            raise ValueError("the video is closed")
        shape = (*self.size, self._codec.channels)
        if image.dtype != np.uint8 or image.shape != shape:
            raise ValueError(f"expected uint8 {shape}, got {image.dtype} {image.shape}")
        pts = self._next_pts(time)
        with self._errors():
            self._write_sound(pts)
            self._container.mux(self._stream.encode(self._to_frame(image, pts)))
        self._last_pts = pts
        self._num_written += 1

    def close(self) -> None:
        """Finish the file and give it its name. Raises AppError, and ValueError when nothing was written."""
        if self._container is None:
            return
        if not self._num_written:
            self.abort()
            raise ValueError("a video needs at least one picture")
        with self._errors():
            self._container.mux(self._stream.encode(None))
            self._write_sound(self._last_pts + self._ticks_per_frame)
            if self._sound is not None:
                self._sound.finish()
                self._sound.close()
            self._container.close()
            self._partial.replace(self.path)
        self._container = None

    def abort(self) -> None:
        """Give up and remove the temporary file. Does nothing after `close`."""
        if self._sound is not None:
            self._sound.close()
        if self._container is not None:
            # The file is thrown away; that it cannot be finished properly (disk full) does not matter.
            with contextlib.suppress(OSError, av.error.FFmpegError):
                self._container.close()
            self._container = None
            self._partial.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Any failure aborts; those of the disk and the codecs become an AppError."""
        try:
            yield
        except OSError as error:
            self.abort()
            raise disk_error(error, self.path) from error
        except av.error.FFmpegError as error:
            self.abort()
            raise AppError(f"{self.path} cannot be written: {reason(error)}.", "Try another name or folder.") from error
        except BaseException:
            self.abort()
            raise

    def _open(self) -> OutputContainer:
        # The table of contents goes to the front, so that the video starts before it is loaded completely.
        options = {} if self._partial.suffix == ".mkv" else {"movflags": "+faststart"}
        return av.open(str(self._partial.absolute()), "w", container_options=options)

    def _next_pts(self, time: float | None) -> int:
        if time is None:
            return self._last_pts + self._ticks_per_frame if self._num_written else 0
        if not self._num_written:
            self._start = time
            return 0
        pts = round((time - self._start) / self._time_base)
        if pts <= self._last_pts:
            raise ValueError(f"time {time} is not later than that of the picture before")
        return pts

    def _to_frame(self, image: NDArray[np.uint8], pts: int) -> VideoFrame:
        frame = self._codec.frame(image)
        frame.pts = pts
        frame.time_base = self._time_base
        frame.duration = self._ticks_per_frame
        return frame

    def _write_sound(self, pts: int) -> None:
        """Write the sound up to a picture, so that both stand side by side in the file."""
        if self._sound is not None:
            self._sound.write(self._start, self._start + float(pts * self._time_base))
