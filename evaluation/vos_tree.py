"""The sequences of a data set with the objects that are given, everything checked before anything is computed."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from evaluation.vos_layout import Layout, Place, find_layout
from evaluation.youtube_meta import META_NAME, VideoMeta, read_meta
from interact.annotations import object_ids
from storage.image_folder import ImageFolderSource
from storage.mask_folder import mask_files, some
from storage.mask_io import read_mask
from util.errors import AppError
from util.types import IGNORE, IndexMask, Size
from util.vos_config import VosConfig

_SHOWN = 20
"""Complaints that are printed."""


@dataclass(frozen=True)
class VosSequence:
    """One sequence.

    Args:
        images: folder of its frames.
        truth: stem -> mask file, in order; of a test set only those that are given.
        starts: object -> stem of the frame where it is given, or seen first; in the order of the ids.
        wanted: stems of the frames whose masks are scored or handed in, in order.
        is_binary: all objects are one.
        categories: object -> its class, where the data set says so.
    """

    name: str
    images: Path
    truth: Mapping[str, Path]
    starts: Mapping[int, str]
    wanted: tuple[str, ...]
    is_binary: bool
    categories: Mapping[int, str] = field(default_factory=dict)

    def read_truth(self, stem: str) -> IndexMask:
        """uint8 [H, W]. AppError when the file cannot be read."""
        return self._merged(read_mask(self.truth[stem]))

    def read_result(self, file: Path) -> IndexMask:
        """uint8 [H, W] of a result, read as the truth is."""
        return self._merged(read_mask(file))

    def given(self) -> dict[str, IndexMask]:
        """Stem -> uint8 [H, W] with the objects that begin there and nothing else, in order of the frames."""
        masks = {}
        for stem in (stem for stem in self.truth if stem in self.starts.values()):
            mask = self.read_truth(stem)
            ids = [object_id for object_id, start in self.starts.items() if start == stem]
            masks[stem] = np.where(np.isin(mask, ids), mask, 0).astype(np.uint8)
        return masks

    def _merged(self, mask: IndexMask) -> IndexMask:
        return np.where((mask > 0) & (mask != IGNORE), 1, mask).astype(np.uint8) if self.is_binary else mask


@dataclass(frozen=True)
class VosTree:
    """A data set. `seen`: classes that the training set shows too, None where that is not known."""

    layout: Layout
    sequences: tuple[VosSequence, ...]
    seen: frozenset[str] | None


def open_tree(config: VosConfig) -> VosTree:
    """Find and check everything that a run or a score reads.

    Raises:
        AppError: the layout is another; or one message with a line for everything that is wrong: frames that cannot be
            read or differ in size, masks that are missing, damaged, of another size or of no frame, objects that are
            not where meta.json says.
    """
    layout = find_layout(config)
    videos = None if layout.meta is None else read_meta(layout.meta)
    sequences, complaints = [], []
    for place in layout.places:
        try:
            sequences.append(_open(place, config, None if videos is None else videos.get(place.name)))
        except AppError as error:
            complaints.append(str(error))
    if complaints:
        more = [f"and {len(complaints) - _SHOWN} more"] if len(complaints) > _SHOWN else []
        raise AppError("\n  ".join([f"{config.root}: nothing was run:", *complaints[:_SHOWN], *more]))
    return VosTree(layout, tuple(sequences), _seen(layout))


def _open(place: Place, config: VosConfig, video: VideoMeta | None) -> VosSequence:
    source = ImageFolderSource(place.images)
    stems = [source.stem(frame) for frame in range(len(source))]
    wanted = tuple(stems)
    if place.scored != place.images:
        scored = ImageFolderSource(place.scored)
        wanted = tuple(scored.stem(frame) for frame in range(len(scored)))
        _check_names(place.scored, wanted, stems)
    is_given = config.task == "semi"
    truth = mask_files(place.masks) if is_given or place.masks.is_dir() else {}
    _check_names(place.masks, tuple(truth), stems)
    if is_given:
        _check_first(place, config, truth, stems[0])
    for file in truth.values():
        _check_size(file, source.size)
    bare = VosSequence(place.name, place.images, truth, {}, wanted, config.dataset == "davis16")
    if not config.dataset.startswith("youtube"):
        return replace(bare, starts=_first_seen(place, bare, only_first=is_given and config.dataset != "folder"))
    if video is None:
        raise AppError(f"{place.images}: {META_NAME} says nothing about this video.", "Is it of the same subset?")
    sequence = replace(bare, starts=video.starts, categories=video.categories)
    _check_meta(place, sequence)
    return sequence


def _first_seen(place: Place, sequence: VosSequence, *, only_first: bool) -> dict[int, str]:
    starts: dict[int, str] = {}
    for stem in list(sequence.truth)[: 1 if only_first else None]:
        for object_id in object_ids(sequence.read_truth(stem)):
            starts.setdefault(object_id, stem)
    if sequence.truth and not starts:
        raise AppError(f"{place.masks}: no object is marked in {next(iter(sequence.truth))}.png.", "Check the masks.")
    return dict(sorted(starts.items()))


def _check_names(folder: Path, names: Sequence[str], stems: Sequence[str]) -> None:
    known = set(stems)
    strangers = [name for name in names if name not in known]
    if strangers:
        raise AppError(f"{folder}: no frame is called like {some(strangers)} (they are {stems[0]} to {stems[-1]}).")


def _check_first(place: Place, config: VosConfig, truth: Mapping[str, Path], first: str) -> None:
    if not truth:
        raise AppError(f"{place.masks}: holds no PNG masks.", "The first one is needed at least.")
    if config.dataset.startswith("davis") and first not in truth:
        raise AppError(f"{place.masks / first}.png: no such file.", "The objects are given on the first frame.")


def _check_size(file: Path, size: Size) -> None:
    """From the header alone; masks that a run starts from are read as a whole besides."""
    try:
        with Image.open(file, formats=("PNG",)) as image:
            found = Size(image.height, image.width)
    except (OSError, SyntaxError, ValueError) as error:
        raise AppError(f"{file}: cannot be read as a picture.", "Unpack it again.") from error
    if found != size:
        raise AppError(f"{file}: is {found} pixels, its frame is {size}.", "Take both of one resolution.")


def _check_meta(place: Place, sequence: VosSequence) -> None:
    """Every object is in the mask where meta.json lets it begin."""
    for object_id, stem in sequence.starts.items():
        if stem not in sequence.truth:
            raise AppError(
                f"{place.masks / stem}.png: no such file; {META_NAME} says that object {object_id} begins there."
            )
        if object_id not in object_ids(sequence.read_truth(stem)):
            raise AppError(f"{sequence.truth[stem]}: does not show object {object_id}, which {META_NAME} says.")


def _seen(layout: Layout) -> frozenset[str] | None:
    """Classes of the training set, which may lie beside the subset."""
    if layout.meta is None:
        return None
    places = (layout.meta.parent.parent / "train" / META_NAME, layout.meta.parent / "train" / META_NAME)
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        return None
    return frozenset(category for video in read_meta(file).values() for category in video.categories.values())
