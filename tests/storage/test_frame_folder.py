"""Folders of images: order, formats, orientation, and what is refused."""
from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from storage.frame_source import IMAGE_SUFFIXES, open_source
from storage.image_folder import ImageFolderSource, natural_key
from util.errors import AppError
from util.types import ImageU8, Size

SIZE = Size(6, 10)


def picture(seed: int = 0) -> ImageU8:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def save(path: Path, image: ImageU8 | None = None, **options: object) -> Path:
    Image.fromarray(picture() if image is None else image).save(path, **options)
    return path


def orientation_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def test_frames_are_sorted_as_a_person_counts(tmp_path: Path) -> None:
    names = ["f1.png", "f2.PNG", "f010.png", "f10a.png", "F11.bmp", "g0.png"]
    for place in random.Random(0).sample(range(len(names)), len(names)):
        save(tmp_path / names[place], picture(place))
    source = open_source(tmp_path)
    assert isinstance(source, ImageFolderSource)
    assert [source.stem(frame) for frame in range(len(source))] == ["f1", "f2", "f010", "f10a", "F11", "g0"]
    assert source.size == SIZE
    assert source.name == tmp_path.name
    assert source.time(0) == 0 and source.time(12) == 0.5
    for frame in range(len(source)):
        np.testing.assert_array_equal(source.read(frame), picture(frame))


@given(st.lists(st.integers(0, 10**6), min_size=2, unique=True))
def test_natural_order_is_that_of_the_numbers(numbers: list[int]) -> None:
    names = sorted((f"take_{number}.png" for number in numbers), key=natural_key)
    assert names == [f"take_{number}.png" for number in sorted(numbers)]


@given(st.lists(st.text(alphabet="aB09.-_²٣", max_size=8), unique=True))
def test_natural_order_is_total(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == sorted(reversed(names), key=natural_key)


@pytest.mark.parametrize("suffix", [*IMAGE_SUFFIXES, ".JPG", ".Png", ".TIFF"])
def test_every_suffix_is_read(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    file_format = {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}.get(
        suffix.lower(), suffix[1:].upper()
    )
    flat = np.full((*SIZE, 3), (200, 100, 50), np.uint8)
    save(file, flat, format=file_format)
    assert np.abs(open_source(tmp_path).read(0).astype(int) - flat).max() <= 3


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._a.jpg").write_bytes(b"resource fork")
    (tmp_path / "b.png").mkdir()
    source = open_source(tmp_path)
    assert [source.stem(frame) for frame in range(len(source))] == ["a"]


def test_grey_palette_and_bilevel_become_rgb(tmp_path: Path) -> None:
    grey = picture()[..., 0]
    Image.fromarray(grey).save(tmp_path / "0.png")
    indexed = Image.fromarray(grey % 4)
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 8, 7)]
    indexed.putpalette([value for color in colors for value in color])
    indexed.save(tmp_path / "1.png", transparency=bytes([0, 128, 255, 255]))
    Image.fromarray(grey > 127).save(tmp_path / "2.png")
    source = open_source(tmp_path)
    np.testing.assert_array_equal(source.read(0), np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_array_equal(source.read(1), np.array(colors, np.uint8)[grey % 4])
    np.testing.assert_array_equal(source.read(2), np.repeat(np.where(grey > 127, 255, 0)[..., None], 3, axis=2))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_alpha_is_dropped_even_where_it_is_zero(tmp_path: Path, suffix: str) -> None:
    rgba = np.dstack([picture(), np.zeros(SIZE, np.uint8)])
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    Image.fromarray(rgba).save(tmp_path / f"a{suffix}", **options)
    np.testing.assert_array_equal(open_source(tmp_path).read(0), picture())


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_keep_their_high_byte(tmp_path: Path, suffix: str, channels: int) -> None:
    values = np.random.default_rng(0).integers(0, 1 << 16, (*SIZE, channels), dtype=np.uint16)
    values[0, :3] = [[0] * channels, [65535] * channels, [0x1234] * channels]
    stored = values[..., [2, 1, 0, 3][:channels]] if channels > 1 else values  # OpenCV stores BGR
    assert cv2.imwrite(str(tmp_path / f"a{suffix}"), stored)
    expected = np.broadcast_to(values[..., :3] >> 8, (*SIZE, 3)).astype(np.uint8)
    np.testing.assert_array_equal(open_source(tmp_path).read(0), expected)


def test_big_endian_sixteen_bits(tmp_path: Path) -> None:
    values = np.arange(60, dtype=">u2").reshape(SIZE) * 1000
    Image.fromarray(values.astype("<u2")).save(tmp_path / "a.tif", big_tiff=False)
    file = tmp_path / "a.tif"
    with Image.open(file) as image:
        assert image.mode.startswith("I;16")
    np.testing.assert_array_equal(open_source(tmp_path).read(0)[..., 0], (values >> 8).astype(np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    # Upright, the picture has a bright top left corner and a half-bright top right one.
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :8] = 250
    upright[:8, 24:] = 120
    to_stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    image = Image.fromarray(np.ascontiguousarray(to_stored(upright)))
    image.save(tmp_path / f"a{suffix}", exif=orientation_exif(orientation), quality=100)
    source = open_source(tmp_path)
    assert source.size == Size(16, 32)
    assert np.abs(source.read(0).astype(int) - upright).max() < 12


def test_senseless_orientation_counts_as_none(tmp_path: Path) -> None:
    save(tmp_path / "a.png", exif=orientation_exif(77))
    np.testing.assert_array_equal(open_source(tmp_path).read(0), picture())


def test_orientation_behind_the_pixels_is_ignored_by_header_and_decoder_alike(tmp_path: Path) -> None:
    file = save(tmp_path / "a.png")
    data = file.read_bytes()
    body = b"eXIf" + orientation_exif(6).removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    end = data.rindex(b"IEND") - 4
    file.write_bytes(data[:end] + chunk + data[end:])
    source = open_source(tmp_path)
    assert source.size == SIZE
    np.testing.assert_array_equal(source.read(0), picture())


def test_sizes_are_compared_as_shown(tmp_path: Path) -> None:
    save(tmp_path / "0.png")
    save(tmp_path / "1.jpg", np.ascontiguousarray(picture().swapaxes(0, 1)), exif=orientation_exif(6))
    assert open_source(tmp_path).size == SIZE


def test_different_sizes_name_both_files(tmp_path: Path) -> None:
    save(tmp_path / "0.png")
    save(tmp_path / "1.png")
    save(tmp_path / "2.png", np.zeros((7, 10, 3), np.uint8))
    with pytest.raises(AppError) as caught:
        open_source(tmp_path)
    for part in ("0.png", "10x6", "2.png", "10x7"):
        assert part in caught.value.message


@pytest.mark.parametrize("names", [("a.png", "a.jpg"), ("a.png", "A.bmp")])
def test_two_images_of_one_stem(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        save(tmp_path / name)
    with pytest.raises(AppError) as caught:
        open_source(tmp_path)
    assert all(name in caught.value.message for name in names)


def test_empty_folder_says_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        open_source(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert all(suffix in caught.value.hint for suffix in IMAGE_SUFFIXES)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\nbroken"])
def test_file_that_is_no_image(tmp_path: Path, content: bytes) -> None:
    save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(content)
    with pytest.raises(AppError, match=r"1\.png"):
        open_source(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp"])
def test_image_cut_off_behind_its_header_fails_when_it_is_read(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    save(tmp_path / f"0{suffix}", noise)
    data = save(tmp_path / f"1{suffix}", noise).read_bytes()
    source = open_source(tmp_path)
    (tmp_path / f"1{suffix}").write_bytes(data[: len(data) // 2])
    source.read(0)
    with pytest.raises(AppError, match=rf"1\{suffix}"):
        source.read(1)


def test_image_that_changes_its_size_fails_when_it_is_read(tmp_path: Path) -> None:
    file = save(tmp_path / "0.png")
    source = open_source(tmp_path)
    save(file, np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(AppError, match="3x3"):
        source.read(0)


def test_float_image_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones(SIZE, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(AppError, match="mode F"):
        open_source(tmp_path).read(0)


def test_fingerprint_tells_another_folder_apart(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "copy", "renamed", "other")]
    for folder in folders:
        folder.mkdir()
    for folder, name, seed in zip(folders, ("a", "a", "b", "a"), (0, 0, 0, 1), strict=True):
        save(folder / f"{name}.png", picture(seed))
    one, copy, renamed, other = (open_source(folder).fingerprint() for folder in folders)
    assert one == copy
    assert len({one, renamed, other}) == 3


def test_real_frames(shared: Path) -> None:
    source = open_source(shared / "data/clips/davis/JPEGImages/480p/blackswan")
    assert (len(source), source.size, source.stem(49)) == (50, Size(480, 854), "00049")
    frame = source.read(7)
    assert frame.shape == (480, 854, 3) and frame.std() > 20
