"""From a decoded picture to the RGB image that players show: colour matrix, pixel aspect, rotation."""
from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from util.types import ImageU8, Size

# Encoders round the aspect of the whole picture and write what remains as the aspect of a pixel, such as 1975:1986.
# Nobody sees less than this, and resampling for its sake would only blur the picture.
_ASPECT_TOLERANCE = Fraction(1, 100)

# ISO/IEC 23091-2 matrix coefficients -> the number of the same matrix in libswscale.
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
_BT709 = 1
_BT601 = 5

# Pictures of this size and more that name no matrix are taken for high definition, as mpv and VLC do.
_HD = Size(577, 1280)


@dataclass(frozen=True)
class Turn:
    """What brings a decoded picture upright: first mirrored, then turned counter-clockwise by quarters."""

    is_mirrored: bool
    quarters: int


class PictureConverter:
    """Turns decoded pictures of one video into images of one size.

    Args:
        picture: the first picture; it decides on size and rotation.
        aspect: width by height of one stored pixel, None or 0 when unknown.
    """

    def __init__(self, picture: VideoFrame, aspect: Fraction | None) -> None:
        self._stored = _square_size(Size(picture.height, picture.width), aspect or Fraction(1))
        self._turn = _turn_of(picture)
        self._reformatter = VideoReformatter()
        turned = self._turn.quarters % 2 == 1
        self.size = Size(self._stored.width, self._stored.height) if turned else self._stored

    def convert(self, picture: VideoFrame) -> ImageU8:
        """uint8 [H, W, 3], RGB, full range. A picture of another size (some streams change it) is scaled to `size`."""
        rgb = self._reformatter.reformat(
            picture,
            width=self._stored.width,
            height=self._stored.height,
            format="rgb24",
            src_colorspace=_matrix(picture),
            src_color_range=picture.color_range or None,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC,
        )
        image = rgb.to_ndarray()
        if self._turn.is_mirrored:
            image = image[:, ::-1]
        return np.ascontiguousarray(np.rot90(image, self._turn.quarters))


def _square_size(size: Size, aspect: Fraction) -> Size:
    """The size with square pixels. One side grows, so that no stored pixel is lost."""
    if abs(aspect - 1) <= _ASPECT_TOLERANCE:
        return size
    if aspect > 1:
        return Size(size.height, round(size.width * aspect))
    return Size(round(size.height / aspect), size.width)


def _matrix(picture: VideoFrame) -> int | None:
    if picture.format.is_rgb:
        return None
    if picture.colorspace in _MATRICES:
        return _MATRICES[picture.colorspace]
    is_hd = picture.height >= _HD.height or picture.width >= _HD.width
    return _BT709 if is_hd else _BT601


def _turn_of(picture: VideoFrame) -> Turn:
    """The display matrix of the file, to the nearest quarter turn."""
    matrix = picture.side_data.get(SideDataType.DISPLAYMATRIX)
    if matrix is None:
        return Turn(False, 0)
    # Row-major 3x3, fixed point; a stored pixel (x, y) is shown at (a x + c y, b x + d y), y downwards.
    a, b, _, c, d = struct.unpack("=5i", bytes(matrix)[:20])
    is_mirrored = a * d - b * c < 0
    if is_mirrored:
        a, b = -a, -b
    if abs(a) >= abs(b):
        return Turn(is_mirrored, 0 if a >= 0 else 2)
    return Turn(is_mirrored, 3 if b > 0 else 1)
