"""What a format is: it writes a material, checks what it wrote, and most can read it back."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from storage.exchange.material import Material
from storage.mask_folder import NamedFrames
from util.types import IndexMask, Size

_JPEG_DENSITY = 0.4
Option = Literal["frames", "edge", "look"]
"""What of a material a format makes use of: pictures beside the masks, the soft edge, the overlay's look."""


@dataclass(frozen=True)
class Label:
    """What a file calls one of the things in its masks. `color`: RGB, None when it names none."""

    text: str
    color: tuple[int, int, int] | None = None


class MaskReader(Protocol):
    """Masks in a file or folder, decoded when they are asked for.

    Attributes:
        title: the format, in a word or two.
        frames: those that have a mask, ascending.
        labels: value in the masks -> what the file calls it; values without a label are known by their number.
        notes: what was left out or had to be decided, in sentences.
    """

    @property
    def title(self) -> str: ...
    @property
    def frames(self) -> Sequence[int]: ...
    @property
    def labels(self) -> Mapping[int, Label]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    def mask(self, frame: int) -> IndexMask:
        """uint8 [H, W]. AppError when it is damaged."""
        ...


class Format(ABC):
    """One row of `storage.exchange.formats.FORMATS`.

    Attributes:
        name: as the command line has it.
        title, about: as the window shows them.
        suffix: of the one file that it writes; empty for a folder.
        options: see `Option`.
        density: about how many bytes a pixel of a frame takes; is_per_object: for every object.
    """

    name: str
    title: str
    about: str
    suffix: str = ""
    options: frozenset[Option] = frozenset()
    density: float = 0.01
    is_per_object: bool = False

    def estimate(self, size: Size, num_frames: int, num_objects: int, *, with_frames: bool) -> int:
        """About how many bytes an export takes; masks and pictures differ, so it is no more than a guess."""
        per_pixel = self.density * (num_objects if self.is_per_object else 1)
        if with_frames and "frames" in self.options:
            per_pixel += _JPEG_DENSITY
        return round(per_pixel * size.height * size.width * num_frames)

    def missing(self) -> str:
        """Why it cannot be written on this machine; empty when it can."""
        return ""

    @abstractmethod
    def write(self, material: Material, target: Path) -> Iterator[int]:
        """Write everything to `target`, which is not there yet; yields every frame when it is done. AppError."""

    @abstractmethod
    def check(self, material: Material, target: Path) -> Iterator[str]:
        """Read back what was written: for every wanted frame, in order, what is wrong with it, or nothing.

        Raises AppError for what cannot be read at all.
        """

    def join(self, stage: Path, target: Path) -> None:
        """Before what was written to `stage` replaces files of an earlier export in `target`. AppError: better not."""
        return None


class MaskFormat(Format):
    """A format from which the masks come back.

    Attributes:
        keeps_ignore: the ignored area comes back as 255.
        names_empty_frames: a frame without any object is there too.
    """

    keeps_ignore: bool = False
    names_empty_frames: bool = True

    @abstractmethod
    def open(self, path: Path, frames: NamedFrames) -> MaskReader:
        """The masks at `path`. Raises AppError: not of this format, damaged, of another video."""

    def check(self, material: Material, target: Path) -> Iterator[str]:
        reader = self.open(target, material.frames)
        present = set(reader.frames)
        for frame in material.wanted:
            expected = material.mask(frame, keep_ignore=self.keeps_ignore)
            if frame not in present:
                is_fine = not self.names_empty_frames and not expected.any()
                yield "" if is_fine else f"frame {frame} ({material.frames.stem(frame)}) is missing"
                continue
            yield _difference(frame, expected, reader.mask(frame))


def _difference(frame: int, expected: IndexMask, found: IndexMask) -> str:
    if expected.shape != found.shape:
        return f"frame {frame} is {found.shape[1]}x{found.shape[0]}, not {expected.shape[1]}x{expected.shape[0]}"
    num_wrong = int(np.count_nonzero(expected != found))
    return f"frame {frame}: {num_wrong} pixels came back as another object" if num_wrong else ""
