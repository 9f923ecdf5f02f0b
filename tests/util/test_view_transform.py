from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from util.types import Rect, Size
from util.view_transform import MAX_ZOOM, MIN_VISIBLE, MIN_ZOOM, Point, ViewTransform

sizes = st.builds(Size, st.integers(1, 5000), st.integers(1, 8000))
ratios = st.sampled_from([1.0, 1.25, 1.5, 2.0, 3.0])
views = st.builds(
    ViewTransform.fitted, sizes, st.floats(50, 4000), st.floats(50, 3000), ratios, st.sampled_from([0.0, 12.0])
)
zooms = st.floats(MIN_ZOOM, MAX_ZOOM)


@given(views, zooms, st.floats(-100, 8100), st.floats(-100, 5100))
def test_widget_and_image_coordinates_are_inverse(view: ViewTransform, zoom: float, x: float, y: float) -> None:
    view = view.with_zoom(zoom)
    back = view.to_image(*view.to_widget(x, y))
    assert back.x == pytest.approx(x, abs=1e-6) and back.y == pytest.approx(y, abs=1e-6)


@given(views)
def test_fit_shows_the_whole_image_in_the_middle(view: ViewTransform) -> None:
    left, top = view.to_widget(0, 0)
    right, bottom = view.to_widget(view.image.width, view.image.height)
    assert left >= -1e-6 and top >= -1e-6
    assert left + right == pytest.approx(view.view_width)
    assert top + bottom == pytest.approx(view.view_height)


def test_fit_touches_the_margin_on_the_tighter_side() -> None:
    view = ViewTransform.fitted(Size(480, 854), 1086, 595, margin=12)
    assert view.to_widget(0, 0).y == pytest.approx(12)
    assert view.zoom == pytest.approx((595 - 24) / 480)


@given(views, zooms, st.floats(0.01, 100), st.floats(0, 1), st.floats(0, 1))
def test_zoom_keeps_the_point_under_the_pointer(
    view: ViewTransform, zoom: float, factor: float, across: float, down: float
) -> None:
    view = view.with_zoom(zoom)
    at = view.to_widget(across * view.image.width, down * view.image.height)
    point = view.to_image(*at)
    after = view.with_zoom(view.zoom * factor, at).to_widget(*point)
    assert after.x == pytest.approx(at.x, abs=1e-6) and after.y == pytest.approx(at.y, abs=1e-6)


def test_zooming_in_beside_the_image_keeps_its_nearest_point() -> None:
    view = ViewTransform.fitted(Size(100, 100), 1000, 200)
    zoomed = view.with_zoom(20, Point(10, 100))
    assert zoomed.to_widget(0, 50) == pytest.approx((400, 100))


@pytest.mark.parametrize(("wanted", "got"), [(1e-9, MIN_ZOOM), (1e9, MAX_ZOOM), (3.0, 3.0)])
def test_zoom_has_limits(wanted: float, got: float) -> None:
    view = ViewTransform.fitted(Size(480, 854), 1000, 600, 2.0)
    assert view.with_zoom(wanted).zoom == pytest.approx(got)


def test_an_image_that_fits_only_below_the_limit_can_be_fitted() -> None:
    view = ViewTransform.fitted(Size(30000, 30000), 600, 600)
    assert view.zoom == pytest.approx(0.02)
    assert view.with_zoom(0.001).zoom == pytest.approx(0.02)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_actual_size_is_one_screen_pixel_per_pixel(ratio: float) -> None:
    view = ViewTransform.actual_size(Size(481, 855), 1001, 601, ratio)
    assert view.zoom == pytest.approx(1.0)
    start = view.to_widget(0, 0)
    assert start.x * ratio == pytest.approx(round(start.x * ratio))
    assert start.y * ratio == pytest.approx(round(start.y * ratio))
    assert abs(view.to_widget(855 / 2, 0).x - 1001 / 2) <= 1 / ratio


@given(views, zooms, st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_panning_never_loses_the_image(view: ViewTransform, zoom: float, dx: float, dy: float) -> None:
    view = view.with_zoom(zoom).panned(dx, dy)
    left, top = view.to_widget(0, 0)
    right, bottom = view.to_widget(view.image.width, view.image.height)
    shown_x = min(right, view.view_width) - max(left, 0)
    shown_y = min(bottom, view.view_height) - max(top, 0)
    assert shown_x >= min(MIN_VISIBLE, right - left, view.view_width) - 1e-6
    assert shown_y >= min(MIN_VISIBLE, bottom - top, view.view_height) - 1e-6


def test_panning_moves_by_widget_pixels() -> None:
    view = ViewTransform.fitted(Size(400, 400), 500, 500).with_zoom(4)
    moved = view.panned(-30, 12.5)
    assert moved.offset_x - view.offset_x == pytest.approx(-30)
    assert moved.offset_y - view.offset_y == pytest.approx(12.5)


def test_resizing_keeps_zoom_and_middle() -> None:
    view = ViewTransform.fitted(Size(400, 400), 500, 500).with_zoom(3, Point(100, 200))
    middle = view.to_image(250, 250)
    wider = view.resized(900, 300, 2.0)
    assert wider.zoom == pytest.approx(3.0)
    assert wider.scale == pytest.approx(1.5)
    assert wider.to_image(450, 150) == pytest.approx(middle)


def test_only_pixels_of_the_image_are_inside() -> None:
    view = ViewTransform.fitted(Size(10, 20), 100, 100)
    assert view.is_inside(Point(0, 0)) and view.is_inside(Point(19.999, 9.999))
    assert not any(view.is_inside(Point(*p)) for p in ((-0.001, 5), (20, 5), (5, -0.001), (5, 10)))


def test_visible_pixels_are_those_touched() -> None:
    view = ViewTransform(Size(100, 100), 300, 300, 1.0, scale=10.0, offset_x=-55.0, offset_y=20.0)
    assert view.visible_pixels(0, 0, 300, 300) == Rect(5, 0, 36, 28)
    assert view.visible_pixels(0, 0, 300, 10).is_empty


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="0x10"):
        ViewTransform.fitted(Size(10, 0), 100, 100)


@given(views)
def test_aligning_moves_less_than_a_screen_pixel(view: ViewTransform) -> None:
    aligned = view.aligned()
    assert math.hypot(aligned.offset_x - view.offset_x, aligned.offset_y - view.offset_y) * view.pixel_ratio <= 0.8
