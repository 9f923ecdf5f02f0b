"""A video file as a sequence of frames: exact numbers, random access, never more than a few pictures in memory.

Frame n is the n-th picture that the decoder hands out when it reads the file from start to end, as in ffmpeg and
OpenCV, whatever order or time the file stores it in (see `video_index.py`). Frames look as players show them (see
`video_picture.py`).
"""
from __future__ import annotations

import bisect
import hashlib
import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from av.video.frame import VideoFrame

from storage.io_errors import reason
from storage.video_decoder import VideoDecoder, unreadable
from storage.video_index import build_index
from storage.video_picture import PictureConverter
from util.errors import AppError
from util.types import ImageU8

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".vob", ".ts", ".m2ts", ".mts", ".wmv", ".asf",
    ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".ogg", ".mxf", ".y4m", ".gif", ".264", ".h264", ".265", ".hevc",
)  # fmt: skip
"""Lower case; files match in any case."""

# Two places in the file are read at a time without seeking between them: the run of a propagation and what the user
# looks at meanwhile.
_MAX_CURSORS = 2

# Seeking costs about as much as decoding this many pictures.
_SEEK_COST = 8

# Bytes at the start, in the middle and at the end of the file that enter the fingerprint.
_FINGERPRINT_BYTES = 1 << 16


@dataclass
class _Cursor:
    """A decoder on its way through the file.

    Args:
        decoder: its next picture is the one behind `frame`.
        frame: number of the picture handed out last, -1 before the first.
        last_step: when the next frame was read here (a counter, not a time).
    """

    decoder: VideoDecoder
    frame: int = -1
    last_step: int = 0


class _Met(NamedTuple):
    frame: int
    picture: VideoFrame


class VideoFileSource:
    """A video file opened for reading. Not thread safe; one `walk` at a time.

    Raises:
        AppError: the file cannot be read, has no video in it, or no picture of it can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self._index = build_index(path)
        self.rate = self._index.rate
        # Restart points, thinned out when one proves useless. Places in the two lists correspond.
        self._keys = list(self._index.keys)
        self._key_frames = [self._index.frame_at(key.pts) or 0 for key in self._keys]
        self._is_careful = not self._index.is_sound
        self._lost: set[int] = set()
        self._cursors = [_Cursor(VideoDecoder(path, is_careful=self._is_careful))]
        self._clock = 0
        decoder = self._cursors[0].decoder
        first = decoder.peek_picture()
        if first is None:
            self.close()
            raise unreadable(path, "its first picture cannot be decoded")
        self._converter = PictureConverter(first, decoder.stream.sample_aspect_ratio)
        self.size = self._converter.size

    def __len__(self) -> int:
        return len(self._index)

    def stem(self, frame: int) -> str:
        return f"{frame:05d}"

    def time(self, frame: int) -> float:
        """Seconds from the first frame, from the file's time stamps where it has any."""
        return self._index.time(frame)

    def read(self, frame: int) -> ImageU8:
        """Decode one frame: uint8 [H, W, 3], RGB. IndexError out of range, AppError where the file is damaged."""
        for _, image in self.walk(frame):
            if image is not None:
                return image
        raise AssertionError("a walk ends with the frame it goes to")

    def walk(self, frame: int, keep: int = 1) -> Generator[tuple[int, ImageU8 | None], None, None]:
        """Every frame decoded on the way to `frame`, in order; see `FrameSource.walk`."""
        if not 0 <= frame < len(self):
            raise IndexError(f"frame {frame} of {len(self)}")
        if frame in self._lost:
            raise self._lost_error(frame)
        cursor = self._cursor_before(frame)
        while True:
            met = self._advance(cursor)
            if met is None or met.frame > frame:
                self._retry_carefully(cursor, frame)
                continue
            yield met.frame, self._converter.convert(met.picture) if met.frame > frame - keep else None
            if met.frame == frame:
                return

    def fingerprint(self) -> str:
        """Hash of the file's length and of its start, middle and end."""
        digest = hashlib.blake2b(digest_size=16)
        try:
            with self.path.open("rb") as stream:
                length = stream.seek(0, os.SEEK_END)
                digest.update(f"{length}\n".encode())
                for place in (0, length // 2, max(0, length - _FINGERPRINT_BYTES)):
                    stream.seek(place)
                    digest.update(stream.read(_FINGERPRINT_BYTES))
        except OSError as error:
            raise unreadable(self.path, reason(error)) from error
        return digest.hexdigest()

    def close(self) -> None:
        """Give the file back. Nothing can be read afterwards."""
        for cursor in self._cursors:
            cursor.decoder.close()
        self._cursors.clear()

    def _advance(self, cursor: _Cursor) -> _Met | None:
        """The next picture and its number; None at the end of the file."""
        while (picture := cursor.decoder.read_picture()) is not None:
            frame = self._number(cursor, picture)
            if frame is not None:
                cursor.frame = frame
                return _Met(frame, picture)
        return None

    def _number(self, cursor: _Cursor, picture: VideoFrame) -> int | None:
        if not self._index.is_timed:
            return cursor.frame + 1
        return None if picture.pts is None else self._index.frame_at(picture.pts)

    def _cursor_before(self, frame: int) -> _Cursor:
        """The cursor that reaches `frame` soonest, moved there by a seek where that is shorter."""
        before = [cursor for cursor in self._cursors if cursor.frame < frame]
        nearest = max(before, key=lambda cursor: cursor.frame, default=None)
        self._clock += 1
        place = bisect.bisect_right(self._key_frames, frame) - 1
        restart = self._key_frames[place] if place >= 0 else 0
        if nearest is not None and (nearest.frame >= restart or frame - nearest.frame <= _SEEK_COST):
            if frame == nearest.frame + 1:
                nearest.last_step = self._clock
            return nearest
        if len(self._cursors) < _MAX_CURSORS:
            self._cursors.append(_Cursor(VideoDecoder(self.path, is_careful=self._is_careful)))
        # Jumping about does not take the decoder away from whoever reads one frame after the other.
        cursor = min(self._cursors, key=lambda cursor: cursor.last_step)
        self._seek(cursor, frame)
        return cursor

    def _seek(self, cursor: _Cursor, frame: int) -> None:
        """Put the cursor before the last restart point at or before `frame`."""
        place = bisect.bisect_right(self._key_frames, frame) - 1
        while place >= 0:
            if cursor.decoder.seek(self._keys[place]):
                cursor.frame = self._key_frames[place] - 1
                return
            del self._keys[place], self._key_frames[place]
            place -= 1
        cursor.decoder.rewind()
        cursor.frame = -1

    def _retry_carefully(self, cursor: _Cursor, frame: int) -> None:
        """Called when `frame` did not come: decode again one picture at a time, or raise AppError if that was done."""
        if cursor.decoder.is_careful:
            self._lost.add(frame)
            raise self._lost_error(frame)
        self._is_careful = True
        stale, cursor.decoder = cursor.decoder, VideoDecoder(self.path, is_careful=True)
        stale.close()
        self._seek(cursor, frame)

    def _lost_error(self, frame: int) -> AppError:
        return AppError(
            f"Frame {frame} of {self.path} cannot be decoded: the file is damaged there.",
            f'Repair it, for example with: ffmpeg -i "{self.path.name}" -crf 16 repaired.mp4',
        )
