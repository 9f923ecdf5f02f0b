"""Masks as pictures: index PNG, the YouTube-VOS layout, and a binary PNG for every object."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storage.atomic_file import disk_error, write_atomic
from storage.exchange.format import Label, MaskFormat
from storage.exchange.loose_json import items_of, read_json, text_of, wrap, write_json
from storage.exchange.material import Material, class_of, folder_name, make_folder
from storage.image_folder import natural_key
from storage.io_errors import reason
from storage.json_fields import Json, require
from storage.mask_folder import NamedFrames, files_by_frame, some
from storage.mask_io import encode_mask, read_mask
from util.errors import AppError
from util.palette import file_palette
from util.types import MAX_OBJECT_ID, IndexMask, Size

ANNOTATIONS = "Annotations"
PICTURES = "JPEGImages"
META = "meta.json"


@dataclass(frozen=True)
class PngReader:
    """One index mask per frame."""

    files: Mapping[int, Path]
    size: Size
    title: str = "index PNG"
    labels: Mapping[int, Label] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def frames(self) -> Sequence[int]:
        return list(self.files)

    def mask(self, frame: int) -> IndexMask:
        return read_mask(self.files[frame], self.size)


def _write_index(material: Material, folder: Path) -> Iterator[int]:
    make_folder(folder)
    palette = file_palette(material.own_colors)
    for frame in material.wanted:
        mask = material.mask(frame, keep_ignore=True)
        write_atomic(folder / f"{material.frames.stem(frame)}.png", encode_mask(mask, palette))
        yield frame


class IndexPng(MaskFormat):
    name = "index-png"
    title = "Index PNG"
    about = "One palette PNG per frame; a pixel's value is its object's number (DAVIS)"
    keeps_ignore = True

    def write(self, material: Material, target: Path) -> Iterator[int]:
        return _write_index(material, target)

    def open(self, path: Path, frames: NamedFrames) -> PngReader:
        return PngReader(files_by_frame(path, frames), frames.size)


class YouTubeVos(MaskFormat):
    """Annotations/<video>/<frame>.png with meta.json, as YouTube-VOS lays them out (Xu et al., ECCV 2018)."""

    name = "youtube-vos"
    title = "YouTube-VOS"
    about = "Annotations and meta.json in the layout of YouTube-VOS; with the frames also JPEGImages"
    options = frozenset({"frames"})
    keeps_ignore = True

    def write(self, material: Material, target: Path) -> Iterator[int]:
        shown: dict[int, list[str]] = {info.object_id: [] for info in material.objects}
        pictures = target / PICTURES / material.name
        if material.with_frames:
            make_folder(pictures)
        for frame in _write_index(material, target / ANNOTATIONS / material.name):
            for object_id in np.unique(material.mask(frame)).tolist():
                if object_id:
                    shown[object_id].append(material.frames.stem(frame))
            if material.with_frames:
                material.write_picture(frame, pictures)
            yield frame
        objects: dict[str, Json] = {
            str(info.object_id): {"category": class_of(info), "frames": list[Json](shown[info.object_id])}
            for info in material.objects
            if shown[info.object_id]
        }
        write_json(target / META, {"videos": {material.name: {"objects": objects}}})

    def open(self, path: Path, frames: NamedFrames) -> PngReader:
        folder = _video_folder(path, frames)
        files = files_by_frame(folder, frames)
        meta = path / META
        labels = _labels(meta, folder.name) if meta.exists() else {}
        return PngReader(files, frames.size, self.title, labels)

    def join(self, stage: Path, target: Path) -> None:
        """The folder may hold other videos: they stay in meta.json."""
        old = target / META
        if old.exists():
            with wrap(old):
                videos = {**_videos(read_json(old)), **_videos(read_json(stage / META))}
            write_json(stage / META, {"videos": videos})


def _video_folder(path: Path, frames: NamedFrames) -> Path:
    """The folder of this video's masks; AppError when it cannot be told."""
    folders = sorted(entry for entry in (path / ANNOTATIONS).iterdir() if entry.is_dir()) if path.is_dir() else []
    name = getattr(getattr(frames, "source", None), "name", None)
    named = [folder for folder in folders if folder.name == name]
    if len(named or folders) != 1:
        found = some([folder.name for folder in folders]) or "nothing"
        raise AppError(
            f"{path / ANNOTATIONS}: holds masks of {found}; which of them belong to this video cannot be told.",
            "Choose the folder of one video.",
        )
    return (named or folders)[0]


def _videos(content: Json) -> dict[str, Json]:
    require(isinstance(content, dict), "the file", "must be a JSON object")
    assert isinstance(content, dict)
    return items_of(content, "videos", "")


def _labels(meta: Path, video: str) -> dict[int, Label]:
    labels: dict[int, Label] = {}
    with wrap(meta):
        entry = _videos(read_json(meta)).get(video)
        if isinstance(entry, dict):
            for key, item in items_of(entry, "objects", f"videos.{video}.").items():
                require(key.isascii() and key.isdecimal() and 1 <= int(key) <= MAX_OBJECT_ID, key, "is no object id")
                require(isinstance(item, dict), key, "must be a JSON object")
                assert isinstance(item, dict)
                labels[int(key)] = Label(text_of(item, "category", f"{key}."))
    return labels


@dataclass(frozen=True)
class BinaryReader:
    """A folder of binary masks per object. Where two claim a pixel, the lower id has it."""

    files: Mapping[int, Mapping[int, Path]]  # object id -> frame -> file
    size: Size
    labels: Mapping[int, Label]
    title: str = "binary PNG"
    notes: Sequence[str] = ()

    @property
    def frames(self) -> Sequence[int]:
        return sorted({frame for files in self.files.values() for frame in files})

    def mask(self, frame: int) -> IndexMask:
        mask = np.zeros(self.size, np.uint8)
        for object_id, files in reversed(list(self.files.items())):
            if frame in files:
                mask[read_mask(files[frame], self.size) > 0] = object_id
        return mask


class BinaryPng(MaskFormat):
    name = "binary-png"
    is_per_object = True
    title = "Binary PNG per object"
    about = "A folder for every object, with one black-and-white PNG per frame"

    def write(self, material: Material, target: Path) -> Iterator[int]:
        folders = {info.object_id: make_folder(target / folder_name(info)) for info in material.objects}
        for frame in material.wanted:
            mask = material.mask(frame)
            for object_id, folder in folders.items():
                save_png((mask == object_id).astype(np.uint8) * 255, folder / f"{material.frames.stem(frame)}.png")
            yield frame

    def open(self, path: Path, frames: NamedFrames) -> BinaryReader:
        folders = object_folders(path)
        files = {object_id: files_by_frame(folder, frames) for object_id, folder in folders.items()}
        labels = {i: Label(re.sub(r"^\d+_?", "", folder.name) or folder.name) for i, folder in folders.items()}
        return BinaryReader(files, frames.size, labels)


def object_folders(path: Path) -> dict[int, Path]:
    """Object id -> its folder, ascending: by the number its name begins with, else in order. AppError: none."""
    try:
        folders = [entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the path.") from error
    folders.sort(key=lambda folder: natural_key(folder.name))
    numbers = [int(match[0]) if (match := re.match(r"\d+", folder.name)) else 0 for folder in folders]
    if len(set(numbers)) < len(numbers) or any(not 1 <= number <= MAX_OBJECT_ID for number in numbers):
        numbers = list(range(1, len(folders) + 1))
    if not 1 <= len(folders) <= MAX_OBJECT_ID:
        raise AppError(
            f"{path}: holds {len(folders)} folders of objects; 1 to {MAX_OBJECT_ID} are read.",
            "Expected: one folder per object, with a black-and-white PNG per frame.",
        )
    return dict(sorted(zip(numbers, folders, strict=True)))


def save_png(pixels: NDArray[np.uint8] | NDArray[np.uint16], path: Path) -> None:
    """Grey or colour of 8 bits, grey of 16. AppError when it cannot be written."""
    try:
        Image.fromarray(pixels).save(path, compress_level=1)
    except OSError as error:
        raise disk_error(error, path) from error
