"""Miniature data sets in the layouts of the public ones, made of the synthetic video."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.synthetic import SyntheticVideo
from util.palette import davis_palette
from util.types import IndexMask


def save_mask(file: Path, mask: IndexMask) -> None:
    """A palette PNG, as the public data sets have it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(mask, np.uint8))
    image.putpalette(davis_palette().tobytes())
    image.save(file)


def davis_tree(root: Path, video: SyntheticVideo, names: tuple[str, ...] = ("first", "second")) -> Path:
    """DAVIS 2017: the same sequence under several names, with the list `val`."""
    for name in names:
        video.write_frames(root / "JPEGImages" / "480p" / name)
        video.write_masks(root / "Annotations" / "480p" / name)
    lists = root / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return root


def youtube_tree(root: Path, video: SyntheticVideo, *, starts: dict[int, int] | None = None) -> Path:
    """YouTube-VOS: one video of which every third frame is in `valid`, all in `all_frames`, all masks annotated.

    Args:
        starts: object -> the frame where it begins; before that it is in no mask.
    """
    starts = starts or {1: 0, 2: 6, 3: 0}
    stems = [f"{number:05d}" for number in range(0, len(video), 3)]
    folder = root / "valid"
    video.write_frames(root / "all_frames" / "valid_all_frames" / "JPEGImages" / "clip")
    for number, mask in enumerate(video.masks):
        if number % 3 == 0:
            image = folder / "JPEGImages" / "clip" / f"{number:05d}.png"
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(video.frames[number]).save(image)
            hidden = [object_id for object_id, start in starts.items() if start > number]
            save_mask(folder / "Annotations" / "clip" / f"{number:05d}.png", np.where(np.isin(mask, hidden), 0, mask))
    categories = {1: "dog", 2: "kite", 3: "dog"}
    objects = {
        str(i): {"category": categories[i], "frames": [stem for stem in stems if int(stem) >= start]}
        for i, start in starts.items()
    }
    write_meta(folder, {"clip": objects})
    write_meta(root / "train", {"other": {"1": {"category": "dog", "frames": ["00000"]}}})
    return root


def write_meta(folder: Path, videos: dict[str, dict[str, dict[str, object]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"videos": {name: {"objects": objects} for name, objects in videos.items()}}
    (folder / "meta.json").write_text(json.dumps(content), encoding="utf-8")
