"""YOLO segmentation labels: a text file per frame, a line `class x y x y …` per object, coordinates from 0 to 1.

The format has one polygon per object and no identities. Parts and holes are joined by bridges (`contours.joined`), as
the trainers' own converters do it, so an object of several parts gets thin lines between them. A corner is the middle
of its pixel. Reading it back, all of one class is one object.
"""
from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.atomic_file import write_atomic
from storage.exchange.contours import Ring, fill, joined
from storage.exchange.format import Label, MaskFormat
from storage.exchange.loose_json import wrap
from storage.exchange.material import Material, class_of, make_folder
from storage.io_errors import reason
from storage.mask_folder import NamedFrames, examples, frame_numbers, some
from util.errors import AppError
from util.types import MAX_OBJECT_ID, IndexMask, Size

LABELS = "labels"
PICTURES = "images"
TABLE = "data.yaml"


@dataclass(frozen=True)
class YoloReader:
    """Classes by their number, from 1. Later lines lie over earlier ones."""

    files: Mapping[int, Path]
    size: Size
    labels: Mapping[int, Label]
    notes: Sequence[str] = ("YOLO labels have no identities: all of one class are one object.",)
    title: str = "YOLO segmentation"

    @property
    def frames(self) -> Sequence[int]:
        return list(self.files)

    def mask(self, frame: int) -> IndexMask:
        mask = np.zeros(self.size, np.uint8)
        for value, region in self.regions(frame):
            mask[region] = value
        return mask

    def regions(self, frame: int) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """(class number from 1, bool [H, W]) of every line. AppError."""
        file = self.files[frame]
        with wrap(file):
            for number, line in enumerate(_read_text(file).splitlines(), 1):
                if line.strip():
                    kind, ring = _parse_line(line, number, self.size)
                    yield kind + 1, fill([ring], self.size)


class Yolo(MaskFormat):
    name = "yolo-seg"
    title = "YOLO segmentation"
    about = "labels/<frame>.txt with a polygon per object, and data.yaml with the classes"
    options = frozenset({"frames"})

    def write(self, material: Material, target: Path) -> Iterator[int]:
        labels = make_folder(target / LABELS)
        pictures = make_folder(target / PICTURES) if material.with_frames else target
        for frame in material.wanted:
            mask = material.mask(frame)
            lines = []
            for info in material.objects:
                ring = joined(mask == info.object_id)
                if ring is not None:
                    lines.append(_line(material.classes.index(class_of(info)), ring, material.size))
            write_atomic(labels / f"{material.frames.stem(frame)}.txt", "".join(lines).encode())
            if material.with_frames:
                material.write_picture(frame, pictures)
            yield frame
        # A JSON text is a YAML text, whatever characters a name holds.
        names = "".join(f"  {number}: {json.dumps(name)}\n" for number, name in enumerate(material.classes))
        table = f"path: .\ntrain: {PICTURES}\nval: {PICTURES}\nnames:\n{names}"
        write_atomic(target / TABLE, table.encode())

    def open(self, path: Path, frames: NamedFrames) -> YoloReader:
        folder = path / LABELS if (path / LABELS).is_dir() else path
        table = next((file for file in (path / TABLE, path.parent / TABLE) if file.is_file()), None)
        names = {} if table is None else _class_names(_read_text(table))
        return YoloReader(_label_files(folder, frames), frames.size, {n + 1: Label(name) for n, name in names.items()})

    def check(self, material: Material, target: Path) -> Iterator[str]:
        """Every object must lie inside its polygon; what the polygon holds besides are bridges."""
        reader = self.open(target, material.frames)
        for frame in material.wanted:
            if frame not in reader.files:
                yield f"frame {frame} ({material.frames.stem(frame)}) is missing"
                continue
            mask = material.mask(frame)
            places = [(info, mask == info.object_id) for info in material.objects]
            expected = [(material.classes.index(class_of(info)) + 1, area) for info, area in places if area.any()]
            found = list(reader.regions(frame))
            is_same = [kind for kind, _ in expected] == [kind for kind, _ in found]
            is_whole = all(not (area & ~region).any() for (_, area), (_, region) in zip(expected, found, strict=False))
            yield "" if is_same and is_whole else f"frame {frame}: an object did not come back whole"


def _line(kind: int, ring: Ring, size: Size) -> str:
    shares = (ring + 0.5) / (size.width, size.height)
    return f"{kind} {' '.join(f'{value:.7g}' for value in shares.ravel())}\n"


def _parse_line(line: str, number: int, size: Size) -> tuple[int, Ring]:
    cells = line.split()
    try:
        kind, values = int(cells[0]), [float(cell) for cell in cells[1:]]
    except ValueError:
        raise ValueError(f"line {number} is not `class x y x y …`") from None
    if len(values) < 2 or len(values) % 2 or not all(math.isfinite(value) for value in values):
        raise ValueError(f"line {number} holds no polygon")
    if not 0 <= kind < MAX_OBJECT_ID:
        raise ValueError(f"line {number} is of class {kind}; 0 to {MAX_OBJECT_ID - 1} are read")
    if len(values) == 4:
        raise ValueError(f"line {number} is a box; only polygons are masks")
    points = np.clip(np.array(values).reshape(-1, 2), -100, 100) * (size.width, size.height)
    return kind, np.floor(points).astype(np.int32)


def _label_files(folder: Path, frames: NamedFrames) -> dict[int, Path]:
    """frame -> text file, in order. AppError: none, or of frames that the video does not have."""
    try:
        files = [file for file in folder.iterdir() if file.suffix == ".txt" and not file.name.startswith(".")]
    except OSError as error:
        raise AppError(f"{folder}: cannot be read ({reason(error)}).", "Check the path.") from error
    frame_of = frame_numbers(frames)
    strangers = sorted(file.name for file in files if file.stem not in frame_of and file.name != "classes.txt")
    found = {frame_of[file.stem]: file for file in files if file.stem in frame_of}
    if strangers or not found:
        raise AppError(
            f"{folder}: no frame is called like {some(strangers) or 'a text file here'}; the frames of this video are "
            f"called {examples(frames)}.",
            "Open the video that the labels are of.",
        )
    return dict(sorted(found.items()))


def _class_names(table: str) -> dict[int, str]:
    """`names` of a data.yaml: a line `number: name` each, or a list. Names are an extra: what is not read has none."""
    found: dict[int, str] = {}
    _, _, tail = table.partition("names:")
    if tail.strip().startswith("["):
        items = tail.strip()[1:].partition("]")[0].split(",")
        return {number: item.strip().strip("'\"") for number, item in enumerate(items) if item.strip()}
    for line in tail.splitlines()[1:]:
        match = re.fullmatch(r"\s+(\d{1,3}):\s*(.+?)\s*", line) or re.fullmatch(r"\s*(-)\s+(.+?)\s*", line)
        if match is None:
            break
        number = len(found) if match[1] == "-" else int(match[1])
        found[number] = _plain(match[2])
    return {number: name for number, name in found.items() if number < MAX_OBJECT_ID}


def _plain(text: str) -> str:
    if text.startswith('"'):
        try:
            value = json.loads(text)
        except ValueError:
            return text.strip('"')
        return value if isinstance(value, str) else text
    return text.strip("'")


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise AppError(f"{file}: cannot be read ({reason(error)}).", "Check the path.") from error
    except ValueError as error:
        raise AppError(f"{file}: is no text file ({error}).") from error
