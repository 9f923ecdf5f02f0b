"""OpenEXR for compositing: 16-bit half floats, lossless (ZIP), as cut-outs or as soft mattes.

As EXR has it, colours are linear light and multiplied by alpha; those of the video count as sRGB. Everything here goes
through the `OpenEXR` package, which is imported when it is first needed.
"""
from __future__ import annotations

import importlib.util
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.atomic_file import disk_error
from storage.exchange.alpha import FULL, soft_alpha
from storage.exchange.format import Format
from storage.exchange.material import Material, folder_name, make_folder
from storage.io_errors import reason
from util.errors import AppError

PACKAGE = "OpenEXR"
Planes = Mapping[str, NDArray[np.float16]]
"""Channel -> float16 [H, W]."""


def linear_light(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """sRGB values 0..255 as linear light 0..1 (IEC 61966-2-1)."""
    share = np.arange(256, dtype=np.float64) / 255
    table = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return np.asarray(table[values], np.float32)


class _ExrSequence(Format):
    """One EXR per frame."""

    options = frozenset({"edge"})

    def missing(self) -> str:
        if importlib.util.find_spec(PACKAGE) is not None:
            return ""
        return f"The package {PACKAGE} is not installed; fetch it with: pip install {PACKAGE}"

    @abstractmethod
    def planes(self, material: Material, frame: int) -> Planes:
        """What the file of a frame holds."""

    def write(self, material: Material, target: Path) -> Iterator[int]:
        make_folder(target)
        for frame in material.wanted:
            _write(self.planes(material, frame), _file(material, frame, target))
            yield frame

    def check(self, material: Material, target: Path) -> Iterator[str]:
        for frame in material.wanted:
            yield _compare(_file(material, frame, target), self.planes(material, frame), frame)


class ExrCutOut(_ExrSequence):
    name = "rgba-exr"
    density = 3.0
    title = "RGBA sequence (EXR)"
    about = "One 16-bit half EXR per frame with the objects cut out: linear light, multiplied by a soft alpha"

    def planes(self, material: Material, frame: int) -> Planes:
        alpha = _alpha(material, material.mask(frame) > 0)
        colors = linear_light(material.picture(frame)) * alpha[..., None]
        return {name: _half(plane) for name, plane in zip("RGBA", (*np.moveaxis(colors, 2, 0), alpha), strict=True)}


class ExrMattes(_ExrSequence):
    name = "matte-exr"
    density, is_per_object = 0.05, True
    title = "Soft mattes (EXR)"
    about = "One 16-bit half EXR per frame with a channel for every object, called like it, soft edges"

    def planes(self, material: Material, frame: int) -> Planes:
        mask = material.mask(frame)
        return {
            f"{folder_name(info)}.A": _half(_alpha(material, mask == info.object_id)) for info in material.objects
        }


def _alpha(material: Material, region: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.asarray(soft_alpha(region, material.edge) / np.float32(FULL), np.float32)


def _half(plane: NDArray[np.float32]) -> NDArray[np.float16]:
    return np.ascontiguousarray(plane, np.float16)


def _file(material: Material, frame: int, target: Path) -> Path:
    return target / f"{material.frames.stem(frame)}.exr"


def _write(planes: Planes, path: Path) -> None:
    """AppError when it cannot be written."""
    exr = _package()
    try:
        path.touch()  # the package tells every failure alike; the system says which one it is
        # It puts objects of its own into the dictionary that it is given.
        with exr.File({"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}, dict(planes)) as file:
            file.write(str(path))
    except OSError as error:
        raise disk_error(error, path) from error
    except RuntimeError as error:
        raise AppError(f"{path}: cannot be written ({reason(error)}).", "Is the disk full?") from error


def _compare(path: Path, expected: Planes, frame: int) -> str:
    """What is wrong with a file that was written, or nothing."""
    exr = _package()
    if not path.is_file():
        return f"frame {frame}: {path.name} is missing"
    try:
        with exr.File(str(path), separate_channels=True) as file:
            found = {name: channel.pixels for name, channel in file.channels().items()}
    except RuntimeError as error:
        return f"frame {frame}: {path.name} cannot be read back ({reason(error)})"
    is_right = found.keys() == expected.keys() and all(
        found[name].dtype == np.float16 and np.array_equal(found[name], plane) for name, plane in expected.items()
    )
    return "" if is_right else f"frame {frame}: {path.name} did not come back as it was written"


def _package() -> Any:  # noqa: ANN401 - it has no types
    return importlib.import_module(PACKAGE)
