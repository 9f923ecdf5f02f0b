"""Mask files: index PNGs in the DAVIS palette out, whatever other programs write in. Any thread; no Qt, no torch.

A written file carries the ids it holds in a private PNG chunk in front of its pixels. It tells our own files, which
mean exactly what they say, and lets the timeline of a long video be drawn without decoding thousands of masks. The
chunk is marked unsafe-to-copy: a program that changes the pixels drops it, and then the pixels are interpreted.
"""
from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from storage.atomic_file import write_atomic
from storage.io_errors import reason
from storage.mask_convert import from_deep_grey, from_grey, from_indices, from_rgb, present_values
from util.errors import AppError
from util.palette import davis_palette
from util.types import ImageU8, IndexMask, Size

_FORMATS = ("PNG", "BMP", "TIFF", "WEBP")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IDS_CHUNK = b"obIS"  # ancillary, private, unsafe to copy
_IDS_AT = len(_SIGNATURE) + 25  # straight behind IHDR
_READ_HINT = "Export the mask again as PNG."


def read_mask(path: Path, size: Size | None = None) -> IndexMask:
    """Object ids from a mask picture of any common kind (see storage/mask_convert.py for what its values mean).

    Args:
        path: PNG, BMP, TIFF or WebP.
        size: when given, a picture of another size is refused before its pixels are decoded.

    Returns:
        uint8 [H, W], writable, C-contiguous.

    Raises:
        AppError: missing, damaged, not a picture, of another size, or with values that are no object ids.
    """
    try:
        with open(path, "rb") as file:
            return decode_mask(file, path, size)
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the path.") from error


def decode_mask(file: BinaryIO, path: Path, size: Size | None = None) -> IndexMask:
    """`read_mask` from an open file; `path` is for messages."""

    def convert(image: Image.Image, is_ours: bool) -> NDArray[np.uint8]:
        return np.asarray(image) if is_ours else _to_ids(image, path)

    return _decode(file, path, size, convert)


def read_colors(path: Path, size: Size | None = None) -> ImageU8:
    """The colours of a mask picture, uint8 [H, W, 3], RGB; what is mostly transparent is black.

    Raises what `read_mask` raises for a file, and nothing about its colours.
    """

    def convert(image: Image.Image, is_ours: bool) -> NDArray[np.uint8]:
        pixels = np.array(image.convert("RGBA"))
        pixels[pixels[..., 3] < 128] = 0
        return pixels[..., :3]

    try:
        with open(path, "rb") as file:
            return _decode(file, path, size, convert)
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the path.") from error


def _decode(
    file: BinaryIO, path: Path, size: Size | None, convert: Callable[[Image.Image, bool], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """A copy of what `convert` makes of the loaded picture and of whether it is our own. Raises AppError."""
    try:
        _check_png(file, path)
        file.seek(0)
        is_ours = _stored_values(file) is not None  # exact: nothing but 255 is an ignored area, not a binary mask
        file.seek(0)
        with Image.open(file, formats=_FORMATS) as image:
            if size is not None:
                _check_size(Size(image.height, image.width), size, path)
            num_pictures = getattr(image, "n_frames", 1)
            if num_pictures != 1:
                raise AppError(f"{path}: holds {num_pictures} pictures; a mask is one.", "Export them one by one.")
            image.load()
            found = convert(image, is_ours)
    except AppError:
        raise
    except UnidentifiedImageError as error:
        raise AppError(
            f"{path}: is not a mask picture (PNG, BMP, TIFF or WebP).",
            f"{_READ_HINT} JPEG and GIF do not keep ids exactly.",
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise AppError(f"{path}: is far too large for a mask.", _READ_HINT) from error
    except Exception as error:  # the decoders raise nearly every type for a damaged file
        raise AppError(f"{path}: is damaged and cannot be read ({reason(error)}).", _READ_HINT) from error
    return np.array(found, np.uint8, order="C")


def encode_mask(mask: IndexMask, palette: NDArray[np.uint8] | None = None) -> bytes:
    """A palette PNG holding uint8 [H, W] exactly. About 5 ms for 1080p.

    Args:
        palette: uint8 [256, 3], RGB, of other colours than the DAVIS palette's.
    """
    height, width = mask.shape
    rows = np.zeros((height, width + 1), np.uint8)  # a leading 0 per row: no filter, best for flat areas
    rows[:, 1:] = mask
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(_IDS_CHUNK, bytes(present_values(mask))),
            _chunk(b"PLTE", (davis_palette() if palette is None else palette).tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.data, 1)),
            _chunk(b"IEND", b""),
        )
    )


def write_mask(path: Path, mask: IndexMask, *, durable: bool = False) -> None:
    """Save uint8 [H, W] as a PNG in the DAVIS palette, replacing an old file in one step.

    `durable` also waits for the medium. Raises AppError (disk full, not writable); the old file is then kept.
    """
    write_atomic(path, encode_mask(mask), durable=durable)


def read_stored_values(path: Path) -> tuple[int, ...] | None:
    """The non-zero values of a mask written by `encode_mask`, without decoding it; None when only pixels can tell.

    Raises OSError when the file cannot be opened.
    """
    with open(path, "rb") as file:
        return _stored_values(file)


def _check_size(found: Size, expected: Size, path: Path) -> None:
    if found != expected:
        raise AppError(
            f"{path}: the mask is {found} pixels, the video is {expected}.",
            "Export the mask at the size of the video.",
        )


def _check_png(file: BinaryIO, path: Path) -> None:
    """AppError when a PNG's check sums do not hold or its end is missing: Pillow would show damaged pixels."""
    is_png = file.read(len(_SIGNATURE)) == _SIGNATURE
    kind = b""
    while is_png and kind != b"IEND":
        length, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
        data = file.read(length)
        if file.read(4) != struct.pack(">I", zlib.crc32(kind + data)):
            raise AppError(f"{path}: is damaged or cut off.", _READ_HINT)


def _stored_values(file: BinaryIO) -> tuple[int, ...] | None:
    """What the private chunk at the head of an open file says, if there is one. Moves the file position."""
    head = file.read(_IDS_AT + 12 + 255)
    length, kind = struct.unpack(">I4s", head[_IDS_AT : _IDS_AT + 8].ljust(8, b"\0"))
    if kind != _IDS_CHUNK or not head.startswith(_SIGNATURE) or length > 255:
        return None
    values = head[_IDS_AT + 8 : _IDS_AT + 8 + length]
    return tuple(values) if head[_IDS_AT : _IDS_AT + 12 + length] == _chunk(_IDS_CHUNK, values) else None


def _to_ids(image: Image.Image, path: Path) -> IndexMask:
    """Ids from a loaded picture of any mode that a mask may have."""
    mode = image.mode
    if mode == "1":
        return np.asarray(image).astype(np.uint8)
    if mode in ("P", "PA"):
        return from_indices(np.asarray(image.getchannel(0) if mode == "PA" else image))
    if mode == "L":
        return from_grey(np.asarray(image))
    if mode.startswith("I"):
        return from_deep_grey(np.asarray(image), path)
    if mode in ("RGB", "RGBA", "LA"):
        pixels = np.array(image)
        if mode != "RGB":  # what is mostly transparent is background, whatever colour lies under it
            pixels[pixels[..., -1] < 128] = 0
        return from_grey(pixels[..., 0]) if mode == "LA" else from_rgb(pixels[..., :3], path)
    raise AppError(f"{path}: pictures of kind {mode} are not masks.", _READ_HINT)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
