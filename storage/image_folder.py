"""A folder of still images as a video: one frame per file, in natural order of the names.

What a frame looks like, decided here once:

* EXIF orientation is applied, so that a frame stands as image viewers show it. Only a tag before the pixel data counts.
* Alpha is dropped, as OpenCV and ffmpeg do: the stored colours count. (Compositing would turn frames black whose unused
  alpha channel holds zeros.)
* 16-bit samples keep their high byte: 65535 becomes 255, and the scale is the same on every frame.
* Grey, one-bit, palette, CMYK and YCbCr images become RGB. Colour profiles are not applied.
* Of a file with several pictures (multi-page TIFF, animation) the first counts.
"""
from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from storage.io_errors import reason
from util.errors import AppError
from util.types import ImageU8, Size

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp")
"""Lower case; files match in any case."""

FOLDER_RATE = Fraction(24)

# What brings an image of each EXIF orientation upright.
_TRANSPOSE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Those that turn it by a quarter, so that width and height change places.
_QUARTER_TURNS = range(5, 9)

# Pillow decodes these to 8-bit RGB by itself, with the rules that the module's docstring names.
_CONVERTIBLE_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}

# Bytes of a file that enter the fingerprint.
_FINGERPRINT_BYTES = 1 << 16


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key under which `frame2` stands before `frame10`. Equal numbers (`1`, `01`) fall back to the name."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part], name


class ImageFolderSource:
    """The images of one folder. Every header is read when it is opened, pixels only by `read`.

    Raises:
        AppError: no readable image, two files of one stem, files of different size, a file that is no image.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.absolute().name
        self.rate = FOLDER_RATE
        self._files = _list_images(path)
        self.size = _common_size(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def file(self, frame: int) -> Path:
        """The image of a frame."""
        return self._files[frame]

    def stem(self, frame: int) -> str:
        return self._files[frame].stem

    def time(self, frame: int) -> float:
        """Seconds from the first frame."""
        return float(frame / self.rate)

    def read(self, frame: int) -> ImageU8:
        """Decode one image: uint8 [H, W, 3], RGB. AppError when it cannot be decoded or changed its size."""
        file = self._files[frame]
        image = _decode(file)
        size = Size(*image.shape[:2])
        if size != self.size:
            raise _size_error(self._files[0], self.size, file, size)
        return image

    def walk(self, frame: int, keep: int = 1) -> Generator[tuple[int, ImageU8 | None], None, None]:
        """The frame alone: every image is decoded by itself, nothing is met on the way to it."""
        yield frame, self.read(frame)

    def fingerprint(self) -> str:
        """Hash of the names, the size and the beginning of the first, middle and last file."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(f"{len(self)} {self.size}\n".encode())
        digest.update("\n".join(file.name for file in self._files).encode())
        for file in (self._files[0], self._files[len(self) // 2], self._files[-1]):
            try:
                with file.open("rb") as stream:
                    digest.update(stream.read(_FINGERPRINT_BYTES))
            except OSError as error:
                raise _unreadable(file, error) from error
        return digest.hexdigest()

    def close(self) -> None:
        """Nothing stays open between two reads."""


def _list_images(folder: Path) -> list[Path]:
    """The image files of a folder in natural order; AppError when there is none or two share a stem."""
    try:
        files = [
            file
            for file in folder.iterdir()
            if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()
        ]
    except OSError as error:
        raise AppError(f"{folder} cannot be read: {reason(error)}.", "Check that the folder exists.") from error
    if not files:
        raise AppError(
            f"{folder} holds no image.", f"Files ending in {', '.join(IMAGE_SUFFIXES)} are read (in any case)."
        )
    files.sort(key=lambda file: natural_key(file.name))
    by_stem: dict[str, Path] = {}
    for file in files:
        # Masks are named after the stem, and on many disks "A.png" and "a.png" are one file.
        other = by_stem.setdefault(file.stem.casefold(), file)
        if other is not file:
            raise AppError(
                f"{folder} holds two images of one name: {other.name} and {file.name}.",
                "A mask is called after its image; rename or move one of the two.",
            )
    return files


def _common_size(files: Sequence[Path]) -> Size:
    """The size as shown that all files share, from their headers alone."""
    size = _shown_size(files[0])
    for file in files[1:]:
        other = _shown_size(file)
        if other != size:
            raise _size_error(files[0], size, file, other)
    return size


def _shown_size(file: Path) -> Size:
    try:
        with Image.open(file) as image:
            size = Size(image.height, image.width)
            return Size(size.width, size.height) if _orientation(image) in _QUARTER_TURNS else size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(file, error) from error


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8 that is still to be applied. Call it before the pixels are loaded: the tag may go then."""
    if image.format == "TIFF":
        # Pillow turns these itself, its `size` included.
        return 1
    # The base class's method: that of PNG images decodes the whole file in search of a tag behind the pixels.
    orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    return orientation if orientation in _TRANSPOSE else 1


def _decode(file: Path) -> ImageU8:
    try:
        with Image.open(file) as image:
            orientation = _orientation(image)
            turned = _oriented(_to_rgb(image, file), orientation)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(file, error) from error
    return np.asarray(turned)


def _to_rgb(image: Image.Image, file: Path) -> Image.Image:
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint16) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode not in _CONVERTIBLE_MODES:
        raise AppError(
            f"{file} has pixels of a kind that has no fixed brightness (mode {image.mode}).",
            "Convert the images to 8 or 16 bits per channel.",
        )
    image.load()
    # An entry that says which colour is transparent: dropped like all alpha, and Pillow would warn about it.
    image.info.pop("transparency", None)
    return image.convert("RGB")


def _oriented(image: Image.Image, orientation: int) -> Image.Image:
    step = _TRANSPOSE[orientation]
    return image if step is None else image.transpose(step)


def _size_error(first: Path, first_size: Size, file: Path, size: Size) -> AppError:
    return AppError(
        f"The images differ in size: {first} is {first_size}, {file} is {size}.",
        "A folder is one video: put images of another size into a folder of their own.",
    )


def _unreadable(file: Path, error: Exception) -> AppError:
    return AppError(f"{file} cannot be read as an image: {reason(error)}.", "Replace it or take it out of the folder.")
