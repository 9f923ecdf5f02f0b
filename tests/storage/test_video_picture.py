"""Pictures look as players show them: colour matrix and range, pixel aspect, rotation."""
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from storage.frame_source import open_source
from storage.video_picture import PictureConverter
from tests.video_files import number_of, numbered_picture, write_video
from util.types import ImageU8, Size

# Kr, Kb of the matrices by their number in ISO/IEC 23091-2.
WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
UNKNOWN = 2
LIMITED, FULL = 1, 2
COLORS = np.array(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [128, 128, 128], [200, 120, 40], [20, 90, 160]]
)


def to_yuv(matrix: int, is_full: bool) -> np.ndarray:
    """float [8, 3]: the colours by the equations of the standard."""
    kr, kb = WEIGHTS[matrix]
    red, green, blue = (COLORS / 255).T
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    if is_full:
        return np.stack([luma * 255, cb * 255 + 128, cr * 255 + 128], 1)
    return np.stack([luma * 219 + 16, cb * 224 + 128, cr * 224 + 128], 1)


def coded_picture(
    matrix: int, is_full: bool, size: Size, *, told: int | None = None, deep: bool = False
) -> av.VideoFrame:
    """Eight vertical stripes, one per colour. `told` is what the picture says of its matrix."""
    values = to_yuv(matrix, is_full)
    stripes = np.repeat(values, size.width // len(COLORS), axis=0)
    planes = np.broadcast_to(stripes.T[:, None, :], (3, size.height, size.width))
    # Full range scales to the largest number of 16 bits, limited range to a power of two.
    depth = (257 if is_full else 256) if deep else 1
    kind = np.uint16 if deep else np.uint8
    samples = np.ascontiguousarray((planes * depth).clip(0, np.iinfo(kind).max).round().astype(kind))
    if deep:
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(samples.transpose(1, 2, 0)), "yuv444p16le")
    else:
        picture = av.VideoFrame.from_ndarray(samples, "yuv444p")
    picture.colorspace = matrix if told is None else told
    picture.color_range = FULL if is_full else LIMITED
    return picture


def shown_colors(picture: av.VideoFrame) -> ImageU8:
    image = PictureConverter(picture, None).convert(picture)
    assert image.dtype == np.uint8 and image.shape == (picture.height, picture.width, 3)
    step = picture.width // len(COLORS)
    return image[picture.height // 2, step // 2 :: step]


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("deep", [False, True])
def test_matrix_and_range_are_followed(matrix: int, is_full: bool, deep: bool) -> None:
    colors = shown_colors(coded_picture(matrix, is_full, Size(16, 64), deep=deep))
    assert np.abs(colors.astype(int) - COLORS).max() <= 3


@pytest.mark.parametrize(
    ("size", "matrix"), [(Size(480, 640), 5), (Size(576, 720), 5), (Size(720, 1280), 1), (Size(578, 640), 1)]
)
def test_matrix_that_is_not_named_follows_the_size(size: Size, matrix: int) -> None:
    colors = shown_colors(coded_picture(matrix, False, size, told=UNKNOWN))
    assert np.abs(colors.astype(int) - COLORS).max() <= 3


def test_range_that_is_not_named_is_limited() -> None:
    picture = coded_picture(1, False, Size(16, 64))
    picture.color_range = 0
    assert np.abs(shown_colors(picture).astype(int) - COLORS).max() <= 3


@pytest.mark.parametrize("pixels", ["gray", "rgb24", "gbrp"])
def test_pictures_without_a_matrix(pixels: str) -> None:
    image = numbered_picture(77)
    if pixels == "gray":
        image = np.repeat(image[..., 1:2], 3, axis=2)
    picture = VideoReformatter().reformat(av.VideoFrame.from_ndarray(image, "rgb24"), format=pixels, dst_color_range=2)
    assert np.abs(PictureConverter(picture, None).convert(picture).astype(int) - image).max() <= 1


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(1), Size(48, 64)),
        (Fraction(2), Size(48, 128)),
        (Fraction(16, 11), Size(48, 93)),
        (Fraction(8, 9), Size(54, 64)),
        (Fraction(1, 2), Size(96, 64)),
        (Fraction(1975, 1986), Size(48, 64)),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pixels_become_square(tmp_path: Path, aspect: Fraction, size: Size, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", [numbered_picture(n) for n in range(5)], aspect=aspect)
    source = open_source(path)
    assert source.size == size
    image = source.read(3)
    assert image.shape == (*size, 3)
    if aspect == 2:
        assert number_of(image[:, ::2]) == 3
    source.close()


def corners(image: ImageU8) -> list[str]:
    """Colour names of the corners, clockwise from the top left."""
    height, width = image.shape[:2]
    names = []
    for row, column in ((4, 4), (4, width - 5), (height - 5, width - 5), (height - 5, 4)):
        color = tuple(int(value) > 110 for value in image[row, column])
        names.append({(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}[color])
    return names


def corner_picture(height: int = 48, width: int = 64) -> ImageU8:
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (230, 20, 20)
    image[: height // 2, width // 2 :] = (20, 230, 20)
    image[height // 2 :, width // 2 :] = (20, 20, 230)
    image[height // 2 :, : width // 2] = 235
    return image


@pytest.mark.parametrize(
    ("rotation", "size", "expected"),
    [
        (0, Size(48, 64), ["red", "green", "blue", "white"]),
        (90, Size(64, 48), ["green", "blue", "white", "red"]),  # counter-clockwise
        (180, Size(48, 64), ["blue", "white", "red", "green"]),
        (-90, Size(64, 48), ["white", "red", "green", "blue"]),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_rotation(tmp_path: Path, rotation: int, size: Size, expected: list[str], suffix: str) -> None:
    source = open_source(write_video(tmp_path / f"a{suffix}", [corner_picture()] * 4, rotation=rotation))
    assert source.size == size
    assert corners(source.read(2)) == expected
    source.close()


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_display_matrix_means_what_libav_says(tmp_path: Path, rotation: int, is_mirrored: bool) -> None:
    """The matrix applied to the corners by its definition: (x, y) is shown at (a x + c y, b x + d y)."""
    path = write_video(tmp_path / "a.mp4", [corner_picture()] * 4, rotation=rotation, is_mirrored=is_mirrored)
    with av.open(str(path)) as container:
        side = next(container.decode(video=0)).side_data
        data = next((bytes(item) for item in side if item.type.name == "DISPLAYMATRIX"), None)
    matrix = np.eye(3) if data is None else np.frombuffer(data, np.int32).reshape(3, 3) / 65536
    shown = {}
    for name, x, y in (("red", -1, -1), ("green", 1, -1), ("blue", 1, 1), ("white", -1, 1)):
        place = np.array([x, y]) @ matrix[:2, :2]
        shown[tuple(int(value) for value in place)] = name
    expected = [shown[place] for place in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    source = open_source(path)
    assert corners(source.read(0)) == expected
    source.close()


def test_aspect_is_applied_before_the_rotation(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [corner_picture()] * 4, aspect=Fraction(2), rotation=90)
    source = open_source(path)
    assert source.size == Size(128, 48)
    assert corners(source.read(1)) == ["green", "blue", "white", "red"]
    source.close()


def test_picture_of_another_size_is_scaled() -> None:
    converter = PictureConverter(coded_picture(1, False, Size(48, 64)), None)
    image = converter.convert(coded_picture(1, False, Size(96, 128)))
    assert image.shape == (48, 64, 3)
    assert np.abs(image[24, 4::8].astype(int) - COLORS).max() <= 3
