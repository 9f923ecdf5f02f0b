"""COCO instance annotations (Lin et al., ECCV 2014): one JSON with run-length coded masks.

Every annotation carries the object's number as `track_id`, so that objects stay themselves from frame to frame.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from storage.exchange import rle
from storage.exchange.format import Label, MaskFormat
from storage.exchange.loose_json import (
    int_of,
    list_of,
    objects_of,
    points_of,
    read_json,
    text_of,
    wrap,
    write_json,
)
from storage.exchange.material import Material, class_of, make_folder
from storage.exchange.values import number_things
from storage.json_fields import Json, require
from storage.mask_folder import NamedFrames, examples, frame_numbers, some
from util.errors import AppError
from util.raster import polygon
from util.types import IndexMask, Size

FILE = "annotations.json"
PICTURES = "images"

_Key = tuple[str, int]
_NO_MASK = "is no mask"


@dataclass(frozen=True)
class CocoReader:
    """Later annotations of a picture lie over earlier ones."""

    path: Path
    size: Size
    annotations: Mapping[int, Sequence[tuple[int, str, dict[str, Json]]]]  # frame -> (value, where, segmentation)
    labels: Mapping[int, Label]
    notes: Sequence[str]
    title: str = "COCO JSON"

    @property
    def frames(self) -> Sequence[int]:
        return list(self.annotations)

    def mask(self, frame: int) -> IndexMask:
        mask = np.zeros(self.size, np.uint8)
        with wrap(self.path):
            for value, where, item in self.annotations[frame]:
                mask[_region(item["segmentation"], self.size, f"{where}segmentation")] = value
        return mask


class Coco(MaskFormat):
    name = "coco"
    title = "COCO JSON"
    about = "annotations.json with a run-length coded mask per object and frame (pycocotools reads it)"
    options = frozenset({"frames"})

    def write(self, material: Material, target: Path) -> Iterator[int]:
        pictures = make_folder(target / PICTURES) if material.with_frames else make_folder(target)
        images: list[Json] = []
        annotations: list[Json] = []
        for frame in material.wanted:
            images.append({
                "id": frame, "file_name": material.picture_name(frame), "height": material.size.height,
                "width": material.size.width, "frame_index": frame, "video": material.name,
            })
            mask = material.mask(frame)
            for info in material.objects:
                region = mask == info.object_id
                if region.any():
                    entry = _annotation(region, len(annotations) + 1, frame)
                    entry["category_id"] = material.classes.index(class_of(info)) + 1
                    entry["track_id"], entry["name"] = info.object_id, info.name
                    annotations.append(entry)
            if material.with_frames:
                material.write_picture(frame, pictures)
            yield frame
        write_json(target / FILE, {
            "info": {"description": material.name, "fps": round(float(material.frames.source.rate), 6)},
            "images": images,
            "categories": [{"id": i, "name": name, "supercategory": ""} for i, name in enumerate(material.classes, 1)],
            "annotations": annotations,
        })

    def open(self, path: Path, frames: NamedFrames) -> CocoReader:
        file = path / FILE if path.is_dir() else path
        with wrap(file):
            return _parse(read_json(file), file, frames)


def _annotation(region: NDArray[np.bool_], number: int, image: int) -> dict[str, Json]:
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return {
        "id": number,
        "image_id": image,
        "segmentation": {"size": list[Json](region.shape), "counts": rle.encode(region)},
        "area": int(np.count_nonzero(region)),
        "bbox": [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1],
        "iscrowd": 0,
    }


def _parse(content: Json, file: Path, frames: NamedFrames) -> CocoReader:
    """Raises ValueError, and AppError for pictures of another video."""
    frame_of_image = _images(content, file, frames)
    names = {int_of(item, "id", at): text_of(item, "name", at) for at, item in objects_of(content, "categories")}
    found: list[tuple[int, _Key, str, dict[str, Json]]] = []
    texts: dict[_Key, str] = {}
    left_out = 0
    for at, item in objects_of(content, "annotations"):
        image, category = int_of(item, "image_id", at), int_of(item, "category_id", at)
        require(image in frame_of_image, f"{at}image_id", f"({image}) is not among the images")
        require(category in names, f"{at}category_id", f"({category}) is not among the categories")
        if not item.get("segmentation"):
            left_out += 1
            continue
        track = _track(item)
        key = ("class", category) if track is None else ("track", track)
        name = item.get("name")
        texts.setdefault(key, name if track is not None and isinstance(name, str) and name else names[category])
        found.append((frame_of_image[image], key, at, item))
    values = number_things(texts, {key: key[1] for key in texts if key[0] == "track"})
    by_frame: dict[int, list[tuple[int, str, dict[str, Json]]]] = {f: [] for f in sorted(frame_of_image.values())}
    for frame, key, at, item in found:
        by_frame[frame].append((values[key], at, item))
    notes = [f"{left_out} annotations without a mask (boxes only) were left out."] if left_out else []
    if any(kind == "class" for kind, _ in texts):
        notes.append("Annotations without a track_id: all of one class are one object.")
    return CocoReader(file, frames.size, by_frame, {values[k]: Label(text) for k, text in texts.items()}, notes)


def _images(content: Json, file: Path, frames: NamedFrames) -> dict[int, int]:
    """Image id -> frame. AppError when none or not all are frames of the video, or a size differs."""
    frame_of = frame_numbers(frames)
    images: dict[int, int] = {}
    strangers: list[str] = []
    for at, item in objects_of(content, "images"):
        name = text_of(item, "file_name", at)
        size = Size(int_of(item, "height", at), int_of(item, "width", at))
        frame = frame_of.get(PurePosixPath(name.replace("\\", "/")).stem)
        if frame is None:
            strangers.append(name)
            continue
        if size != frames.size:
            raise AppError(f"{file}: {name} is {size} pixels, the video is {frames.size}.", "Open the video it is of.")
        number = int_of(item, "id", at)
        require(number not in images and frame not in images.values(), f"{at}id", "or file_name is there twice")
        images[number] = frame
    if strangers or not images:
        raise AppError(
            f"{file}: no frame is called like the image {some(strangers) or '(there is none)'}; the frames of this "
            f"video are called {examples(frames)}.",
            "Open the video that the annotations are of.",
        )
    return images


def _track(item: dict[str, Json]) -> int | None:
    """The number of the object across frames: COCO has no field for it, these are the usual ones."""
    attributes = item.get("attributes")
    for place in (item, attributes if isinstance(attributes, dict) else {}):
        for name in ("track_id", "instance_id"):
            value = place.get(name)
            if type(value) is int:
                return value
    return None


def _region(segmentation: Json, size: Size, where: str) -> NDArray[np.bool_]:
    """bool [H, W] of compressed or plain run lengths or polygons. ValueError."""
    if isinstance(segmentation, dict):
        shape = list_of(segmentation, "size", f"{where}.")
        require(shape == list(size), f"{where}.size", f"must be {list(size)}")
        counts = segmentation.get("counts")
        try:
            if isinstance(counts, str):
                return rle.decode(counts, size)
            require(isinstance(counts, list), f"{where}.counts", _NO_MASK)
            assert isinstance(counts, list)
            runs = [run for run in counts if type(run) is int and 0 <= run < 1 << 40]
            require(len(runs) == len(counts), f"{where}.counts", "must hold whole numbers")
            return rle.decode_runs(np.array(runs, np.int64), size)
        except ValueError as error:
            raise ValueError(f"{where}.counts {error}") from error
    require(isinstance(segmentation, list), where, _NO_MASK)
    assert isinstance(segmentation, list)
    region = np.zeros(size, np.bool_)
    for flat in segmentation:
        require(isinstance(flat, list) and len(flat) >= 6 and len(flat) % 2 == 0, where, "holds no polygon")
        assert isinstance(flat, list)
        pairs: list[Json] = [[x, y] for x, y in zip(flat[::2], flat[1::2], strict=True)]
        patch = polygon(points_of(pairs, where), size)
        region[patch.rect.slices] |= patch.inside
    return region
