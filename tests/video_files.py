"""Small video files of every kind, made with PyAV. Each picture carries its number as a bar code of black and white."""
from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from util.types import ImageU8, Size

SIZE = Size(48, 64)
RATE = Fraction(25)
NUM_BITS = 8
BAR = SIZE.width // NUM_BITS


def numbered_picture(number: int, size: Size = SIZE) -> ImageU8:
    """uint8 [H, W, 3]: bar code of `number` in the upper half, a ramp and a moving bar below."""
    image = np.zeros((*size, 3), np.uint8)
    image[..., 1] = np.linspace(40, 200, size.width, dtype=np.uint8)
    image[..., 2] = np.linspace(40, 200, size.height, dtype=np.uint8)[:, None]
    image[size.height // 2 :, number % size.width] = (230, 30, 30)
    bar = size.width // NUM_BITS
    for bit in range(NUM_BITS):
        image[: size.height // 2, bit * bar : (bit + 1) * bar] = 235 if number >> bit & 1 else 16
    return image


def number_of(image: ImageU8) -> int:
    """The number in the bar code."""
    bar = image.shape[1] // NUM_BITS
    rows = slice(2, image.shape[0] // 2 - 2)
    bars = [image[rows, bit * bar + 2 : (bit + 1) * bar - 2].mean() for bit in range(NUM_BITS)]
    return sum(1 << bit for bit, mean in enumerate(bars) if mean > 125)


def write_video(
    path: Path,
    pictures: Sequence[ImageU8],
    *,
    codec: str = "libx264",
    stamps: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    group: int = 12,
    b_frames: int = 2,
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    aspect: Fraction | None = None,
    rotation: int | None = None,
    is_mirrored: bool = False,
    pix_fmt: str = "yuv420p",
    sound: str | None = None,
) -> Path:
    """Encode pictures with PyAV.

    Args:
        path: the suffix decides on the container.
        pictures: all of one size.
        codec: encoder.
        stamps: time stamp per picture in `time_base`, one per frame of RATE when None.
        time_base: of `stamps`.
        group: pictures from one key frame to the next.
        b_frames: most pictures coded out of order in a row.
        options: of the encoder.
        container_options: of the container.
        aspect: width by height of a pixel.
        rotation: of the display matrix, degrees counter-clockwise.
        is_mirrored: the display matrix mirrors as well.
        pix_fmt: of the encoded pictures.
        sound: encoder of a sine tone beside the pictures; none when None.
    """
    with av.open(str(path), "w", container_options=dict(container_options or {})) as container:
        # x264 would also begin a group where the picture changes a lot.
        defaults = {"sc_threshold": "0"} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=RATE, options=defaults | dict(options or {}))
        context = stream.codec_context
        context.height, context.width = pictures[0].shape[:2]
        context.pix_fmt = pix_fmt
        context.gop_size = group
        context.max_b_frames = b_frames
        context.time_base = time_base or 1 / RATE
        if aspect is not None:
            context.sample_aspect_ratio = aspect
        if rotation is not None:
            if not hasattr(stream, "set_display_rotation"):
                pytest.skip("this PyAV cannot write a display matrix")
            stream.set_display_rotation(rotation, hflip=is_mirrored)
        track = container.add_stream(sound, rate=48000, layout="stereo") if sound else None
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = stamps[number] if stamps is not None else number
            frame.time_base = context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track is not None:
            for frame in _tone(len(pictures) / RATE):
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return path


def _tone(seconds: Fraction) -> list[av.AudioFrame]:
    """A sine of 440 Hz in frames of 1000 samples."""
    samples = (8000 * np.sin(np.arange(int(48000 * seconds)) * (2 * np.pi * 440 / 48000))).astype(np.int16)
    frames = []
    for start in range(0, len(samples), 1000):
        piece = np.repeat(samples[start : start + 1000], 2)[None]
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="stereo")
        frame.sample_rate = 48000
        frame.pts = start
        frame.time_base = Fraction(1, 48000)
        frames.append(frame)
    return frames


def cut_off(source: Path, path: Path, share: float) -> Path:
    """The first `share` of a file."""
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def edit_first_entry(path: Path, skipped: Fraction) -> None:
    """Move the start of an MP4's one-entry edit list by `skipped` seconds, as cutting without encoding does."""
    data = bytearray(path.read_bytes())
    time_scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 4 + 12)[0]
    entry = data.index(b"elst") + 4
    version, count = data[entry], struct.unpack_from(">I", data, entry + 4)[0]
    if version != 0 or count != 1:
        raise ValueError(f"edit list of version {version} with {count} entries")
    start = struct.unpack_from(">i", data, entry + 12)[0]
    struct.pack_into(">i", data, entry + 12, start + int(skipped * time_scale))
    path.write_bytes(data)
