"""labelme's JSON: one file per frame, beside its picture.

A part of an object without holes is a polygon, one with holes a `mask` shape (labelme 5.3 and later), so every pixel
comes back. The shapes of one object share its name as label and its number as `group_id`.
"""
from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storage.exchange.contours import fill, rings
from storage.exchange.format import Label, MaskFormat
from storage.exchange.loose_json import int_of, objects_of, points_of, read_json, text_of, wrap, write_json
from storage.exchange.material import Material, make_folder
from storage.exchange.values import number_things
from storage.io_errors import reason
from storage.json_fields import Json, require
from storage.mask_folder import NamedFrames, examples, frame_numbers, some
from storage.project_parts import ObjectInfo
from util.errors import AppError
from util.types import IndexMask, Size

_VERSION = "5.5.0"
_AREAS = ("polygon", "mask", "rectangle")
_Key = tuple[str, int]


@dataclass(frozen=True)
class LabelmeReader:
    """Later shapes lie over earlier ones, as labelme draws them."""

    files: Mapping[int, Path]
    size: Size
    values: Mapping[_Key, int]
    labels: Mapping[int, Label]
    notes: Sequence[str]
    title: str = "labelme"

    @property
    def frames(self) -> Sequence[int]:
        return list(self.files)

    def mask(self, frame: int) -> IndexMask:
        mask = np.zeros(self.size, np.uint8)
        file = self.files[frame]
        with wrap(file):
            for at, shape in _shapes(file, self.size):
                kind = text_of(shape, "shape_type", at)
                key = _key(shape, at)
                if kind in _AREAS:
                    require(key in self.values, f"{at}label", "was not there when the file was first read")
                    mask[_region(kind, shape, at, self.size)] = self.values[key]
        return mask


class Labelme(MaskFormat):
    name = "labelme"
    title = "labelme JSON"
    about = "One JSON per frame with polygons; a part with holes is a mask shape (labelme 5.3 or later)"
    options = frozenset({"frames"})

    def write(self, material: Material, target: Path) -> Iterator[int]:
        make_folder(target)
        for frame in material.wanted:
            mask = material.mask(frame)
            shapes: list[Json] = []
            for info in material.objects:
                shapes += _shapes_of(info, mask == info.object_id)
            write_json(target / f"{material.frames.stem(frame)}.json", {
                "version": _VERSION, "flags": {}, "shapes": shapes, "imagePath": material.picture_name(frame),
                "imageData": None, "imageHeight": material.size.height, "imageWidth": material.size.width,
            })
            if material.with_frames:
                material.write_picture(frame, target)
            yield frame

    def open(self, path: Path, frames: NamedFrames) -> LabelmeReader:
        files = _json_files(path, frames)
        keys: dict[_Key, None] = {}
        others: set[str] = set()
        for file in files.values():
            with wrap(file):
                for at, shape in _shapes(file, frames.size):
                    kind = text_of(shape, "shape_type", at)
                    if kind in _AREAS:
                        keys[_key(shape, at)] = None
                    else:
                        others.add(kind)
        with wrap(path):
            values = number_things(keys, {key: key[1] for key in keys})
        notes = [f"Shapes that are no areas were left out: {', '.join(sorted(others))}."] if others else []
        return LabelmeReader(files, frames.size, values, {values[key]: Label(key[0]) for key in keys}, notes)


def _shapes_of(info: ObjectInfo, region: NDArray[np.bool_]) -> list[Json]:
    shapes: list[Json] = []
    with_holes = np.zeros_like(region)
    for outline, holes in rings(region):
        if holes:
            with_holes |= fill([outline, *holes], Size(*region.shape))
        else:
            shapes.append(_shape(info, "polygon", outline.tolist()))
    if with_holes.any():
        rows, columns = np.flatnonzero(with_holes.any(axis=1)), np.flatnonzero(with_holes.any(axis=0))
        left, top, right, bottom = (int(v) for v in (columns[0], rows[0], columns[-1], rows[-1]))
        shape = _shape(info, "mask", [[left, top], [right, bottom]])
        shape["mask"] = _packed(with_holes[top : bottom + 1, left : right + 1])
        shapes.append(shape)
    return shapes


def _shape(info: ObjectInfo, kind: str, points: list[Json]) -> dict[str, Json]:
    if kind == "polygon" and len(points) < 3:  # labelme refuses fewer; a corner may be there twice
        points = (points * 3)[:3]
    return {
        "label": info.name, "points": points, "group_id": info.object_id, "description": info.category,
        "shape_type": kind, "flags": {}, "mask": None,
    }


def _packed(region: NDArray[np.bool_]) -> str:
    file = io.BytesIO()
    Image.fromarray(region.astype(np.uint8) * 255).convert("1").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def _json_files(path: Path, frames: NamedFrames) -> dict[int, Path]:
    """frame -> JSON file, in order. AppError: none, or of frames that the video does not have."""
    try:
        files = [path] if path.is_file() else [f for f in path.iterdir() if f.suffix == ".json"]
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the path.") from error
    frame_of = frame_numbers(frames)
    strangers = sorted(file.name for file in files if file.stem not in frame_of)
    if strangers or not files:
        raise AppError(
            f"{path}: no frame is called like {some(strangers) or 'a JSON file here'}; the frames of this video are "
            f"called {examples(frames)}.",
            "Open the video that the shapes are of.",
        )
    return dict(sorted((frame_of[file.stem], file) for file in files))


def _shapes(file: Path, size: Size) -> Iterator[tuple[str, dict[str, Json]]]:
    """(place, shape) of a file of this size. ValueError, and AppError."""
    content = read_json(file)
    require(isinstance(content, dict), "the file", "must be a JSON object")
    assert isinstance(content, dict)
    found = Size(int_of(content, "imageHeight", ""), int_of(content, "imageWidth", ""))
    require(found == size, "imageWidth", f"and imageHeight say {found}, the video is {size}")
    yield from objects_of(content, "shapes")


def _key(shape: dict[str, Json], at: str) -> _Key:
    """What makes an object: its label, and its group where it has one."""
    group = shape.get("group_id")
    require(group is None or type(group) is int, f"{at}group_id", "must be null or a whole number")
    return text_of(shape, "label", at), group if isinstance(group, int) else 0


def _region(kind: str, shape: dict[str, Json], at: str, size: Size) -> NDArray[np.bool_]:
    """bool [H, W] of a shape. ValueError."""
    points = np.rint(np.array(points_of(shape.get("points"), f"{at}points"))).astype(np.int32).reshape(-1, 2)
    is_fitting = len(points) >= 3 if kind == "polygon" else len(points) == 2
    require(is_fitting, f"{at}points", "are too few or too many")
    if kind == "polygon":
        return fill([points], size)
    left, top = points.min(axis=0).tolist()
    right, bottom = points.max(axis=0).tolist()
    if kind == "rectangle":
        return fill([np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.int32)], size)
    part = _unpacked(text_of(shape, "mask", at), at)
    is_inside = min(left, top) >= 0 and right < size.width and bottom < size.height
    require(is_inside and part.shape == (bottom - top + 1, right - left + 1), f"{at}mask", "does not fit its points")
    region = np.zeros(size, np.bool_)
    region[top : bottom + 1, left : right + 1] = part
    return region


def _unpacked(text: str, at: str) -> NDArray[np.bool_]:
    """bool [h, w] of a PNG in base64. ValueError."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as image:
            return np.asarray(image.convert("L")) > 0
    except (binascii.Error, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"field {at}mask holds no PNG ({reason(error)})") from error
