"""Objects to be found by clicks and scribbles: in held-out stills, and in frames of clips.

One fixed rule says which, so that figures can be compared: of every picture the two largest labels that cover 1 to 50 %
of it, and in sets where all labels together are one object (`storage.stills.WHOLE_SETS`), that one. Of a clip, every
tenth frame. Of a limited number of pictures, those at equal distances in the list.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evaluation.correction import find_clips
from interact.annotations import load_annotations
from storage.frame_source import open_source
from storage.stills import WHOLE_SETS, Split, find_stills, read_labelled
from util.types import IGNORE, ImageU8, IndexMask

MIN_SHARE, MAX_SHARE = 0.01, 0.5
OBJECTS_PER_PICTURE = 2
CLIP_STEP = 10

T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """One object in one picture.

    Args:
        set_name: what the figures are averaged over; of clips the name of the data set's folder.
        picture: the still, or sequence and frame.
        label: the object's in its picture.
        image: uint8 [h, w, 3].
        gt: bool [h, w], the object.
        ignored: bool [h, w], pixels nobody labelled: they do not count.
    """

    set_name: str
    picture: str
    label: int
    image: ImageU8
    gt: NDArray[np.bool_]
    ignored: NDArray[np.bool_]

    @property
    def key(self) -> tuple[str, str, int]:
        return self.set_name, self.picture, self.label


def still_samples(folder: Path, split: Split, limit: int | None) -> Iterator[Sample]:
    """Objects of a folder of stills.

    Args:
        limit: at most so many pictures of every set; None: all.

    Raises:
        AppError: no stills there, or one that cannot be read.
    """
    stills = find_stills(folder, split)
    for set_name in dict.fromkeys(name for name, _ in stills):
        for file in spread([file for name, file in stills if name == set_name], limit):
            image, labels = read_labelled(file)
            yield from _objects(set_name, file.stem, image, labels)


def clip_samples(folder: Path, limit: int | None) -> Iterator[Sample]:
    """Objects of the clips of a data set in the DAVIS layout; `limit` frames in all. Raises AppError."""
    frames = []
    for name, images, masks in find_clips(folder):
        with closing(open_source(images)) as source:
            truth = load_annotations(masks, source, range(0, len(source), CLIP_STEP))
            frames += [(name, images, source.stem(frame), frame, mask) for frame, mask in truth.items()]
    for name, images, stem, frame, mask in spread(frames, limit):
        with closing(open_source(images)) as source:
            yield from _objects(folder.absolute().name, f"{name}/{stem}", source.read(frame), mask)


def spread(items: Sequence[T], limit: int | None) -> list[T]:
    """At most `limit` of them, at equal distances."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]


def _objects(set_name: str, picture: str, image: ImageU8, labels: IndexMask) -> Iterator[Sample]:
    ignored = np.asarray(labels == IGNORE, np.bool_)
    if set_name in WHOLE_SETS:
        labels = ((labels > 0) & ~ignored).astype(np.uint8)
    share = np.bincount(labels.ravel(), minlength=256)[:IGNORE] / labels.size
    found = [label for label in range(1, IGNORE) if MIN_SHARE <= share[label] <= MAX_SHARE]
    for label in sorted(found, key=lambda label: -share[label])[:OBJECTS_PER_PICTURE]:
        yield Sample(set_name, picture, label, image, np.asarray(labels == label, np.bool_), ignored)
