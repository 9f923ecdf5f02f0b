"""The sound of a source file, carried over into a video that is being written."""
from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from storage.io_errors import reason
from storage.video_decoder import VideoDecoder, open_container, video_stream

_Piece: TypeAlias = "Packet[AudioStream] | AudioFrame"

logger = logging.getLogger(__name__)

# Copied as they are; players cope with these in MP4, MOV and MKV alike. Anything else becomes AAC.
_COPIED_CODECS = {"aac", "ac3", "alac", "eac3", "mp3", "opus"}
_AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
_AAC_DEFAULT_RATE = 48000
_AAC_BIT_RATE = 192_000


def open_sound(path: Path, output: OutputContainer) -> SoundTrack | None:
    """Prepare the sound of `path` as a stream of `output`, which must not have been written to yet.

    Returns:
        None when the file has no sound. Raises AppError when the file cannot be read.
    """
    container = open_container(path)
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream) or stream.codec_context is None:
        container.close()
        return None
    try:
        return SoundTrack(path, container, stream, output)
    except BaseException:
        container.close()
        raise


class SoundTrack:
    """Hands the sound over piece by piece, so that it stands beside the pictures it belongs to.

    Times are seconds on the clock of the source's pictures: 0 is its first shown picture.
    """

    def __init__(self, path: Path, container: InputContainer, stream: AudioStream, output: OutputContainer) -> None:
        self._path = path
        self._container = container
        self._source = stream
        self._output = output
        self._zero = _first_picture_time(path) if video_stream(container) is not None else Fraction(0)
        self._is_copied = stream.codec_context.codec.canonical_name in _COPIED_CODECS & output.supported_codecs
        self._target = output.add_stream_from_template(stream) if self._is_copied else self._add_aac()
        self._pieces: Iterator[_Piece] = self._packets() if self._is_copied else self._frames()
        self._next = next(self._pieces, None)

    def write(self, start: float, until: float) -> None:
        """Write the sound from `start`, where the new video begins, to `until`; call with growing `until`."""
        while self._next is not None and self._begin(self._next) < until:
            piece, self._next = self._next, next(self._pieces, None)
            if isinstance(piece, AudioFrame):
                if self._begin(piece) >= start:
                    piece.pts -= self._ticks(start, piece.time_base)
                    self._output.mux(self._target.encode(piece))
            elif self._begin(piece) + float((piece.duration or 0) * piece.time_base) >= start:
                # A packet that ends at the start belongs to it: the decoder needs it to come into step.
                piece.pts -= self._ticks(start, piece.time_base)
                piece.dts = piece.pts
                piece.stream = self._target
                self._output.mux(piece)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if not self._is_copied:
            self._output.mux(self._target.encode(None))

    def close(self) -> None:
        self._next = None
        self._pieces = iter(())
        self._container.close()

    def _begin(self, piece: _Piece) -> float:
        return float(piece.pts * piece.time_base - self._zero)

    def _ticks(self, start: float, time_base: Fraction) -> int:
        return round((self._zero + Fraction(start)) / time_base)

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        try:
            for packet in self._container.demux(self._source):
                if packet.size and packet.pts is not None:
                    yield packet
        except (OSError, av.error.FFmpegError) as error:
            logger.warning("The sound of %s ends early: %s", self._path, reason(error))

    def _frames(self) -> Iterator[AudioFrame]:
        for packet in chain(self._packets(), [None]):
            try:
                frames = self._source.codec_context.decode(packet)
            except av.error.InvalidDataError as error:
                logger.warning("The sound of %s is damaged: %s", self._path, reason(error))
                continue
            yield from (frame for frame in frames if frame.pts is not None)

    def _add_aac(self) -> AudioStream:
        rate = self._source.codec_context.sample_rate
        target = self._output.add_stream("aac", rate=rate if rate in _AAC_RATES else _AAC_DEFAULT_RATE)
        target.codec_context.layout = "mono" if self._source.codec_context.channels == 1 else "stereo"
        target.codec_context.bit_rate = _AAC_BIT_RATE
        return target


def _first_picture_time(path: Path) -> Fraction:
    decoder = VideoDecoder(path)
    try:
        picture = decoder.peek_picture()
        if picture is None or picture.pts is None:
            return Fraction(0)
        return picture.pts * decoder.stream.time_base
    finally:
        decoder.close()
