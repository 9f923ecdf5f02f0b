"""How the pictures of a written video are coded: H.264 for players, two codecs with alpha for compositing."""
from __future__ import annotations

import logging
from fractions import Fraction
from typing import Protocol

import av
import av.error
import numpy as np
from av import CodecContext, VideoFrame
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from storage.io_errors import reason
from util.errors import AppError
from util.types import Size

logger = logging.getLogger(__name__)

# In order of preference. Which of them a build of PyAV has and which of those the machine can run is found by trying.
_ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf", "h264_nvenc", "h264_qsv", "h264_amf")

# Constant quality of x264, 0 (lossless) to 51, and three times as fast as its default for a file a little larger:
# somebody waits for it.
_X264_OPTIONS = {"crf": "18", "preset": "veryfast"}

# For encoders that know no constant quality.
_BITS_PER_PIXEL = 0.2

# BT.709, limited range: what players assume of a video, and the numbers of ISO/IEC 23091-2 that say so.
_BT709 = 1
_LIMITED = 1

_HINT = "Install PyAV from PyPI, which brings one: pip install --force-reinstall av"


class PictureCodec(Protocol):
    """Attributes: suffixes: of the files that may hold it; channels: 3 (RGB) or 4 (RGBA, straight alpha)."""

    @property
    def suffixes(self) -> tuple[str, ...]: ...
    @property
    def channels(self) -> int: ...
    def missing(self) -> str:
        """Why this machine cannot write it; empty when it can."""
        ...

    def add_stream(
        self, container: OutputContainer, size: Size, rate: Fraction, time_base: Fraction
    ) -> VideoStream:
        """Raises AppError when no encoder runs on this machine."""
        ...

    def frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        """Args: image: uint8 [H, W, channels]."""
        ...


class H264:
    """Odd sides grow by one pixel, which repeats the edge: the colour planes are halved."""

    suffixes = (".mp4", ".m4v", ".mov", ".mkv")
    channels = 3

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def missing(self) -> str:
        size, rate = Size(64, 64), Fraction(25)
        return "" if self._encoder(size, rate, 1 / rate) else "This build of PyAV has no H.264 encoder that runs here."

    def add_stream(
        self, container: OutputContainer, size: Size, rate: Fraction, time_base: Fraction
    ) -> VideoStream:
        name = self._encoder(size, rate, time_base)
        if name is None:
            raise AppError("This build of PyAV has no H.264 encoder that runs on this machine.", _HINT)
        stream = container.add_stream(name, rate=rate)
        assert isinstance(stream, VideoStream)
        _configure_h264(stream.codec_context, name, size, rate, time_base)
        return stream

    def frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        height, width = image.shape[:2]
        padded = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
        )

    def _encoder(self, size: Size, rate: Fraction, time_base: Fraction) -> str | None:
        """The first one that works here: builds list encoders of hardware that may be missing."""
        for name in _ENCODERS:
            if name not in av.codecs_available:
                continue
            context = CodecContext.create(name, "w")
            assert isinstance(context, VideoCodecContext)
            _configure_h264(context, name, size, rate, time_base)
            try:
                context.open()
            except (OSError, av.error.FFmpegError) as error:
                logger.info("Encoder %s cannot be used: %s", name, reason(error))
                continue
            return name
        return None


def _configure_h264(
    context: VideoCodecContext, name: str, size: Size, rate: Fraction, time_base: Fraction
) -> None:
    context.width = size.width + size.width % 2
    context.height = size.height + size.height % 2
    context.pix_fmt = "yuv420p"
    context.framerate = rate
    context.time_base = time_base
    _tag_bt709(context)
    if name == "libx264":
        context.options = _X264_OPTIONS
    else:
        context.bit_rate = round(context.width * context.height * rate * _BITS_PER_PIXEL)


def _tag_bt709(context: VideoCodecContext) -> None:
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED


class _AlphaVideo:
    """A codec with an alpha channel, for QuickTime files."""

    suffixes = (".mov",)
    channels = 4
    _ENCODER: str
    _PIX_FMT: str
    _TITLE: str

    def missing(self) -> str:
        return "" if self._ENCODER in av.codecs_available else f"This build of PyAV has no {self._TITLE} encoder."

    def add_stream(
        self, container: OutputContainer, size: Size, rate: Fraction, time_base: Fraction
    ) -> VideoStream:
        if self.missing():
            raise AppError(self.missing(), _HINT)
        stream = container.add_stream(self._ENCODER, rate=rate)
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height = size.width, size.height
        context.pix_fmt = self._PIX_FMT
        context.framerate = rate
        context.time_base = time_base
        self._tune(context)
        return stream

    def _tune(self, context: VideoCodecContext) -> None:
        """What else the encoder has to be told."""


class ProRes4444(_AlphaVideo):
    """Apple ProRes 4444 with 10 bits of colour and an alpha channel, for editing programs."""

    _ENCODER = "prores_ks"
    _PIX_FMT = "yuva444p10le"
    _TITLE = "ProRes 4444"

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def _tune(self, context: VideoCodecContext) -> None:
        _tag_bt709(context)
        # The vendor's mark makes Apple's programs take it for one of their own; some refuse a file without.
        context.options = {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"}

    def frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        # One thread: where the width is no multiple of 8, libswscale's threads write over the beginning of the row
        # below theirs, and now and then over what another one has put there.
        return self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgba"),
            format=self._PIX_FMT,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )


class PngVideo(_AlphaVideo):
    """A PNG for every picture in a QuickTime file: larger than ProRes, and nothing is lost."""

    _ENCODER = "png"
    _PIX_FMT = "rgba"
    _TITLE = "PNG"

    def frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        return VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgba")
