"""One open decoder of a video file: pictures in the order in which they are shown, from the start or a restart point.

This wraps PyAV and knows nothing about frame numbers; `video_index.py` finds out which pictures a file has and
`video_file.py` numbers them. Not thread safe.
"""
from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from storage.io_errors import reason
from util.errors import AppError

logger = logging.getLogger(__name__)

# More threads decode little faster, and each holds pictures of its own.
_MAX_THREADS = 4

# A restart point is only trusted when its picture is coded by itself. Some containers also mark pictures from which the
# stream recovers gradually (intra refresh), or mark every picture: decoding from there gives other pixels.
_INTRA = {PictureType.NONE, PictureType.I, PictureType.SI}

# Seconds by which a seek aims earlier after one that came out behind its target.
_BACK_OFF = (0, 2, 10)


@dataclass(frozen=True)
class KeyPacket:
    """A packet where decoding can restart.

    Args:
        pts: time stamp of its picture, in the stream's time base; pictures of an earlier time stamp cannot be decoded
            from here.
        target: the time stamp to seek to: that of decoding, where it is known.
    """

    pts: int
    target: int


def open_container(path: Path) -> InputContainer:
    """Open a media file for reading; AppError when it is none."""
    try:
        # Texts inside the file may stand in any encoding, and none of them matters here.
        return av.open(str(path.absolute()), metadata_errors="replace")
    except (OSError, av.error.FFmpegError) as error:
        raise unreadable(path, reason(error)) from error


def unreadable(path: Path, why: str) -> AppError:
    return AppError(
        f"{path} cannot be read as a video: {why}.",
        "The file may be damaged or cut off while it was copied; try it in a video player or copy it again.",
    )


def video_stream(container: InputContainer) -> VideoStream | None:
    """The stream that players show, None when there is none. The cover picture of a sound file is no video."""
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        return None
    return stream


class VideoDecoder:
    """Decodes one file. It starts before the first picture; pictures come from `read_picture` in shown order.

    Args:
        path: the file.
        is_careful: decode one picture at a time. Several at once are faster, but in a damaged file a picture that
            cannot be decoded takes its sound neighbours with it.

    Raises:
        AppError: the file cannot be opened or has no video in it.
    """

    def __init__(self, path: Path, *, is_careful: bool = False) -> None:
        self.path = path
        self.is_careful = is_careful
        self._container = open_container(path)
        self._pending: VideoFrame | None = None
        self._pictures: Iterator[VideoFrame] = iter(())
        try:
            self.stream = self._find_stream()
        except AppError:
            self.close()
            raise
        self._pictures = self._decode(self.packets())

    def _find_stream(self) -> VideoStream:
        stream = video_stream(self._container)
        if stream is None:
            raise AppError(f"{self.path} has no video in it.", "Open a file that has pictures.")
        if stream.codec_context is None:
            raise AppError(f"{self.path} is coded in a way that PyAV cannot decode here.", "Convert it to H.264.")
        stream.codec_context.thread_type = "SLICE" if self.is_careful else "AUTO"
        stream.codec_context.thread_count = min(os.cpu_count() or 1, _MAX_THREADS)
        return stream

    @property
    def format_name(self) -> str:
        """Name of the container format, a comma between aliases."""
        return self._container.format.name

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """The coded packets of the video from the current position on, without decoding."""
        for packet in self._container.demux(self.stream):
            # PyAV ends with an empty packet; the decoder would take any empty one for the end of the stream.
            if packet.size:
                yield packet

    def read_picture(self) -> VideoFrame | None:
        """The next picture that the decoder shows; None at the end. Pictures that cannot be decoded are left out."""
        if self._pending is not None:
            picture, self._pending = self._pending, None
            return picture
        return next(self._pictures, None)

    def peek_picture(self) -> VideoFrame | None:
        """The next picture, which `read_picture` will return again."""
        self._pending = self.read_picture()
        return self._pending

    def _decode(self, packets: Iterator[Packet[VideoStream]]) -> Iterator[VideoFrame]:
        for packet in _until_cut_off(packets):
            try:
                pictures = self.stream.codec_context.decode(packet)
            except MemoryError:
                raise
            except av.error.FFmpegError:
                # This picture is missing then, which the index or the reader of the frame notices.
                continue
            yield from pictures

    def rewind(self) -> None:
        """Go back to the first picture."""
        # Opened anew: seeking to the start is not exact in every container.
        self.close()
        self._container = open_container(self.path)
        self.stream = self._find_stream()
        self._pending = None
        self._pictures = self._decode(self.packets())

    def seek(self, key: KeyPacket) -> bool:
        """Restart at a key packet, so that its picture comes next.

        Returns:
            False when decoding does not restart cleanly there; the position is undefined then.
        """
        for seconds in _BACK_OFF:
            packets = self._packets_from(key, key.target - round(seconds / self.stream.time_base))
            if packets is not None:
                break
        else:
            return False
        self._pictures = self._decode(packets)
        # Pictures shown before the key picture but coded behind it refer to what was not decoded.
        self._pending = next((p for p in self._pictures if p.pts is not None and p.pts >= key.pts), None)
        return self._pending is not None and self._pending.pts == key.pts and self._pending.pict_type in _INTRA

    def _packets_from(self, key: KeyPacket, target: int) -> Iterator[Packet[VideoStream]] | None:
        """Packets that begin with `key`, or None when seeking to `target` did not come out before it."""
        try:
            self._container.seek(target, stream=self.stream)
            packets = self.packets()
            for packet in packets:
                if packet.is_keyframe and packet.pts is not None and packet.pts >= key.pts:
                    return chain([packet], packets) if packet.pts == key.pts else None
        except (OSError, av.error.FFmpegError):
            return None
        return None

    def close(self) -> None:
        self._pending = None
        self._pictures = iter(())
        self._container.close()


def _until_cut_off(packets: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream] | None]:
    """The packets that can be read and then None, which makes a decoder hand out what it still holds."""
    try:
        yield from packets
    except (OSError, av.error.FFmpegError) as error:
        logger.warning("Reading the packets stopped early: %s", reason(error))
    yield None
