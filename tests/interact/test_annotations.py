"""Masks that people bring along: matched to frames by name, checked, refused with names and numbers."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interact.annotations import load_annotations, object_ids
from storage.mask_folder import mask_files, some
from storage.mask_io import write_mask
from util.errors import AppError
from util.types import IndexMask, Size

SIZE = Size(20, 30)


class Video:
    """Ten frames called like those of a video file."""

    size = SIZE

    def __len__(self) -> int:
        return 10

    def stem(self, frame: int) -> str:
        return f"{frame:05d}"


def mask_of(*object_ids: int, size: Size = SIZE) -> IndexMask:
    mask = np.zeros(size, np.uint8)
    for object_id in object_ids:
        mask[object_id % size.height, :5] = object_id
    return mask


def folder_of(folder: Path, **masks: IndexMask) -> Path:
    folder.mkdir(exist_ok=True)
    for name, mask in masks.items():
        write_mask(folder / f"{name.removeprefix('m')}.png", mask)
    return folder


def test_folder_in_order_of_frames(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "masks", m00007=mask_of(1), m00002=mask_of(2, 254), m00003=mask_of())
    loaded = load_annotations(folder, Video(), range(10))
    assert list(loaded) == [2, 3, 7]
    assert np.array_equal(loaded[2], mask_of(2, 254))


def test_masks_outside_the_range_are_left_aside(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "masks", m00002=mask_of(1), m00004=mask_of(2), m00008=mask_of(3))
    assert list(load_annotations(folder, Video(), range(4, 8))) == [4]


def test_no_mask_in_the_range(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "masks", m00002=mask_of(1))
    with pytest.raises(AppError, match=r"00004 to 00007 .*00002\.png"):
        load_annotations(folder, Video(), range(4, 8))


def test_one_file_is_for_the_first_wanted_frame(tmp_path: Path) -> None:
    write_mask(tmp_path / "dog.png", mask_of(1))
    assert list(load_annotations(tmp_path / "dog.png", Video(), range(10))) == [0]
    assert list(load_annotations(tmp_path / "dog.png", Video(), range(3, 5))) == [3]


@pytest.mark.parametrize("name", ["2", "0002", "000002", "frame_00002", "00010"])
def test_names_must_match_exactly(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path / "masks", m00001=mask_of(1), **{f"m{name}": mask_of(1)})
    with pytest.raises(AppError, match=rf"like the mask {name}\.png; .* 00000\.png to 00009\.png"):
        load_annotations(folder, Video(), range(10))


def test_many_wrong_names_are_summed_up(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "masks", **{f"m{i}": mask_of(1) for i in range(8)})
    with pytest.raises(AppError, match=r"0\.png, 1\.png, 2\.png, 3\.png, 4\.png and 3 more;"):
        load_annotations(folder, Video(), range(10))


def test_wrong_size_names_file_and_sizes(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "masks", m00001=mask_of(1), m00002=mask_of(1, size=Size(20, 29)))
    with pytest.raises(AppError, match=r"00002\.png.* 29x20 .* 30x20"):
        load_annotations(folder, Video(), range(10))


def test_too_many_objects(tmp_path: Path) -> None:
    wide = np.arange(600, dtype=np.uint16).reshape(SIZE) // 2
    Image.fromarray(wide).save(tmp_path / "m.png")
    with pytest.raises(AppError, match=r"m\.png: .*299.* 1 to 254"):
        load_annotations(tmp_path / "m.png", Video(), range(10))


def test_nothing_annotated(tmp_path: Path) -> None:
    nothing, ignore = mask_of(), mask_of()
    ignore[0, 0] = 255
    ignore[0, 1] = 255
    folder = folder_of(tmp_path / "masks", m00001=nothing)
    with pytest.raises(AppError, match="no object is marked"):
        load_annotations(folder, Video(), range(10))


def test_binary_mask_is_object_one(tmp_path: Path) -> None:
    Image.fromarray(mask_of(1) * 255).save(tmp_path / "m.png")
    assert np.array_equal(load_annotations(tmp_path / "m.png", Video(), range(10))[0], mask_of(1))


def test_missing_path(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="absent: no such file or folder"):
        load_annotations(tmp_path / "absent", Video(), range(10))


def test_folder_without_masks(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(AppError, match="holds no PNG masks"):
        load_annotations(tmp_path, Video(), range(10))


def test_damaged_mask_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "masks", m00001=mask_of(1), m00002=mask_of(1))
    (folder / "00002.png").write_bytes(b"no picture")
    with pytest.raises(AppError, match=r"00002\.png"):
        load_annotations(folder, Video(), range(10))


def test_hidden_and_other_files_are_no_masks(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "masks", m00001=mask_of(1))
    (folder / "._00001.png").write_bytes(b"left by another system")
    (folder / "readme.txt").touch()
    (folder / "sub.png").mkdir()
    assert list(mask_files(folder)) == ["00001"]


def test_two_masks_of_one_frame(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "masks", m00001=mask_of(1))
    (folder / "00001.PNG").write_bytes((folder / "00001.png").read_bytes())
    if len(list(folder.iterdir())) == 1:
        pytest.skip("the file system does not tell upper from lower case")
    with pytest.raises(AppError, match="of the same frame"):
        mask_files(folder)


def test_object_ids_leave_out_background_and_ignore() -> None:
    mask = mask_of(3, 254)
    mask[0, 0] = 255
    assert object_ids(mask) == {3, 254}


def test_some() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefg")) == "a, b, c, d, e and 2 more"
