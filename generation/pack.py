"""One file with everything training clips are cut from: pictures, label maps and the objects in them.

    python -m generation.pack --images FOLDER --out train.npz [--side 256] [--quality 90] [--split train]

Pictures are stretched to squares, so that a batch of them is one tensor; their aspect ratio is kept beside them. At
side 224 and quality 85 the whole of six sets (2,283 photographs) stays below 35 MB, small enough to travel to a
borrowed machine. Arrays only: a pack is read without unpickling anything.
"""
from __future__ import annotations

import argparse
import sys
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.object_sets import compact, object_sets
from generation.procedural import procedural_scenes, random_shape
from generation.stills import WHOLE_SETS, Split, find_stills, read_still, square
from util.errors import AppError
from util.types import ImageU8, IndexMask

PROCEDURAL, SHAPES = "procedural", "shapes"
"""Set names of scenes made from nothing, and of random shapes cut out of photographs."""

_MIN_PIXELS = 60


@dataclass(frozen=True)
class Pack:
    """The arrays of a pack file. I images, M label maps, C objects.

    Args:
        images, image_ends: JPEG files one after another, uint8; where each ends, int64 [I].
        maps, map_ends: PNG label maps in the same way.
        aspect: width / height before stretching, float32 [I].
        object_image, object_map, object_set: which picture, map and set each object is of, int32 [C].
        object_bits: the labels that make it, bit by bit, uint64 [C].
        object_box: left, top, right, bottom, as shares of the picture, float32 [C, 4].
        object_area, object_rim: share of the picture, and of its border, that the object covers, float32 [C].
        sets: names, in the order of `object_set`.
    """

    images: NDArray[np.uint8]
    image_ends: NDArray[np.int64]
    maps: NDArray[np.uint8]
    map_ends: NDArray[np.int64]
    aspect: NDArray[np.float32]
    object_image: NDArray[np.int32]
    object_map: NDArray[np.int32]
    object_set: NDArray[np.int32]
    object_bits: NDArray[np.uint64]
    object_box: NDArray[np.float32]
    object_area: NDArray[np.float32]
    object_rim: NDArray[np.float32]
    sets: NDArray[np.str_]

    def decoded_images(self) -> NDArray[np.uint8]:
        """RGB, [I, side, side, 3]."""
        files = np.split(self.images, self.image_ends[:-1])
        return np.stack([_decode(file, cv2.IMREAD_COLOR) for file in files])[..., ::-1]

    def decoded_maps(self) -> NDArray[np.uint8]:
        """[M, side, side]."""
        return np.stack([_decode(file, cv2.IMREAD_GRAYSCALE) for file in np.split(self.maps, self.map_ends[:-1])])

    def save(self, path: Path) -> None:
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})


def load_pack(path: Path) -> Pack:
    """Raises AppError if the file is missing or is no pack."""
    try:
        with np.load(path) as arrays:
            return Pack(**{field.name: arrays[field.name] for field in fields(Pack)})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise AppError(f"{path} is no pack of training pictures: {error}", "Make one: python -m generation.pack") from error


class _Builder:
    """Collects pictures, maps and objects of one side length."""

    def __init__(self, side: int, quality: int, rng: np.random.Generator) -> None:
        self.side = side
        self.rng = rng
        self.photos: list[ImageU8] = []
        self._quality = quality
        self._images: list[NDArray[np.uint8]] = []
        self._maps: list[NDArray[np.uint8]] = []
        self._aspect: list[float] = []
        self._objects: list[tuple[int, int, int, int, tuple[float, ...], float, float]] = []
        self._sets: list[str] = []

    def add_picture(self, set_name: str, image: ImageU8, aspect: float) -> int:
        jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self._quality])[1]
        self._images.append(jpeg.ravel())
        self._aspect.append(aspect)
        if set_name not in self._sets:
            self._sets.append(set_name)
        return len(self._images) - 1

    def add_map(self, labels: IndexMask) -> int:
        self._maps.append(cv2.imencode(".png", labels)[1].ravel())
        return len(self._maps) - 1

    def add_objects(self, set_name: str, picture: int, index: int, labels: IndexMask, sets: list[frozenset[int]]) -> None:
        if set_name not in self._sets:
            self._sets.append(set_name)
        for members in sets:
            inside = np.isin(labels, list(members))
            if np.count_nonzero(inside) < _MIN_PIXELS:
                continue
            ys, xs = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
            box = (xs[0] / self.side, ys[0] / self.side, (xs[-1] + 1) / self.side, (ys[-1] + 1) / self.side)
            rim = float(np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]]).mean())
            bits = sum(1 << label for label in members)
            self._objects.append((picture, index, self._sets.index(set_name), bits, box, float(inside.mean()), rim))

    def add(self, set_name: str, image: ImageU8, labels: IndexMask, aspect: float) -> None:
        labels = compact(labels)
        picture, index = self.add_picture(set_name, image, aspect), self.add_map(labels)
        whole = set_name in WHOLE_SETS
        self.add_objects(set_name, picture, index, labels, object_sets(labels, self.rng, with_whole=whole))

    def finish(self) -> Pack:
        picture, index, which, bits, box, area, rim = zip(*self._objects, strict=True)
        return Pack(
            *_joined(self._images),
            *_joined(self._maps),
            np.asarray(self._aspect, np.float32),
            np.asarray(picture, np.int32),
            np.asarray(index, np.int32),
            np.asarray(which, np.int32),
            np.asarray(bits, np.uint64),
            np.asarray(box, np.float32),
            np.asarray(area, np.float32),
            np.asarray(rim, np.float32),
            np.asarray(self._sets),
        )


def build_pack(
    folder: Path, split: Split, *, side: int = 256, quality: int = 90, scenes: int = 300, shapes: int = 600
) -> Pack:
    """Pack one split of a folder of stills.

    Args:
        scenes: procedural scenes to add. shapes: random shapes to cut out of photographs, to be pasted into clips.
    """
    rng = np.random.default_rng(0)
    builder = _Builder(side, quality, rng)
    for set_name, file in find_stills(folder, split):
        still = read_still(set_name, file)
        height, width = still.labels.shape
        image = square(still.image, side)
        builder.photos.append(image)
        builder.add(set_name, image, square(still.labels, side), width / height)
    for image, labels in procedural_scenes(scenes, rng, side, builder.photos):
        builder.add(PROCEDURAL, image, labels, 1.0)
    for _ in range(shapes):
        labels = random_shape(rng, side)
        index = builder.add_map(labels)
        for picture in rng.integers(len(builder.photos), size=2):
            builder.add_objects(SHAPES, int(picture), index, labels, [frozenset({1})])
    return builder.finish()


def _joined(files: list[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    return np.concatenate(files), np.cumsum([len(file) for file in files]).astype(np.int64)


def _decode(file: NDArray[np.uint8], flag: int) -> NDArray[np.uint8]:
    picture = cv2.imdecode(file, flag)
    if picture is None:
        raise AppError("A picture in the pack is damaged.", "Make the pack anew: python -m generation.pack")
    return np.asarray(picture, np.uint8)


def main() -> int:
    parser = argparse.ArgumentParser(description="Pack stills with label maps into one file for training.")
    parser.add_argument("--images", type=Path, required=True, help="folder of SET/NAME.jpg with SET/NAME.png beside it")
    parser.add_argument("--out", type=Path, required=True, help="file to write (.npz)")
    parser.add_argument("--split", choices=["train", "heldout"], default="train")
    parser.add_argument("--side", type=int, default=256, help="side of the stored squares")
    parser.add_argument("--quality", type=int, default=90, help="of the JPEG files in the pack")
    given = parser.parse_args()
    try:
        pack = build_pack(given.images, given.split, side=given.side, quality=given.quality)
        pack.save(given.out)
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    counts = np.bincount(pack.object_set, minlength=len(pack.sets))
    objects = ", ".join(f"{name} {count}" for name, count in zip(pack.sets, counts, strict=True))
    size = given.out.stat().st_size / 1e6
    print(f"{len(pack.aspect)} pictures, {len(pack.map_ends)} maps, {size:.1f} MB; objects: {objects}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
