"""Which pictures a video file has: their number, their times, and where decoding can restart.

The rule that everything rests on: frame number = place among the pictures that the decoder hands out when it reads the
file from start to end. Decoding everything to find out would take minutes for a long file, so the list is read from the
packets, without decoding, and checked at both ends by decoding. Whatever does not fit (a codec with hidden pictures,
missing or repeated time stamps, a damaged or cut off file) is decoded once from start to end instead.
"""
from __future__ import annotations

import logging
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from storage.video_decoder import KeyPacket, VideoDecoder, unreadable
from util.errors import AppError

logger = logging.getLogger(__name__)

# Codecs of which a packet is always one picture that is shown. Others (VP8, GIF, old AVI codecs...) may hide pictures
# or hold several in a packet.
_ONE_PICTURE_PER_PACKET = {
    "av1", "cfhd", "dnxhd", "dvvideo", "ffv1", "ffvhuff", "h264", "hevc", "huffyuv", "mjpeg", "mpeg1video",
    "mpeg2video", "mpeg4", "prores", "rawvideo", "utvideo", "vp9",
}  # fmt: skip

# Pictures at the start that are compared with the packets. What goes wrong at the start (a recording that begins in the
# middle of a group, a stream with two packets per picture) shows within the depth of reordering, 16 at most.
_CHECKED_AT_START = 20

# For a file that names no rate.
_DEFAULT_RATE = Fraction(25)
_SLOWEST_RATE = Fraction(1, 1000)


@dataclass(frozen=True)
class VideoIndex:
    """The pictures of a file in shown order.

    Args:
        pts: int64 [T], time stamps in the stream's time base. Strictly increasing when `is_timed`.
        keys: where decoding can restart, in order of `pts`. Empty when not `is_timed`.
        is_timed: the time stamps tell the pictures apart. Otherwise pictures are counted from the start of the file.
        is_sound: packets and pictures agree. Otherwise the file is decoded carefully (`VideoDecoder.is_careful`).
        time_base: seconds per tick of `pts`.
        rate: frames per second, the average where the rate varies.
    """

    pts: NDArray[np.int64]
    keys: tuple[KeyPacket, ...]
    is_timed: bool
    is_sound: bool
    time_base: Fraction
    rate: Fraction

    def __len__(self) -> int:
        return len(self.pts)

    def time(self, frame: int) -> float:
        """Seconds from the first picture."""
        if not self.is_timed:
            return float(frame / self.rate)
        return float((int(self.pts[frame]) - int(self.pts[0])) * self.time_base)

    def frame_at(self, pts: int) -> int | None:
        """The frame with exactly this time stamp."""
        frame = int(np.searchsorted(self.pts, pts))
        return frame if frame < len(self.pts) and self.pts[frame] == pts else None


class _PacketInfo(NamedTuple):
    pts: int | None
    dts: int | None
    is_key: bool
    is_discard: bool
    is_corrupt: bool


def build_index(path: Path) -> VideoIndex:
    """Index a file; AppError when no picture of it can be decoded."""
    decoder = VideoDecoder(path)
    try:
        _check_whole(path, decoder)
        packets, is_complete = _read_packets(decoder)
        if is_complete and _is_regular(packets, decoder):
            shown = sorted(p.pts for p in packets if p.pts is not None and not p.is_discard)
            index = _index_of(shown, packets, decoder)
            if _is_confirmed(index, decoder):
                return index
    finally:
        decoder.close()
    return _scan(path, packets)


def _read_packets(decoder: VideoDecoder) -> tuple[list[_PacketInfo], bool]:
    """What the packets say of themselves, and whether they could be read to the end."""
    packets: list[_PacketInfo] = []
    try:
        for p in decoder.packets():
            packets.append(_PacketInfo(p.pts, p.dts, p.is_keyframe, p.is_discard, p.is_corrupt))
    except (OSError, av.error.FFmpegError):
        return packets, False
    return packets, True


def _check_whole(path: Path, decoder: VideoDecoder) -> None:
    """Refuse a file whose table of contents points behind its end. MP4 and MOV have one that names every picture."""
    if "mp4" not in decoder.format_name:
        return
    length = path.stat().st_size
    entries = decoder.stream.index_entries
    missing = sum(entry.pos + entry.size > length for entry in entries)
    if missing:
        raise AppError(
            f"{path} is cut off: {missing} of its {len(entries)} pictures are not in the file.",
            f'Copy it again, or keep what there is: ffmpeg -i "{path.name}" -c copy "rescued-{path.name}"',
        )


def _is_regular(packets: Sequence[_PacketInfo], decoder: VideoDecoder) -> bool:
    """Whether the packets alone should tell which pictures there are."""
    if decoder.stream.codec_context.codec.canonical_name not in _ONE_PICTURE_PER_PACKET:
        return False
    if any(p.pts is None or p.is_corrupt for p in packets):
        return False
    # AVI stores no time of showing; unless pictures are coded in shown order PyAV can only guess it.
    if decoder.format_name == "avi" and any(p.pts != p.dts for p in packets):
        return False
    shown = [p.pts for p in packets if not p.is_discard]
    decoding = [p.dts for p in packets if p.dts is not None]
    # Time that jumps back (recordings put one behind another) says nothing about the order of the pictures.
    return len(set(shown)) == len(shown) > 0 and all(a <= b for a, b in pairwise(decoding))


def _index_of(pts: Sequence[int], packets: Sequence[_PacketInfo], decoder: VideoDecoder) -> VideoIndex:
    """The index of a sound file whose shown pictures have these increasing time stamps."""
    stamps = np.array(pts, np.int64)
    return VideoIndex(
        pts=stamps,
        keys=_keys(packets, set(pts)),
        is_timed=True,
        is_sound=True,
        time_base=decoder.stream.time_base,
        rate=_timed_rate(stamps, decoder.stream),
    )


def _keys(packets: Sequence[_PacketInfo], shown: Set[int]) -> tuple[KeyPacket, ...]:
    targets = {
        p.pts: p.pts if p.dts is None else min(p.pts, p.dts)
        for p in packets
        if p.is_key and p.pts is not None and p.pts in shown and not p.is_corrupt
    }
    return tuple(KeyPacket(pts, target) for pts, target in sorted(targets.items()))


def _is_confirmed(index: VideoIndex, decoder: VideoDecoder) -> bool:
    """Decode the first pictures and everything from the last restart point on: it must be what the index says."""
    last = index.keys[-1] if index.keys else None
    tail = index.frame_at(last.pts) if last is not None else 0
    decoder.rewind()
    if last is None or not tail or tail < _CHECKED_AT_START:
        return _stamps(decoder) == index.pts.tolist()
    if _stamps(decoder, _CHECKED_AT_START) != index.pts[:_CHECKED_AT_START].tolist():
        return False
    if decoder.seek(last):
        return _stamps(decoder) == index.pts[tail:].tolist()
    decoder.rewind()
    return _stamps(decoder) == index.pts.tolist()


def _stamps(decoder: VideoDecoder, limit: int | None = None) -> list[int | None]:
    """Time stamps of the next pictures, all of them without a limit."""
    return [picture.pts for picture in islice(iter(decoder.read_picture, None), limit)]


def _scan(path: Path, packets: Sequence[_PacketInfo]) -> VideoIndex:
    """Index by decoding everything once."""
    decoder = VideoDecoder(path, is_careful=True)
    try:
        found = _stamps(decoder)
        if not found:
            raise unreadable(path, "no picture in it can be decoded" if packets else "it holds no picture")
        num_shown = sum(not p.is_discard for p in packets)
        if len(found) < num_shown:
            logger.warning("%s is damaged: %d of about %d pictures can be decoded", path, len(found), num_shown)
        pts = [stamp for stamp in found if stamp is not None]
        is_timed = len(pts) == len(found) and all(a < b for a, b in pairwise(pts)) and decoder.format_name != "avi"
        if is_timed:
            return replace(_index_of(pts, packets, decoder), is_sound=False)
        rate = decoder.stream.guessed_rate or decoder.stream.average_rate or _DEFAULT_RATE
        return VideoIndex(np.arange(len(found)), (), False, False, Fraction(1), Fraction(rate))
    finally:
        decoder.close()


def _timed_rate(pts: NDArray[np.int64], stream: VideoStream) -> Fraction:
    """The rate that the file names if its pictures keep it to half a frame, else the average of the time stamps."""
    nominal = stream.guessed_rate or stream.average_rate
    ticks = pts - pts[0]
    if nominal:
        places = ticks * float(stream.time_base * nominal)
        if np.abs(places - np.arange(len(pts))).max() < 0.5:
            return Fraction(nominal)
    if len(pts) < 2:
        return _DEFAULT_RATE
    average = Fraction(len(pts) - 1) / (int(ticks[-1]) * stream.time_base)
    return max(average.limit_denominator(1001), _SLOWEST_RATE)
