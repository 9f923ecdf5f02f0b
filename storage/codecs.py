"""Which video formats PyAV's build can read and write here."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import av


@dataclass(frozen=True)
class Coder:
    """One direction of one format, and the libraries that can do it, the preferred one first."""

    title: str
    mode: Literal["r", "w"]
    names: tuple[str, ...]
    is_needed: bool = False


CODERS = (
    Coder("reading H.264", "r", ("h264",), is_needed=True),
    Coder("reading H.265", "r", ("hevc",)),
    Coder("reading VP9", "r", ("vp9", "libvpx-vp9")),
    Coder("reading AV1", "r", ("libdav1d", "av1")),
    Coder("reading ProRes", "r", ("prores",)),
    Coder("writing H.264", "w", ("libx264", "libopenh264", "h264_videotoolbox"), is_needed=True),
    Coder("writing ProRes 4444", "w", ("prores_ks",)),
    Coder("writing PNG in MOV", "w", ("png",)),
)


def can(coder: Coder) -> bool:
    """Whether one of the coder's libraries is in this build."""
    return any(_is_there(name, coder.mode) for name in coder.names)


def _is_there(name: str, mode: Literal["r", "w"]) -> bool:
    try:
        av.codec.Codec(name, mode)
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def sort_out(coders: Sequence[Coder] = CODERS) -> tuple[list[Coder], list[Coder]]:
    """(those that work here, those that do not)."""
    there = [coder for coder in coders if can(coder)]
    return there, [coder for coder in coders if coder not in there]
