"""Where frames come from: the protocol of a source, and which source reads a path."""
from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from storage.image_folder import IMAGE_SUFFIXES, ImageFolderSource
from storage.video_file import VIDEO_SUFFIXES, VideoFileSource
from util.errors import AppError
from util.types import ImageU8, Size

__all__ = ["IMAGE_SUFFIXES", "VIDEO_SUFFIXES", "FrameSource", "is_video_path", "open_source"]


class FrameSource(Protocol):
    """The frames of one video, numbered from 0. Not thread safe: `FrameStore` is what the program reads through.

    Attributes:
        path: the folder or file.
        name: the folder's name or the file's stem.
        size: of every frame as shown: rotation, EXIF orientation and pixel aspect applied.
        rate: frames per second; the average where the rate varies, 24 for a folder of images.
    """

    path: Path
    name: str
    size: Size
    rate: Fraction

    def __len__(self) -> int: ...

    def stem(self, frame: int) -> str:
        """What files about this frame are called: the image's stem, or the number in five digits for a video."""
        ...

    def time(self, frame: int) -> float:
        """Seconds from the first frame."""
        ...

    def read(self, frame: int) -> ImageU8:
        """Decode one frame: uint8 [H, W, 3], RGB. Raises IndexError out of range, AppError when it is unreadable."""
        ...

    def walk(self, frame: int, keep: int = 1) -> Generator[tuple[int, ImageU8 | None], None, None]:
        """Decode `frame` and hand out what is met on the way to it.

        Getting at a frame of a video means decoding all those since the last key frame. Whoever caches frames takes
        them along, which makes stepping backwards as cheap as forwards, and may stop between two of them (close the
        iterator) when something more urgent comes up: what was decoded so far is not decoded again by the next walk.

        Args:
            frame: the last one handed out.
            keep: how many frames, `frame` included, are wanted as images. Those before are None: converting them to RGB
                would cost more time than decoding them.

        Returns:
            Pairs of a frame number and its image, numbers ascending up to `frame`. Raises what `read` raises.
        """
        ...

    def fingerprint(self) -> str:
        """A hash, cheap to compute, that tells another video apart; the path does not enter it."""
        ...

    def close(self) -> None: ...


def is_video_path(path: Path) -> bool:
    """Whether the name is that of a video file."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def open_source(path: Path) -> FrameSource:
    """Open a folder of images or a video file. AppError when it is neither or cannot be read."""
    if path.is_dir():
        return ImageFolderSource(path)
    if not path.exists():
        raise AppError(f"{path} does not exist.", "Check the spelling.")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise AppError(f"{path} is a single image.", "Open the folder that holds the images of the video.")
    if not is_video_path(path):
        raise AppError(
            f"{path} does not look like a video.",
            f"Folders of images and files ending in {', '.join(VIDEO_SUFFIXES)} are read.",
        )
    return VideoFileSource(path)
