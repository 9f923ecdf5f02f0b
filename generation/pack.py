"""One file with everything training clips are cut from: pictures, label maps and the objects in them.

    python -m generation.pack --images FOLDER --out train.npz [--side 256] [--quality 90] [--split train]

Pictures are stretched to squares, so that a batch of them is one tensor; their aspect ratio is kept beside them. With
`--side 224 --quality 85` the training split of six sets (1,939 of 2,283 photographs, 300 procedural scenes) takes
34.5 MB, small enough to travel to a borrowed machine; the held-out split 10.9 MB. Arrays only: a pack is read without
unpickling anything.
"""
from __future__ import annotations

import argparse
import io
import sys
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.object_sets import compact, object_sets
from generation.procedural import procedural_scenes, random_shape
from generation.stills import WHOLE_SETS, Split, find_stills, read_still, square
from storage.atomic_file import write_atomic
from util.errors import AppError
from util.flags import integer
from util.types import ImageU8, IndexMask

PROCEDURAL, SHAPES = "procedural", "shapes"
"""Set names of scenes made from nothing, and of random shapes cut out of photographs."""

_MIN_PIXELS = 60
_TIGHT_JPEG = (cv2.IMWRITE_JPEG_OPTIMIZE, 1)
_TIGHT_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT)
"""OpenCV's own choice is half as large again for label maps."""


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
        """RGB, [I, side, side, 3]. Raises AppError if a picture is damaged."""
        return _decoded(self.images, self.image_ends, cv2.IMREAD_COLOR)[..., ::-1]

    def decoded_maps(self) -> NDArray[np.uint8]:
        """[M, side, side]. Raises AppError if a map is damaged."""
        return _decoded(self.maps, self.map_ends, cv2.IMREAD_GRAYSCALE)

    def save(self, path: Path) -> None:
        """Raises AppError if the file cannot be written."""
        file = io.BytesIO()
        np.savez(file, **{field.name: getattr(self, field.name) for field in fields(self)})
        write_atomic(path, file.getvalue())


def load_pack(path: Path) -> Pack:
    """Raises AppError if the file is missing, damaged or no pack."""
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not there" if not path.exists() else "not a complete .npz file")
        with np.load(path) as arrays:
            pack = Pack(**{field.name: arrays[field.name] for field in fields(Pack)})
        _check(pack)
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise AppError(
            f"{path} is no pack of training pictures: {error}", "Make one: python -m generation.pack"
        ) from error
    return pack


def _check(pack: Pack) -> None:
    """Raises ValueError unless the arrays fit each other, so that no index leads out of them later."""
    objects, pictures, maps = len(pack.object_bits), len(pack.image_ends), len(pack.map_ends)
    wanted = {
        "images": ("u1", (pack.images.size,)),
        "image_ends": ("i8", (pictures,)),
        "maps": ("u1", (pack.maps.size,)),
        "map_ends": ("i8", (maps,)),
        "aspect": ("f4", (pictures,)),
        "object_bits": ("u8", (objects,)),
        "object_box": ("f4", (objects, 4)),
        **{name: ("i4", (objects,)) for name in ("object_image", "object_map", "object_set")},
        **{name: ("f4", (objects,)) for name in ("object_area", "object_rim")},
    }
    for name, (kind, shape) in wanted.items():
        array = getattr(pack, name)
        if array.dtype != np.dtype(kind) or array.shape != shape:
            raise ValueError(f"{name} is {array.dtype} {array.shape}")
    if not (objects and pictures and maps):
        raise ValueError("there is nothing in it")
    if pack.sets.dtype.kind != "U" or pack.sets.ndim != 1:
        raise ValueError("sets are no names")
    for ends, size in ((pack.image_ends, pack.images.size), (pack.map_ends, pack.maps.size)):
        if np.any(np.diff(ends, prepend=0) <= 0) or ends[-1] != size:
            raise ValueError("its files do not follow one another")
    for index, count in ((pack.object_image, pictures), (pack.object_map, maps), (pack.object_set, len(pack.sets))):
        if index.min() < 0 or index.max() >= count:
            raise ValueError("an object is of a picture, map or set that is not there")
    shares = (pack.object_box, pack.object_area, pack.object_rim)
    if not (np.all(pack.aspect > 0) and all(np.all((share >= 0) & (share <= 1)) for share in shares)):
        raise ValueError("a size is out of range")


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
        jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self._quality, *_TIGHT_JPEG])[1]
        self._images.append(jpeg.ravel())
        self._aspect.append(aspect)
        if set_name not in self._sets:
            self._sets.append(set_name)
        return len(self._images) - 1

    def add_map(self, labels: IndexMask) -> int:
        self._maps.append(cv2.imencode(".png", labels, _TIGHT_PNG)[1].ravel())
        return len(self._maps) - 1

    def add_objects(
        self, set_name: str, picture: int, index: int, labels: IndexMask, sets: list[frozenset[int]]
    ) -> None:
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
        """Raises AppError if there is no object in any picture."""
        if not self._objects:
            raise AppError("There is no object of at least 1 % of its picture here.", "Choose other pictures.")
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


def _decoded(files: NDArray[np.uint8], ends: NDArray[np.int64], flag: int) -> NDArray[np.uint8]:
    """Files one after another -> squares of one size, [N, side, side] or [N, side, side, 3] BGR."""
    pictures = [cv2.imdecode(file, flag) for file in np.split(files, ends[:-1])]
    side = len(pictures[0]) if pictures[0] is not None else 0
    if any(picture is None or picture.shape[:2] != (side, side) for picture in pictures):
        raise AppError("A picture in the pack is damaged.", "Make the pack anew: python -m generation.pack")
    return np.stack(pictures).astype(np.uint8, copy=False)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m generation.pack", description="Pack stills with label maps into one file for training."
    )
    parser.add_argument("--images", type=Path, required=True, help="folder of SET/NAME.jpg with SET/NAME.png beside it")
    parser.add_argument("--out", type=Path, required=True, help="file to write (.npz)")
    parser.add_argument("--split", choices=["train", "heldout"], default="train")
    parser.add_argument("--side", type=integer(64, 1024), default=256, help="side of the stored squares")
    parser.add_argument("--quality", type=integer(1, 100), default=90, help="of the JPEG files in the pack")
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
