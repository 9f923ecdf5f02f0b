"""Rasters against the definition: a pixel is in a shape when its centre is."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from util.raster import Patch, polygon, polyline, segment
from util.types import Rect, Size

SIZE = Size(12, 18)
coordinates = st.floats(-5, 23, allow_nan=False)
points = st.tuples(coordinates, coordinates)


def full(patch: Patch, size: Size = SIZE) -> np.ndarray:
    image = np.zeros(size, np.bool_)
    image[patch.rect.slices] = patch.inside
    return image


def centre_distances(a: tuple[float, float], b: tuple[float, float]) -> np.ndarray:
    """Distance of every pixel centre from the line a-b, one pixel at a time."""
    result = np.zeros(SIZE)
    start, way = np.array(a), np.array(b) - np.array(a)
    for row in range(SIZE.height):
        for column in range(SIZE.width):
            centre = np.array([column + 0.5, row + 0.5])
            along = np.clip((centre - start) @ way / (way @ way), 0, 1) if way @ way > 1e-12 else 0.0
            result[row, column] = np.linalg.norm(centre - start - along * way)
    return result


@settings(max_examples=30)
@given(points, points, st.floats(0.1, 12))
def test_segment_is_every_pixel_within_the_radius(
    a: tuple[float, float], b: tuple[float, float], diameter: float
) -> None:
    distances = centre_distances(a, b)
    drawn = full(segment(a, b, diameter, SIZE))
    assert drawn[distances <= diameter / 2 - 1e-6].all()
    extra = drawn & (distances > diameter / 2 + 1e-6)
    ends = {(int(np.floor(x)), int(np.floor(y))) for x, y in (a, b)}
    assert {(int(c), int(r)) for r, c in np.argwhere(extra)} <= ends


def test_thin_brush_draws_one_pixel() -> None:
    drawn = full(segment((4.1, 7.9), (4.1, 7.9), 0.5, SIZE))
    assert np.argwhere(drawn).tolist() == [[7, 4]]


def test_thin_line_has_no_gaps() -> None:
    drawn = full(segment((2.2, 3.1), (15.4, 9.8), 1.0, SIZE))
    assert drawn[:, 2:16].any(axis=0).all()


def test_brush_outside_the_image_draws_nothing() -> None:
    assert segment((-20, -20), (-10, -15), 5, SIZE).rect.is_empty
    assert segment((16, 10), (60, 10), 4, SIZE).rect.x1 == SIZE.width


def test_polyline_is_the_union_of_its_segments() -> None:
    line = [(3.0, 3.0), (14.0, 5.0), (8.0, 10.0)]
    expected = full(segment(line[0], line[1], 3, SIZE)) | full(segment(line[1], line[2], 3, SIZE))
    assert (full(polyline(line, 3, SIZE)) == expected).all()
    assert (full(polyline(line[:1], 3, SIZE)) == full(segment(line[0], line[0], 3, SIZE))).all()


def test_polyline_may_leave_the_image_and_come_back() -> None:
    drawn = full(polyline([(5, 5), (5, -40), (15, -40), (15, 5)], 2, SIZE))
    assert drawn[2, 5] and drawn[2, 15] and not drawn[2, 10]


def test_polygon_with_pixel_borders_is_exact() -> None:
    patch = polygon([(3, 2), (9, 2), (9, 7), (3, 7)], SIZE)
    expected = np.zeros(SIZE, np.bool_)
    expected[2:7, 3:9] = True
    assert (full(patch) == expected).all()


def test_polygon_that_crosses_itself_has_a_hole() -> None:
    star = [(9 + 5 * np.sin(i * 4 * np.pi / 5), 6 - 5 * np.cos(i * 4 * np.pi / 5)) for i in range(5)]
    drawn = full(polygon(star, SIZE))
    assert not drawn[6, 9] and drawn[3, 9]


@settings(max_examples=30)
@given(st.lists(points, min_size=3, max_size=7))
def test_polygon_follows_the_even_odd_rule(corners: list[tuple[float, float]]) -> None:
    drawn = full(polygon(corners, SIZE))
    for row in range(0, SIZE.height, 3):
        for column in range(0, SIZE.width, 3):
            x, y = column + 0.5, row + 0.5
            crossings = []
            for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
                if (y0 <= y) != (y1 <= y):
                    crossings.append(x0 + (y - y0) * (x1 - x0) / (y1 - y0))
            if all(abs(x - crossing) > 1e-6 for crossing in crossings):
                assert drawn[row, column] == bool(sum(c < x for c in crossings) % 2), (row, column)


@pytest.mark.parametrize("corners", [[(-9, -9), (-2, -9), (-2, -1)], [(40, 5), (50, 5), (45, 9)]])
def test_polygon_outside_the_image_is_empty(corners: list[tuple[float, float]]) -> None:
    assert polygon(corners, SIZE).rect.is_empty


def test_polygon_larger_than_the_image_fills_it() -> None:
    assert full(polygon([(-10, -10), (90, -10), (90, 90), (-10, 90)], SIZE)).all()
    assert polygon([(-10, -10), (90, -10), (90, 90), (-10, 90)], SIZE).rect == Rect.full(SIZE)
