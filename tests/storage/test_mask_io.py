"""Reading masks of every origin, writing ours."""
from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from storage.atomic_file import PARTIAL_PREFIX, remove_partials, write_atomic
from storage.mask_io import decode_mask, encode_mask, read_mask, read_stored_values, write_mask
from util.errors import AppError
from util.palette import davis_palette
from util.types import IndexMask, Size

SMALL = Size(60, 80)


def blobs(size: Size = SMALL) -> IndexMask:
    """Objects 1, 2, 5 and 12, two of them touching, on background."""
    mask = np.zeros(size, np.uint8)
    mask[5:30, 5:30] = 1
    mask[5:30, 30:50] = 2
    mask[35:55, 10:40] = 5
    mask[40:50, 60:75] = 12
    return mask


def colored(mask: IndexMask) -> np.ndarray:
    return davis_palette()[mask].copy()


def antialiased(image: np.ndarray) -> np.ndarray:
    """The picture as a program draws it with smooth edges: rendered at four times the size and averaged down."""
    height, width = image.shape[:2]
    big = cv2.resize(image, (width * 4, height * 4), interpolation=cv2.INTER_NEAREST)
    big = np.roll(big, (2, 1), axis=(0, 1))  # edges off the pixel grid
    return cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA)


def save(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


# ---- round trip ----------------------------------------------------------------------------------------------------


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_encoded_mask_reads_back(mask: IndexMask) -> None:
    found = decode_mask(io.BytesIO(encode_mask(mask)), Path("mask.png"))
    assert found.dtype == np.uint8 and found.flags.writeable and found.flags.c_contiguous
    np.testing.assert_array_equal(found, mask)


def test_written_file_is_a_davis_palette_png(tmp_path: Path) -> None:
    mask = blobs()
    write_mask(tmp_path / "a.png", mask)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        palette = image.getpalette()
        assert palette is not None and bytes(palette) == davis_palette().tobytes()
        np.testing.assert_array_equal(np.asarray(image), mask)
    shown = cv2.imread(str(tmp_path / "a.png"))
    assert shown is not None
    np.testing.assert_array_equal(shown[..., ::-1], colored(mask))


def test_nothing_but_ignore_stays_ignore_in_our_own_files(tmp_path: Path) -> None:
    write_mask(tmp_path / "a.png", np.full((4, 4), 255, np.uint8))
    assert read_mask(tmp_path / "a.png").min() == 255


def test_stored_values_need_no_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    mask = blobs()
    mask[0, 0] = 255
    write_mask(path, mask)
    assert read_stored_values(path) == (1, 2, 5, 12, 255)
    path.write_bytes(path.read_bytes()[:330])
    assert read_stored_values(path) == (1, 2, 5, 12, 255)
    path.write_bytes(path.read_bytes()[:42])
    assert read_stored_values(path) is None


def test_stored_values_of_256_are_complete(tmp_path: Path) -> None:
    write_mask(tmp_path / "a.png", np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert read_stored_values(tmp_path / "a.png") == tuple(range(1, 256))


def test_stored_values_are_gone_after_another_program_saved(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_mask(path, blobs())
    with Image.open(path) as image:
        image.load()
        image.save(path)
    assert read_stored_values(path) is None


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_stored_values_of_other_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert read_stored_values(tmp_path / "a.png") is None


# ---- what other programs write ---------------------------------------------------------------------------------------


def test_palette_index_counts_not_its_color(tmp_path: Path) -> None:
    image = Image.fromarray(blobs())
    image.putpalette(bytes(reversed(range(256))) * 3)
    np.testing.assert_array_equal(read_mask(save(image, tmp_path / "a.png")), blobs())


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_grey_is_the_id(tmp_path: Path, suffix: str) -> None:
    np.testing.assert_array_equal(read_mask(save(Image.fromarray(blobs()), tmp_path / f"a.{suffix}")), blobs())


def test_ignore_beside_ids_is_kept(tmp_path: Path) -> None:
    mask = blobs()
    mask[:3] = 255
    np.testing.assert_array_equal(read_mask(save(Image.fromarray(mask), tmp_path / "a.png")), mask)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGB", "RGBA", "I;16"])
def test_binary_is_object_1(tmp_path: Path, mode: str) -> None:
    is_object = blobs() > 0
    white = Image.fromarray(np.where(is_object, 255, 0).astype(np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.where(is_object, 65535, 0).astype(np.uint16))
    elif mode == "P":
        image = white.copy()
        image.putpalette(davis_palette().tobytes())
    else:
        image = white.convert(mode)
    np.testing.assert_array_equal(read_mask(save(image, tmp_path / "a.png")), is_object.astype(np.uint8))


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_deep_grey_with_small_values(tmp_path: Path, dtype: type[np.integer]) -> None:
    image = Image.fromarray(blobs().astype(dtype))
    np.testing.assert_array_equal(read_mask(save(image, tmp_path / "a.tif")), blobs())


def test_sixteen_bit_png_with_small_values(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        read_mask(save(Image.fromarray(blobs().astype(np.uint16)), tmp_path / "a.png")), blobs()
    )


def test_exact_palette_colors(tmp_path: Path) -> None:
    every = np.arange(255, dtype=np.uint8).reshape(15, 17)
    np.testing.assert_array_equal(read_mask(save(Image.fromarray(colored(every)), tmp_path / "a.png")), every)


def test_transparent_pixels_are_background(tmp_path: Path) -> None:
    rgba = np.dstack([colored(blobs()), np.where(blobs() > 0, 255, 0).astype(np.uint8)])
    rgba[blobs() == 0, :3] = 200  # what lies under transparency means nothing
    np.testing.assert_array_equal(read_mask(save(Image.fromarray(rgba), tmp_path / "a.png")), blobs())


def test_grey_with_alpha(tmp_path: Path) -> None:
    pixels = np.dstack([blobs(), np.where(blobs() == 2, 0, 255).astype(np.uint8)])
    expected = np.where(blobs() == 2, 0, blobs())
    np.testing.assert_array_equal(read_mask(save(Image.fromarray(pixels), tmp_path / "a.png")), expected)


def test_grey_ids_saved_as_rgb(tmp_path: Path) -> None:
    image = Image.fromarray(blobs()).convert("RGB")
    np.testing.assert_array_equal(read_mask(save(image, tmp_path / "a.png")), blobs())


def test_antialiased_colors_bring_no_new_objects(tmp_path: Path) -> None:
    soft = antialiased(colored(blobs(Size(240, 320))))
    assert len(np.unique(soft.reshape(-1, 3), axis=0)) > 10
    found = read_mask(save(Image.fromarray(soft), tmp_path / "a.png"))
    assert set(np.unique(found)) == {0, 1, 2, 5, 12}
    assert (found != blobs(Size(240, 320))).mean() < 0.01


def test_half_transparent_edge_that_hits_a_palette_color(tmp_path: Path) -> None:
    image = colored(blobs())
    image[4, 5:30] = (64, 0, 0)  # between black and object 1; also the colour of object 8
    image[30, 6:20] = (70, 3, 0)  # evidence of antialiasing
    found = read_mask(save(Image.fromarray(image), tmp_path / "a.png"))
    assert set(np.unique(found)) == {0, 1, 2, 5, 12}


def test_edge_between_two_objects_never_takes_a_third_from_elsewhere(tmp_path: Path) -> None:
    mask = np.zeros(SMALL, np.uint8)
    mask[10:40, 10:30], mask[10:40, 30:50], mask[50:58, 60:70] = 1, 2, 3
    image = colored(mask)
    image[12:38, 30] = (100, 100, 0)  # red meets green; object 3 is (128, 128, 0)
    found = read_mask(save(Image.fromarray(image), tmp_path / "a.png"))
    assert set(np.unique(found[:45])) == {0, 1, 2}
    assert (found[50:58, 60:70] == 3).all()


def test_single_pixels_of_palette_colors_are_objects_when_nothing_is_antialiased(tmp_path: Path) -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[4, 4] = 8
    np.testing.assert_array_equal(read_mask(save(Image.fromarray(colored(mask)), tmp_path / "a.png")), mask)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_antialiased_binary_is_one_object(tmp_path: Path, mode: str) -> None:
    hard = np.where(blobs(Size(240, 320)) > 0, 255, 0).astype(np.uint8)
    soft = antialiased(hard)
    assert len(np.unique(soft)) > 3
    found = read_mask(save(Image.fromarray(soft).convert(mode), tmp_path / "a.png"))
    np.testing.assert_array_equal(found, (soft >= 128).astype(np.uint8))


def test_feathered_matte_is_one_object(tmp_path: Path) -> None:
    hard = np.zeros((120, 160), np.uint8)
    hard[20:100, 20:140] = 255
    soft = cv2.GaussianBlur(hard, (0, 0), 4)
    found = read_mask(save(Image.fromarray(soft), tmp_path / "a.png"))
    np.testing.assert_array_equal(found, (soft >= 128).astype(np.uint8))


def test_many_small_grey_objects_beside_ignore_are_no_edge(tmp_path: Path) -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[:, 60:] = 255
    for object_id in range(1, 55):
        row, col = divmod(object_id - 1, 9)
        mask[row * 6 : row * 6 + 3, col * 6 : col * 6 + 4] = object_id
    np.testing.assert_array_equal(read_mask(save(Image.fromarray(mask), tmp_path / "a.png")), mask)


@pytest.mark.parametrize("is_line", [True, False])
def test_one_thin_object_beside_ignore_is_no_edge(tmp_path: Path, is_line: bool) -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:50] = 255
    mask[20:40, 29] = 1
    if not is_line:
        mask[19, 30:50] = 2
    np.testing.assert_array_equal(read_mask(save(Image.fromarray(mask), tmp_path / "a.png")), mask)


# ---- refusals --------------------------------------------------------------------------------------------------------


def refused(path: Path, size: Size | None = None) -> str:
    with pytest.raises(AppError) as caught:
        read_mask(path, size)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value.message


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "absent.png")
    assert "cannot be read" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"text", b"GIF89a\1\0\1\0", b"\x89PNG\r\n\x1a\n", b"II*\0" + bytes(40)])
def test_not_a_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    refused(tmp_path / "a.png")


def test_jpeg_is_refused_whatever_its_name(tmp_path: Path) -> None:
    Image.fromarray(blobs()).save(tmp_path / "a.png", "JPEG")
    assert "not a mask picture" in refused(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
def test_every_truncation_is_refused(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(colored(blobs(Size(20, 30)))) if suffix == "webp" else Image.fromarray(blobs(Size(20, 30)))
    whole = tmp_path / f"whole.{suffix}"
    image.save(whole, **({"lossless": True} if suffix == "webp" else {}))
    expected, data, path = read_mask(whole), whole.read_bytes(), tmp_path / f"cut.{suffix}"
    num_refused, lengths = 0, range(0, len(data), max(1, len(data) // 150))
    for length in lengths:
        path.write_bytes(data[:length])
        try:
            found = read_mask(path)
        except AppError as error:
            assert str(path) in error.message
            num_refused += 1
        else:  # only what follows the pixels may be missing
            assert suffix != "png"
            np.testing.assert_array_equal(found, expected)
    assert num_refused > len(lengths) * 0.8


def test_every_flipped_byte_of_a_png_is_noticed_or_harmless() -> None:
    mask = blobs(Size(20, 30))
    data = encode_mask(mask)
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0x41
        with pytest.raises(AppError, match="mask.png"):
            decode_mask(io.BytesIO(bytes(damaged)), Path("mask.png"))


@given(st.binary(max_size=200), st.integers(0, 400))
def test_spliced_garbage_never_escapes_as_another_error(garbage: bytes, place: int) -> None:
    data = encode_mask(blobs(Size(20, 30)))
    try:
        decode_mask(io.BytesIO(data[:place] + garbage + data[place:]), Path("mask.png"))
    except AppError as error:
        assert "mask.png" in error.message


def test_decompression_bomb(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    assert "too large" in refused(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_animation_is_not_a_mask(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (1, 2, 3)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    assert "3 pictures" in refused(tmp_path / f"a.{suffix}")


def test_size_is_checked_before_decoding(tmp_path: Path) -> None:
    path = save(Image.fromarray(blobs(Size(60, 80))), tmp_path / "a.png")
    assert read_mask(path, Size(60, 80)).shape == (60, 80)
    message = refused(path, Size(60, 81))
    assert "80x60" in message and "81x60" in message


def test_three_hundred_objects(tmp_path: Path) -> None:
    mask = np.arange(301, dtype=np.uint16).repeat(20).reshape(70, 86)
    message = refused(save(Image.fromarray(mask), tmp_path / "a.png"))
    assert "300 object ids up to 300" in message and "254" in message


def test_negative_ids(tmp_path: Path) -> None:
    assert "-3" in refused(save(Image.fromarray(np.full((4, 4), -3, np.int32)), tmp_path / "a.tif"))


def test_floating_point_is_refused(tmp_path: Path) -> None:
    refused(save(Image.fromarray(np.ones((4, 4), np.float32)), tmp_path / "a.tif"))


def test_solid_area_of_a_foreign_color_is_refused(tmp_path: Path) -> None:
    image = colored(blobs())
    image[33:45, 50:58] = (255, 10, 0)
    message = refused(save(Image.fromarray(image), tmp_path / "a.png"))
    assert "#ff0a00" in message and "1 colours" in message


def test_photograph_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    assert "colours" in refused(save(Image.fromarray(noise), tmp_path / "a.png"))


# ---- real files ------------------------------------------------------------------------------------------------------


def test_davis_2016_files_are_binary(shared: Path) -> None:
    for path in sorted((shared / "data/clips/davis/Annotations/480p").glob("*/00000.png")):
        assert set(np.unique(read_mask(path))) == {0, 1}


def test_judo_mask_of_another_size(shared: Path) -> None:
    (path,) = (shared / "data/clips/judo").rglob("00005.png")
    assert read_mask(path).shape == (480, 853)
    assert "853x480" in refused(path, Size(480, 854))


# ---- writing under failure -------------------------------------------------------------------------------------------


def test_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    write_mask(path, blobs())
    old = path.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full_disk)
            with pytest.raises(AppError, match=r"a\.png.*disk is full"):
                write_mask(path, blobs() * 2, durable=True)
        assert path.read_bytes() == old
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_unwritable_places(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="folder does not exist"):
        write_mask(tmp_path / "absent" / "a.png", blobs())
    (tmp_path / "a.png").mkdir()
    with pytest.raises(AppError, match=r"a\.png"):
        write_mask(tmp_path / "a.png", blobs())
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a.png", b"x")
    assert not list(tmp_path.iterdir())


def test_longest_possible_name(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".png")
    write_mask(path, blobs())
    np.testing.assert_array_equal(read_mask(path), blobs())


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (f"{PARTIAL_PREFIX}abc", "a.png", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    assert remove_partials(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "a.png"]
