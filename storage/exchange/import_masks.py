"""Masks of other programs in: what a path holds, which things are in it, and which objects they become. Any thread."""
from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from storage.exchange.coco import FILE as COCO_FILE
from storage.exchange.coco import Coco
from storage.exchange.format import MaskFormat, MaskReader
from storage.exchange.index_png import ANNOTATIONS, BinaryPng, YouTubeVos
from storage.exchange.labelme import Labelme
from storage.exchange.loose_json import read_json
from storage.exchange.mots import FOLDER as MOTS_FOLDER
from storage.exchange.mots import Mots
from storage.exchange.pictures import open_pictures
from storage.exchange.yolo import LABELS, Yolo
from storage.io_errors import reason
from storage.mask_folder import NamedFrames, files_by_frame, frame_numbers
from storage.project_parts import ObjectInfo
from storage.workspace import PROJECT_NAME
from util.errors import AppError
from util.types import IGNORE, MAX_OBJECT_ID, IndexMask

_HINT = "Masks are PNG files named like their frames, or a COCO, labelme, MOTS, YOLO or YouTube-VOS export."


@dataclass(frozen=True)
class Found:
    """One thing in the masks.

    Args:
        value: its number in them, 1..254.
        text: what the file calls it; empty where it has only the number.
        color: RGB, where the file has one.
        num_frames, num_pixels: where it is, and how much of it there is.
    """

    value: int
    text: str
    color: tuple[int, int, int] | None
    num_frames: int
    num_pixels: int


def open_masks(path: Path, frames: NamedFrames, fallback: int) -> Generator[int, None, MaskReader]:
    """Find out what is at `path`; yields now and then, with how many files were looked at.

    Args:
        path: a folder, a JSON, a MOTS text or one picture.
        fallback: the frame that one picture is for, if its name is no frame's.

    Raises:
        AppError: nothing that is known, damaged, or of another video.
    """
    kind = _kind_of(path)
    if kind is not None:
        return kind.open(path, frames)
    if path.is_dir():
        return (yield from open_pictures(files_by_frame(path, frames), frames.size))
    frame = frame_numbers(frames).get(path.stem, fallback)
    return (yield from open_pictures({frame: path}, frames.size))


def _kind_of(path: Path) -> MaskFormat | None:
    """The format of a path that is no picture and no folder of pictures. AppError: nothing that is known."""
    if not path.exists():
        raise AppError(f"{path}: no such file or folder.", "Check the path.")
    if path.is_dir():
        return _kind_of_folder(path)
    suffix = path.suffix.lower()
    if suffix == ".txt":
        return Mots()
    if suffix != ".json":
        return None
    content = read_json(path)
    names = content.keys() if isinstance(content, dict) else ()
    if "annotations" in names:
        return Coco()
    if "shapes" in names:
        return Labelme()
    raise AppError(f"{path}: is neither COCO annotations nor a file of labelme.", _HINT)


def _kind_of_folder(path: Path) -> MaskFormat | None:
    if (path / PROJECT_NAME).exists():
        raise AppError(f"{path}: is a project of this program.", "File, Merge another project takes work from it.")
    for name, kind in ((ANNOTATIONS, YouTubeVos()), (MOTS_FOLDER, Mots()), (LABELS, Yolo()), (COCO_FILE, Coco())):
        if (path / name).exists():
            return kind
    try:
        entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the path.") from error
    suffixes = {entry.suffix.lower() for entry in entries if entry.is_file()}
    if ".png" in suffixes:
        return None
    if ".json" in suffixes:
        return Labelme()
    if ".txt" in suffixes:
        return Yolo()
    if any(entry.is_dir() for entry in entries):
        return BinaryPng()
    raise AppError(f"{path}: holds no masks.", _HINT)


def survey(reader: MaskReader) -> Generator[int, None, tuple[Found, ...]]:
    """What is in the masks, ascending by value; yields how many frames were looked at. AppError: a damaged one."""
    pixels: Counter[int] = Counter()
    frames: Counter[int] = Counter()
    for done, frame in enumerate(reader.frames, 1):
        counts = np.bincount(reader.mask(frame).ravel(), minlength=256)
        for value in np.flatnonzero(counts).tolist():
            pixels[value] += int(counts[value])
            frames[value] += 1
        yield done
    found = []
    for value in sorted(set(pixels) - {0, IGNORE}):
        label = reader.labels.get(value)
        text, color = (label.text, label.color) if label else ("", None)
        found.append(Found(value, text, color, frames[value], pixels[value]))
    return tuple(found)


def suggest(found: Sequence[Found], objects: Sequence[ObjectInfo], used: Collection[int] = ()) -> dict[int, int]:
    """Which object every thing may become: value -> object id. The caller may decide otherwise.

    A thing called like an object is it; one that has a number only, or its number and its class, is the object of this
    number. All others become new objects, under their own number where it is free. Things for which no number is left
    are not in the result.

    Args:
        used: ids that were given out once and may not be used for new objects.
    """
    by_name = {_plain(info.name): info.object_id for info in reversed(objects)}
    classes = {info.object_id: _plain(info.category) for info in objects}
    ids = set(classes)
    chosen: dict[int, int] = {}
    for thing in found:
        known = by_name.get(_plain(thing.text)) if thing.text else None
        if known is None and thing.value in ids and _plain(thing.text) in ("", classes[thing.value]):
            known = thing.value
        if known is not None and known not in chosen.values():
            chosen[thing.value] = known
    for thing in found:
        if thing.value not in chosen:
            taken = ids | set(used) | set(chosen.values())
            free = [thing.value, *range(1, MAX_OBJECT_ID + 1)]
            number = next((number for number in free if number not in taken), None)
            if number is not None:
                chosen[thing.value] = number
    return dict(sorted(chosen.items()))


def _plain(text: str) -> str:
    """A name as it is compared: file names have underscores for spaces."""
    return text.casefold().replace("_", " ")


class MappedMasks(Mapping[int, IndexMask]):
    """frame -> uint8 [H, W] in object ids, decoded when it is asked for.

    Args:
        objects: value in the masks -> object id; other things are left out. The ignored area stays 255.
    """

    def __init__(self, reader: MaskReader, objects: Mapping[int, int]) -> None:
        self._reader = reader
        self._frames = frozenset(reader.frames)
        self._table = np.zeros(256, np.uint8)
        self._table[IGNORE] = IGNORE
        self._table[list(objects)] = list(objects.values())

    def __getitem__(self, frame: int) -> IndexMask:
        """Raises AppError when the file has become unreadable."""
        if frame not in self._frames:
            raise KeyError(frame)
        return np.asarray(cv2.LUT(self._reader.mask(frame), self._table), np.uint8)

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._frames))

    def __len__(self) -> int:
        return len(self._frames)
