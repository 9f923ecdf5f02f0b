"""Masks of other programs: recognised, surveyed, mapped to objects; what is damaged is told with its file."""
from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image, ImageDraw

from storage.exchange import formats
from storage.exchange.format import MaskReader
from storage.exchange.import_masks import Found, MappedMasks, open_masks, suggest, survey
from storage.exchange.pictures import main_colors
from storage.exchange.rle import encode, encode_runs
from storage.mask_io import write_mask
from storage.project_parts import ObjectInfo
from tests.synthetic import SyntheticVideo
from util.errors import AppError
from util.palette import davis_palette
from util.types import Size

T = TypeVar("T")


@dataclass(frozen=True)
class Names:
    """A video as far as an import needs it."""

    size: Size = Size(40, 60)
    count: int = 4

    def __len__(self) -> int:
        return self.count

    def stem(self, frame: int) -> str:
        return f"{frame:05d}"


NAMES = Names()


def end_of(steps: Generator[int, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            value: T = stop.value
            return value


def load(path: Path, fallback: int = 0) -> tuple[MaskReader, tuple[Found, ...]]:
    reader = end_of(open_masks(path, NAMES, fallback))
    return reader, end_of(survey(reader))


def region(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    found = np.zeros(NAMES.size, bool)
    found[top:bottom, left:right] = True
    return found


def coco(**changes: object) -> dict[str, object]:
    box = region(5, 6, 25, 20)
    content: dict[str, object] = {
        "images": [{"id": 7, "file_name": "some/00001.jpg", "height": 40, "width": 60}],
        "categories": [{"id": 3, "name": "dog"}, {"id": 4, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "segmentation": {"size": [40, 60], "counts": encode(box)}},
            {"id": 2, "image_id": 7, "category_id": 4, "segmentation": [[30, 10, 40, 10, 40, 20, 30, 20]]},
            {"id": 3, "image_id": 7, "category_id": 4, "bbox": [0, 0, 3, 3]},
        ],
    }
    return {**content, **changes}


def put(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_coco_of_another_program(tmp_path: Path) -> None:
    reader, found = load(put(tmp_path / "a.json", coco()))
    assert list(reader.frames) == [1]
    mask = reader.mask(1)
    assert np.array_equal(mask == 1, region(5, 6, 25, 20)) and np.array_equal(mask == 2, region(30, 10, 40, 20))
    assert [(thing.value, thing.text, thing.num_frames, thing.num_pixels) for thing in found] == [
        (1, "dog", 1, 280), (2, "cat", 1, 100),
    ]
    assert any("boxes only" in note for note in reader.notes) and any("track_id" in note for note in reader.notes)


def test_coco_plain_runs_and_tracks(tmp_path: Path) -> None:
    box = region(5, 6, 25, 20)
    plain = {"size": [40, 60], "counts": encode_runs(box).tolist()}
    entry = {"image_id": 7, "category_id": 3, "segmentation": plain, "attributes": {"track_id": 12}}
    reader, found = load(put(tmp_path / "a.json", coco(annotations=[entry])))
    assert [(thing.value, thing.text) for thing in found] == [(12, "dog")]
    assert np.array_equal(reader.mask(1) == 12, box)


def _broken_coco() -> list[tuple[str, object, str]]:
    base = coco()
    annotations = base["annotations"]
    assert isinstance(annotations, list)
    first = annotations[0]
    image = {"id": 7, "file_name": "00001.jpg", "height": 40, "width": 60}

    def with_mask(mask: object) -> object:
        return coco(annotations=[{**first, "segmentation": mask}])

    return [
        ("list", [], "neither COCO"),
        ("no images", {**coco(), "images": None}, "images"),
        ("other size", coco(images=[{**image, "width": 61}]), "the video is"),
        ("stranger", coco(images=[{**image, "file_name": "x.jpg"}]), "no frame is called"),
        ("twice", coco(images=[image, image]), "twice"),
        ("image id", coco(annotations=[{**first, "image_id": 9}]), "not among the images"),
        ("category", coco(annotations=[{**first, "category_id": 9}]), "not among the categories"),
        ("true as id", coco(annotations=[{**first, "image_id": True}]), "whole number"),
        ("annotation", coco(annotations=[5]), "JSON object"),
        ("counts", with_mask({"size": [40, 60], "counts": "oo0"}), "counts"),
        ("huge counts", with_mask({"size": [40, 60], "counts": [10**30]}), "counts"),
        ("size", with_mask({"size": [10**9, 10**9], "counts": "0"}), "size"),
        ("number", with_mask(5), "is no mask"),
        ("polygon", with_mask([[1, 2, 3]]), "polygon"),
        ("text", with_mask([["a"] * 6]), "numbers"),
    ]


@pytest.mark.parametrize(("content", "message"), [case[1:] for case in _broken_coco()],
                         ids=[case[0] for case in _broken_coco()])
def test_damaged_coco_names_the_file(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(AppError, match=message) as error:
        load(put(tmp_path / "bad.json", content))
    assert "bad.json" in error.value.message


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe\x00", b'{"annotations": NaN}', b"[" * 100_000])
def test_no_json(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(data)
    with pytest.raises(AppError, match=r"bad\.json"):
        load(tmp_path / "bad.json")


def paint(scale: int = 4) -> Image.Image:
    """Two antialiased discs in colours that are no palette's."""
    big = Image.new("RGB", (60 * scale, 40 * scale))
    draw = ImageDraw.Draw(big)
    draw.ellipse([4 * scale, 4 * scale, 28 * scale, 28 * scale], fill=(255, 0, 0))
    draw.ellipse([30 * scale, 10 * scale, 52 * scale, 32 * scale], fill=(30, 220, 90))
    return big.resize((60, 40), Image.Resampling.BILINEAR)


def test_antialiased_colours_are_snapped_and_told(tmp_path: Path) -> None:
    for frame in (0, 2):
        paint().save(tmp_path / f"{frame:05d}.png")
    reader, found = load(tmp_path)
    assert {thing.color for thing in found} == {(255, 0, 0), (30, 220, 90)} and list(reader.frames) == [0, 2]
    assert all(abs(thing.num_pixels / 2 - np.pi * r**2) < 40 for thing, r in zip(found, (12, 11), strict=True))
    assert found[0].text == "#ff0000"


def test_edges_and_noise_are_no_objects_and_small_objects_are() -> None:
    red, green = (255, 0, 0), (0, 255, 0)
    edges = {(128, 0, 0): 20, (120, 130, 0): 9, (250, 4, 3): 400}
    blocks = {(0, 0, 0): 9999, red: 1000, green: 800, **edges, (0, 0, 255): 1}
    assert main_colors(blocks) == ([red, green, (0, 0, 255)], 3)


def test_transparent_pictures_and_palette_colours_keep_their_numbers(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[..., 0] = 255  # red under full transparency is background
    pixels[10:20, 10:20] = (*davis_palette()[2].tolist(), 255)
    pixels[25:35, 30:50] = (12, 200, 250, 255)
    Image.fromarray(pixels).save(tmp_path / "00003.png")
    _, found = load(tmp_path)
    assert {(thing.value, thing.num_pixels) for thing in found} == {(1, 200), (2, 100)}


def test_a_photograph_is_no_mask(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    Image.fromarray(np.kron(rng.integers(0, 255, (20, 30, 3)), np.ones((2, 2, 1))).astype(np.uint8)).save(
        tmp_path / "00000.png"
    )
    with pytest.raises(AppError, match="colours"):
        load(tmp_path)


def test_one_picture_goes_to_its_frame_or_the_one_asked_for(tmp_path: Path) -> None:
    write_mask(tmp_path / "00002.png", np.full(NAMES.size, 5, np.uint8))
    write_mask(tmp_path / "other.png", np.full(NAMES.size, 5, np.uint8))
    assert list(load(tmp_path / "00002.png", 1)[0].frames) == [2]
    assert list(load(tmp_path / "other.png", 1)[0].frames) == [1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "holds no masks"),
        (lambda path: (path / "00000.png").write_bytes(b"no"), "00000.png"),
        (lambda path: write_mask(path / "00000.png", np.ones((4, 4), np.uint8)), "4x4"),
        (lambda path: (path / "00000.txt").write_text("0 0.1 0.1 0.2"), "no polygon"),
        (lambda path: (path / "00000.txt").write_text("0 nan 0.1 0.2 0.3 0.4 0.5"), "no polygon"),
        (lambda path: (path / "00000.txt").write_text("999 0 0 1 0 1 1"), "class 999"),
        (lambda path: (path / "00000.txt").write_text("dog 0 0 1 0 1 1"), "not `class"),
        (lambda path: (path / "zzz.txt").write_text("0 0 0 1 0 1 1"), "no frame"),
        (lambda path: (path / "00000.txt").write_bytes(b"\xff\xff"), "no text file"),
        (lambda path: put(path / "00000.json", {"imageHeight": 40}), "imageWidth"),
        (lambda path: put(path / "00000.json", {"imageHeight": 4, "imageWidth": 60, "shapes": []}), "the video is"),
        (lambda path: (path / "sub").mkdir(), "no PNG masks"),
        (lambda path: (path / "Annotations").mkdir(), "cannot be told"),
    ],
)
def test_what_cannot_be_read_names_the_place(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    make(folder)
    with pytest.raises(AppError, match=message) as error:
        load(folder)
    assert "given" in error.value.message


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"shape_type": "mask", "points": [[0, 0], [3, 3]], "mask": "!"}, "no PNG"),
        ({"shape_type": "mask", "points": [[0, 0], [3, 3]], "mask": "AAAA"}, "no PNG"),
        ({"shape_type": "mask", "points": [[0, 0], [3, 3]], "mask": None}, "no text"),
        ({"shape_type": "polygon", "points": [[0, 0]]}, "too few"),
        ({"shape_type": "polygon", "points": [[0, 0, 1]]}, "pairs of numbers"),
        ({"shape_type": "polygon", "points": 3}, "points"),
        ({"label": 3}, "label"),
        ({"group_id": "a"}, "group_id"),
    ],
)
def test_damaged_labelme(tmp_path: Path, shape: dict[str, object], message: str) -> None:
    whole = {"label": "a", "group_id": None, "shape_type": "polygon", "points": [[0, 0], [9, 0], [9, 9]], **shape}
    put(tmp_path / "00000.json", {"imageHeight": 40, "imageWidth": 60, "shapes": [whole]})
    with pytest.raises(AppError, match=message) as error:
        load(tmp_path)
    assert "00000.json" in error.value.message


def test_labelme_of_another_program(tmp_path: Path) -> None:
    shapes = [
        {"label": "dog", "group_id": None, "shape_type": "rectangle", "points": [[4, 4], [9, 9]]},
        {"label": "dog", "group_id": None, "shape_type": "polygon", "points": [[20.2, 4], [30.4, 4], [30, 14]]},
        {"label": "x", "group_id": None, "shape_type": "point", "points": [[4, 4]]},
    ]
    put(tmp_path / "00001.json", {"imageHeight": 40, "imageWidth": 60, "shapes": shapes})
    reader, found = load(tmp_path)
    assert [(thing.value, thing.text) for thing in found] == [(1, "dog")] and "point" in reader.notes[0]
    assert reader.mask(1)[4:10, 4:10].all()


@pytest.mark.parametrize(
    "line", ["0 1 1 40", "0 1001 1 40 61 0", "9 1001 1 40 60 0", "a b c d e f", "0 1001 1 40 60 oo"]
)
def test_damaged_mots(tmp_path: Path, line: str) -> None:
    (tmp_path / "gt.txt").write_text(line + "\n")
    with pytest.raises(AppError, match=r"gt\.txt"):
        load(tmp_path / "gt.txt")


def test_mots_ignores_its_ignored_area_and_numbers_by_class(tmp_path: Path) -> None:
    box, rest = encode(region(0, 0, 9, 9)), encode(region(20, 20, 30, 30))
    (tmp_path / "gt.txt").write_text(f"2 2005 2 40 60 {box}\n2 1005 1 40 60 {rest}\n3 10000 10 40 60 {box}\n")
    reader, found = load(tmp_path / "gt.txt")
    assert [(thing.value, thing.text) for thing in found] == [(1, "class 2"), (2, "class 1")]
    assert list(reader.frames) == [2, 3] and (reader.mask(3)[:9, :9] == 255).all()


def test_every_export_is_recognised(synthetic_video: SyntheticVideo, tmp_path: Path, synthetic_folder: Path) -> None:
    from storage.exchange.material import Material
    from storage.frame_source import open_source
    from storage.frame_store import FrameStore

    frames = FrameStore(open_source(synthetic_folder))
    objects = tuple(ObjectInfo(i, f"thing {i}") for i in (1, 2, 3))
    material = Material(frames, lambda frame: synthetic_video.masks[frame], objects, range(3))
    for fmt in formats.MASK_FORMATS:
        target = tmp_path / fmt.name
        assert list(fmt.write(material, target)) == [0, 1, 2]
        reader = end_of(open_masks(target, frames, 0))
        found = end_of(survey(reader))
        chosen = suggest(found, objects)
        assert chosen == {1: 1, 2: 2, 3: 3}, fmt.name
        masks = MappedMasks(reader, {1: 9, 3: 3})
        assert list(masks) == [0, 1, 2] and set(np.unique(masks[0])) == {0, 3, 9}
        assert np.array_equal(masks[2] == 9, synthetic_video.masks[2] == 1)
    with pytest.raises(KeyError):
        masks[3]
    frames.close()


def test_suggestions() -> None:
    found = [Found(value, text, None, 1, 1) for value, text in ((1, ""), (2, "Big_dog"), (5, "big dog"), (6, ""))]
    objects = [ObjectInfo(1, "cat"), ObjectInfo(4, "big dog")]
    assert suggest(found, objects, used=range(1, 6)) == {1: 1, 2: 4, 5: 6, 6: 7}
    assert suggest(found, objects) == {1: 1, 2: 4, 5: 5, 6: 6}
    assert suggest([Found(4, "wolf", None, 1, 1)], [ObjectInfo(4, "x", "wolf")]) == {4: 4}, "its class is as good"
    crowd = [Found(value, "", None, 1, 1) for value in range(1, 255)]
    assert 254 not in suggest([*crowd, Found(254, "x", None, 1, 1)][1:], objects, used=range(1, 255)).values()
