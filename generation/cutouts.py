"""Objects cut out of scikit-image's built-in public-domain photographs.

Every object has an outline drawn by hand, right to a few pixels. Inside a narrow band around the outline GrabCut
decides from the colours where the object ends; the result is smoothed and feathered into an alpha matte, and the
colours at the edge are replaced by colours from inside, so that no rim of the old background travels with the object.

Needs scikit-image (requirements-dev.txt). Outlines are (x, y) in the photograph's pixels.
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from util.types import ImageU8

Matte = NDArray[np.float32]
"""float32 [H, W, 4]: RGB 0..255 multiplied by alpha, and alpha 0..1."""

Points = Sequence[tuple[float, float]]
Area = NDArray[np.uint8]
"""uint8 [H, W], 1 inside the object."""

# fmt: off
_ASTRONAUT: Points = (
    (185, 38), (192, 31), (199, 21), (220, 17), (239, 15), (262, 21), (281, 30), (295, 52), (301, 84), (298, 108),
    (286, 125), (275, 134), (266, 141), (258, 164), (256, 172), (274, 184), (293, 205), (304, 230), (306, 238),
    (323, 245), (337, 261), (349, 281), (356, 300), (362, 330), (364, 349), (384, 344), (412, 343), (436, 351),
    (459, 369), (478, 397), (490, 427), (495, 452), (504, 457), (509, 469), (511, 488), (511, 511), (50, 511),
    (30, 478), (23, 441), (21, 403), (18, 370), (25, 345), (35, 309), (45, 281), (61, 257), (80, 232), (103, 211),
    (114, 205), (113, 196), (115, 187), (122, 180), (134, 162), (150, 151), (173, 147), (182, 150), (182, 137),
    (173, 129), (164, 114), (156, 94), (153, 70), (157, 52), (171, 40),
)
_SHUTTLE: Points = (
    (400, 14), (404, 7), (409, 3), (418, 3), (424, 7), (429, 12), (434, 21), (438, 40), (444, 38), (450, 45),
    (454, 61), (454, 178), (456, 202), (457, 230), (454, 234), (454, 250), (458, 266), (433, 266), (435, 236),
    (412, 236), (413, 252), (406, 270), (394, 268), (391, 255), (384, 264), (369, 272), (370, 252), (387, 230),
    (380, 226), (355, 222), (356, 214), (377, 178), (379, 122), (381, 105), (380, 61), (382, 50), (387, 41),
    (393, 48), (396, 28),
)
_CAT: Points = (
    (30, 100), (30, 60), (34, 25), (42, -8), (52, -34), (62, -52), (70, -58), (78, -50), (92, -28), (106, -18),
    (135, -24), (170, -31), (210, -33), (250, -29), (290, -19), (308, -14), (322, -26), (338, -48), (352, -66),
    (364, -76), (372, -70), (381, -48), (390, -22), (395, 0), (386, 24), (376, 45), (364, 62), (353, 72),
    (356, 98), (361, 125), (358, 150), (349, 178), (332, 204), (320, 228), (314, 255), (306, 275), (284, 291),
    (240, 297), (205, 294), (180, 299), (0, 299), (0, 128), (22, 118),
)
_SPOON_TIP: Points = ((398, 74), (404, 68), (413, 66), (421, 70), (424, 78), (421, 93), (416, 106), (410, 120))
# fmt: on


_EAR_TIPS = 85
"""Rows of mirrored fur above the cat's photograph."""


def background() -> ImageU8:
    """A launch pad at dusk, uint8 [427, 640, 3]."""
    return np.ascontiguousarray(skimage.data.rocket()[..., :3])


def polygon_area(shape: tuple[int, int], points: Points) -> Area:
    """The inside of a polygon as uint8 [H, W]."""
    area = np.zeros(shape, np.uint8)
    cv2.fillPoly(area, [np.round(np.asarray(points)).astype(np.int32)], 1)
    return area


def ellipse_area(shape: tuple[int, int], center: tuple[float, float], axes: tuple[float, float], tilt: float) -> Area:
    """The inside of an ellipse with half axes `axes`, the first one `tilt` degrees from the x axis (clockwise)."""
    row, col = np.mgrid[: shape[0], : shape[1]]
    cos, sin = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    along = (col - center[0]) * cos + (row - center[1]) * sin
    across = (row - center[1]) * cos - (col - center[0]) * sin
    return ((along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1).astype(np.uint8)


def _refine(image: ImageU8, area: Area, band: int) -> Area:
    """Let GrabCut decide within `band` pixels of the outline; deterministic."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1, 2 * band + 1))
    # Beyond the photograph's border the object goes on, so that it is not eaten away from there.
    certain = cv2.erode(area, kernel, borderType=cv2.BORDER_REPLICATE)
    possible = cv2.dilate(area, kernel)
    labels = np.where(area > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[certain > 0] = cv2.GC_FGD
    labels[possible == 0] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image[..., ::-1]), labels, None, *models, 4, cv2.GC_INIT_WITH_MASK)
    return ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)


def _largest_part(area: Area) -> Area:
    """The largest connected piece with its holes filled."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(area, connectivity=4)
    if count < 2:
        raise ValueError("nothing left of the object")
    largest = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    contours, _ = cv2.findContours(largest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(largest, contours, -1, 1, cv2.FILLED)
    return largest


def _to_matte(image: ImageU8, area: Area, smooth: float) -> Matte:
    """Feathered alpha, edge colours taken from inside, cropped to the object with a margin of 2 pixels.

    Args:
        smooth: standard deviation in pixels of the blur that rounds the outline before it is cut again at one half.
    """
    border = cv2.BORDER_REPLICATE
    rounded = cv2.GaussianBlur(area.astype(np.float32), (0, 0), smooth, borderType=border)
    # The ramp is about 2 pixels wide and lies inside the outline, where the pixels are the object's own.
    ramp = cv2.GaussianBlur((rounded > 0.5).astype(np.float32), (0, 0), 0.9, borderType=border)
    alpha = np.clip((ramp - 0.3) / 0.7, 0, 1).astype(np.float32)
    inside = cv2.erode((alpha > 0.97).astype(np.uint8), np.ones((3, 3), np.uint8), borderType=border)
    color = cv2.inpaint(image, _edge(alpha, inside), 3, cv2.INPAINT_TELEA).astype(np.float32)
    matte = np.dstack([color * alpha[..., None], alpha]).astype(np.float32)
    rows, cols = np.flatnonzero(alpha.max(axis=1)), np.flatnonzero(alpha.max(axis=0))
    return np.ascontiguousarray(matte[max(rows[0] - 2, 0) : rows[-1] + 3, max(cols[0] - 2, 0) : cols[-1] + 3])


def _edge(alpha: NDArray[np.float32], inside: Area) -> Area:
    """Pixels whose colour is mixed with the old background."""
    near = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((5, 5), np.uint8))
    return ((near > 0) & (inside == 0)).astype(np.uint8)


def astronaut() -> Matte:
    """Half figure with a helmet; cut off by the photograph at the bottom and, below row 455, at the right."""
    image = skimage.data.astronaut()
    area = _refine(image, polygon_area(image.shape[:2], _ASTRONAUT), 4)
    return _to_matte(image, _largest_part(area), 1.6)


def shuttle() -> Matte:
    """The model of a space shuttle that stands behind the astronaut, without its stand."""
    image = skimage.data.astronaut()
    area = _refine(image, polygon_area(image.shape[:2], _SHUTTLE), 2)
    return _to_matte(image, _largest_part(area), 1.0)


def coffee() -> Matte:
    """An espresso cup on its saucer, with a spoon."""
    image = skimage.data.coffee()
    shape = image.shape[:2]
    area = (
        ellipse_area(shape, (278.7, 218.8), (200.2, 169.5), 2)
        | ellipse_area(shape, (290.5, 113), (117.5, 95), 0)
        | polygon_area(shape, _SPOON_TIP)
    )
    return _to_matte(image, _largest_part(_refine(image, area, 2)), 2.5)


def cat() -> Matte:
    """A cat's head and chest, cut off by the photograph at the left and at the bottom.

    The photograph also cuts off the tips of its ears: they are made up from the mirrored fur below.
    """
    image = cv2.copyMakeBorder(skimage.data.chelsea(), _EAR_TIPS, 0, 0, 0, cv2.BORDER_REFLECT_101)
    outline = [(x, y + _EAR_TIPS) for x, y in _CAT]
    area = _refine(image, polygon_area(image.shape[:2], outline), 5)
    return _to_matte(image, _largest_part(area), 2.0)
