"""Where the public data sets keep frames, masks and lists of sequences. Looks at folders and lists, at no picture.

    davis16, davis17   JPEGImages/480p/NAME, Annotations/480p/NAME, ImageSets/2016|2017/SUBSET.txt
    youtube18, 19      SUBSET/JPEGImages/NAME, SUBSET/Annotations/NAME, SUBSET/meta.json; all_frames/SUBSET_all_frames
    long               JPEGImages/NAME, Annotations/NAME, some frames annotated
    folder             the same (or images and masks), NAME/images and NAME/masks, or one sequence: images and masks
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.youtube_meta import META_NAME
from storage.image_folder import IMAGE_SUFFIXES, natural_key
from storage.io_errors import reason
from util.errors import AppError
from util.vos_config import VosConfig

_IMAGE_NAMES, _MASK_NAMES = ("JPEGImages", "images"), ("Annotations", "masks")
_RESOLUTION = "480p"


@dataclass(frozen=True)
class Place:
    """One sequence: a folder of frames and a folder of masks, which may not exist.

    Args:
        scored: folder of the frames that the server wants, where `images` has more.
    """

    name: str
    images: Path
    masks: Path
    scored: Path


@dataclass(frozen=True)
class Layout:
    """All sequences of one subset.

    Args:
        subset: for names of files.
        meta: what YouTube-VOS says about the objects; None for other data sets.
        note: what a person should know about the choice of sequences; empty when nothing is unusual.
    """

    subset: str
    places: tuple[Place, ...]
    meta: Path | None = None
    note: str = ""


def find_layout(config: VosConfig) -> Layout:
    """The sequences that are asked for, in natural order. AppError where the layout is another."""
    if not config.root.is_dir():
        raise AppError(f"--root {config.root}: no such folder.", "Name the folder of the data set.")
    if config.dataset.startswith("davis"):
        layout = _davis(config)
    elif config.dataset.startswith("youtube"):
        layout = _youtube(config)
    else:
        layout = _plain(config)
    if config.sequences is None:
        return layout
    known = {place.name: place for place in layout.places}
    unknown = [name for name in config.sequences if name not in known]
    if unknown:
        raise AppError(f"{config.root}: has no sequence {', '.join(unknown)}.", f"It has {', '.join(known)}.")
    return Layout(layout.subset, tuple(known[name] for name in config.sequences), layout.meta, layout.note)


def subset_name(config: VosConfig) -> str:
    return config.subset or ("valid" if config.dataset.startswith("youtube") else "val")


def _davis(config: VosConfig) -> Layout:
    year, subset = f"20{config.dataset[-2:]}", subset_name(config)
    images, masks = (_must(config.root / name / _RESOLUTION) for name in ("JPEGImages", "Annotations"))
    unsupervised = config.root / "Annotations_unsupervised" / _RESOLUTION
    if config.task == "unsupervised" and unsupervised.is_dir():
        masks = unsupervised
    lists = config.root / "ImageSets"
    files = [lists / year / f"{subset}.txt", lists / _RESOLUTION / f"{subset}.txt"][: 2 if year == "2016" else 1]
    note = ""
    if lists.is_dir():
        names = _listed(files)
    else:
        names, note = _folders(images), f"{config.root} has no ImageSets: all its sequences count as {subset}."
    return Layout(subset, tuple(Place(n, images / n, masks / n, images / n) for n in names), None, note)


def _youtube(config: VosConfig) -> Layout:
    subset = subset_name(config)
    folder = config.root if (config.root / META_NAME).is_file() else config.root / subset
    scored, masks = _must(folder / "JPEGImages"), _must(folder / "Annotations")
    if not (folder / META_NAME).is_file():
        raise AppError(f"{folder / META_NAME}: no such file.", "It says which objects appear in which frames.")
    images = scored
    if config.all_frames:
        name = f"{subset}_all_frames"
        around = (config.root, config.root.parent)
        found = [f / "JPEGImages" for base in around for f in (base / "all_frames" / name, base / name)]
        images = next((path for path in found if path.is_dir()), found[0])
        _must(images)
    places = tuple(Place(name, images / name, masks / name, scored / name) for name in _folders(scored))
    return Layout(subset, places, folder / META_NAME)


def _plain(config: VosConfig) -> Layout:
    root, subset = config.root, subset_name(config)
    images, masks = _either(root, _IMAGE_NAMES), _either(root, _MASK_NAMES)
    if images is None or masks is None:
        places = [Place(n, root / n / "images", root / n / "masks", root / n / "images") for n in _folders(root)]
        places = [place for place in places if place.images.is_dir() and place.masks.is_dir()]
        if not places:
            raise AppError(f"{root}: holds neither JPEGImages and Annotations nor NAME/images and NAME/masks.")
        return Layout(subset, tuple(places))
    if any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in _entries(images)):
        return Layout(subset, (Place(root.absolute().name, images, masks, images),))
    lists = [file for file in (root / "ImageSets" / f"{subset}.txt", root / f"{subset}.txt") if file.is_file()]
    names = _listed(lists) if lists else _folders(masks)
    return Layout(subset, tuple(Place(n, images / n, masks / n, images / n) for n in names))


def _either(root: Path, names: Sequence[str]) -> Path | None:
    found = next((root / name for name in names if (root / name).is_dir()), None)
    return found / _RESOLUTION if found is not None and (found / _RESOLUTION).is_dir() else found


def _must(folder: Path) -> Path:
    if not folder.is_dir():
        raise AppError(f"{folder}: no such folder.", "Check --root, --dataset and --subset.")
    return folder


def _folders(folder: Path) -> list[str]:
    names = [entry.name for entry in _entries(folder) if entry.is_dir() and not entry.name.startswith(".")]
    if not names:
        raise AppError(f"{folder}: holds no sequences.", "Check --root, --dataset and --subset.")
    return sorted(names, key=natural_key)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise AppError(f"{folder}: cannot be read ({reason(error)}).", "Check the path.") from error


def _listed(files: Sequence[Path]) -> list[str]:
    """Names from the first list that is there: one per line, or, in that of 2016, a frame and its mask per line."""
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        raise AppError(f"{files[0]}: no such list.", f"Other lists: {_other_lists(files[0].parent)}; see --subset.")
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AppError(f"{file}: cannot be read ({error}).", "Check the file.") from error
    firsts = [line.split()[0] for line in lines if line.strip()]
    names = dict.fromkeys(first.split("/")[-2] if "/" in first else first for first in firsts)
    if not names:
        raise AppError(f"{file}: names no sequence.", "Check the file.")
    return list(names)


def _other_lists(folder: Path) -> str:
    return ", ".join(sorted(file.stem for file in folder.glob("*.txt"))) or "none"
