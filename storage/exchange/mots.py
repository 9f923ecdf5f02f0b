"""MOTS text files (Voigtlaender et al., CVPR 2019): a line `frame id class height width rle` per object and frame.

The id is the class times 1000 plus the object's number. Class 10 is kept free: there it means an area to be ignored.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from storage.atomic_file import write_atomic
from storage.exchange import rle
from storage.exchange.format import Label, MaskFormat
from storage.exchange.loose_json import wrap
from storage.exchange.material import Material, class_of, make_folder
from storage.exchange.values import number_things
from storage.io_errors import reason
from storage.mask_folder import NamedFrames
from util.errors import AppError
from util.types import IGNORE, IndexMask, Size

FOLDER = "instances_txt"
NAMES = "labels.txt"
IGNORED = 10
_PER_CLASS = 1000
_NOBODY = -1  # the track of an ignored area


@dataclass(frozen=True)
class MotsReader:
    """Frames without any line are not there."""

    path: Path
    size: Size
    lines: Mapping[int, Sequence[tuple[int, str]]]  # frame -> (value, runs)
    labels: Mapping[int, Label]
    title: str = "MOTS"
    notes: Sequence[str] = ()

    @property
    def frames(self) -> Sequence[int]:
        return sorted(self.lines)

    def mask(self, frame: int) -> IndexMask:
        mask = np.zeros(self.size, np.uint8)
        with wrap(self.path):
            for value, runs in self.lines[frame]:
                mask[rle.decode(runs, self.size)] = value
        return mask


class Mots(MaskFormat):
    name = "mots"
    title = "MOTS"
    about = "instances_txt/<video>.txt with run-length coded masks and tracks, as MOTS and KITTI MOTS have it"
    keeps_ignore = True
    names_empty_frames = False

    def write(self, material: Material, target: Path) -> Iterator[int]:
        numbers = dict(zip(material.classes, class_numbers(len(material.classes)), strict=True))
        height, width = material.size
        lines: list[str] = []
        for frame in material.wanted:
            mask = material.mask(frame, keep_ignore=True)
            places = [(info.object_id, numbers[class_of(info)], info.object_id) for info in material.objects]
            for value, number, instance in (*places, (IGNORE, IGNORED, 0)):
                region = mask == value
                if region.any():
                    track = number * _PER_CLASS + instance
                    lines.append(f"{frame} {track} {number} {height} {width} {rle.encode(region)}\n")
            yield frame
        folder = make_folder(target / FOLDER)
        write_atomic(folder / f"{material.name}.txt", "".join(lines).encode())
        names = (f"{number} {' '.join(name.split())}\n" for name, number in numbers.items())
        write_atomic(target / NAMES, "".join(names).encode(errors="replace"))

    def open(self, path: Path, frames: NamedFrames) -> MotsReader:
        file = _text_file(path)
        try:
            text = file.read_text(encoding="ascii")
        except OSError as error:
            raise AppError(f"{file}: cannot be read ({reason(error)}).", "Check the path.") from error
        except ValueError as error:
            raise AppError(f"{file}: is no MOTS text file ({error}).") from error
        with wrap(file):
            return _parse(text, file, frames, _names(file))


def class_numbers(count: int) -> list[int]:
    """1, 2, … without the one that means ignored."""
    return [number for number in range(1, count + 2) if number != IGNORED][:count]


def _text_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    folder = path / FOLDER if (path / FOLDER).is_dir() else path
    files = sorted(file for file in folder.glob("*.txt") if file.name != NAMES)
    if len(files) != 1:
        raise AppError(f"{folder}: holds {len(files)} text files, not one.", "Choose the file of this video.")
    return files[0]


def _names(file: Path) -> dict[int, str]:
    """Class number -> name, where a list lies with the file."""
    for place in (file.parent / NAMES, file.parent.parent / NAMES):
        try:
            rows = (line.split(maxsplit=1) for line in place.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError):  # the list is an extra: numbers do without it
            continue
        return {int(row[0]): row[1] for row in rows if len(row) == 2 and row[0].isascii() and row[0].isdecimal()}
    return {}


def _parse(text: str, file: Path, frames: NamedFrames, names: Mapping[int, str]) -> MotsReader:
    rows: list[tuple[int, int, str]] = []
    kinds: dict[int, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split()
        if len(cells) != 6 or not all(cell.isdecimal() and len(cell) < 10 for cell in cells[:5]):
            raise ValueError(f"line {number} is not `frame id class height width rle`")
        frame, track, kind, height, width = map(int, cells[:5])
        if frame >= len(frames) or Size(height, width) != frames.size:
            raise ValueError(
                f"line {number} is about frame {frame} of {width}x{height}; "
                f"the video has {len(frames)} of {frames.size}"
            )
        rows.append((frame, _NOBODY if kind == IGNORED else track, cells[5]))
        if kind != IGNORED:
            kinds.setdefault(track, kind)
    values = number_things(kinds, {track: track % _PER_CLASS for track in kinds})
    members = Counter(kinds.values())
    lines: dict[int, list[tuple[int, str]]] = {}
    for frame, track, runs in rows:
        lines.setdefault(frame, []).append((values.get(track, IGNORE), runs))
    labels = {}
    for track, kind in kinds.items():
        name = names.get(kind, f"class {kind}")
        labels[values[track]] = Label(name if members[kind] == 1 else f"{name} {track % _PER_CLASS}")
    return MotsReader(file, frames.size, lines, labels)
