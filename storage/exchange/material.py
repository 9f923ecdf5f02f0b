"""What an export is made of: a video, its masks and objects, and which part of them is wanted. Any thread."""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storage.atomic_file import disk_error
from storage.frame_store import FrameStore
from storage.image_folder import ImageFolderSource
from storage.project_parts import ObjectInfo
from util.palette import OwnColors, OwnOpacities
from util.types import IGNORE, ImageU8, IndexMask, Size

JPEG_QUALITY = 95


@dataclass(frozen=True)
class Edge:
    """The edge of a soft matte; see storage/exchange/alpha.py.

    Args:
        feather: pixels, the sigma of its Gaussian; 0 keeps the mask's own hard edge.
        grow: pixels that the mask grows by first; negative shrinks it.
    """

    feather: float = 0.8
    grow: int = 0


@dataclass(frozen=True)
class OverlayLook:
    """How masks are drawn over the video. `opacity`: 0 to 1; `opacities`: of the objects that are drawn fainter."""

    opacity: float = 0.5
    contour: bool = True
    opacities: OwnOpacities = ()


@dataclass(frozen=True)
class Material:
    """See the module.

    Args:
        frames: the video.
        masks: frame -> uint8 [H, W], from any thread.
        objects: those that are exported; pixels of others count as background.
        wanted: frames, not empty.
        with_frames: write the pictures too, where a format has a place for them.
    """

    frames: FrameStore
    masks: Callable[[int], IndexMask]
    objects: tuple[ObjectInfo, ...]
    wanted: range
    with_frames: bool = False
    edge: Edge = Edge()
    look: OverlayLook = OverlayLook()

    @property
    def size(self) -> Size:
        return self.frames.source.size

    @property
    def name(self) -> str:
        """Of the video, for folders and files."""
        return self.frames.source.name

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in order of the objects. An object without a class is one, called like itself."""
        return tuple(dict.fromkeys(map(class_of, self.objects)))

    @property
    def own_colors(self) -> OwnColors:
        return tuple((info.object_id, info.color) for info in self.objects if info.color is not None)

    @cached_property
    def _chosen(self) -> NDArray[np.uint8]:
        table = np.zeros(256, np.uint8)
        ids = [info.object_id for info in self.objects]
        table[ids] = ids
        return table

    def mask(self, frame: int, *, keep_ignore: bool = False) -> IndexMask:
        """uint8 [H, W]: the exported objects; the ignored area is 255 or background."""
        table = self._chosen.copy()
        table[IGNORE] = IGNORE if keep_ignore else 0
        return np.asarray(cv2.LUT(self.masks(frame), table), np.uint8)

    def picture(self, frame: int) -> ImageU8:
        """Decode a frame, uint8 [H, W, 3], with those after it under way."""
        self.frames.prefetch(range(frame + 1, min(frame + 5, self.wanted.stop)))
        return self.frames.get(frame)

    def picture_name(self, frame: int) -> str:
        """What the picture of a frame is called: as it is written, else like its file, else as ffmpeg would."""
        source = self.frames.source
        if isinstance(source, ImageFolderSource) and not self.with_frames:
            return source.file(frame).name
        return f"{source.stem(frame)}.jpg"

    def write_picture(self, frame: int, folder: Path) -> None:
        """As JPEG. AppError when it cannot be written."""
        path = folder / f"{self.frames.stem(frame)}.jpg"
        try:
            Image.fromarray(self.picture(frame)).save(path, quality=JPEG_QUALITY, subsampling=0)
        except OSError as error:
            raise disk_error(error, path) from error


def class_of(info: ObjectInfo) -> str:
    return info.category or info.name


def folder_name(info: ObjectInfo) -> str:
    """`003_white_dog`: the id and what of the name every file system takes."""
    words = re.sub(r"[^\w.-]+", "_", info.name).strip("._")[:60]
    return f"{info.object_id:03d}_{words}".rstrip("_")


def make_folder(path: Path) -> Path:
    """Make a folder and those above it; AppError when that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error
    return path
