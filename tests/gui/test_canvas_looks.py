"""What the canvas shows of a frame and its masks: the fills, brightness and contrast."""
from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.canvas_picture import CanvasPicture, Fill, Levels, OverlayStyle
from tests.gui.canvas_helpers import SIZE, blocks, color_at, noise, rgb, shown_canvas
from util.overlay import GROUND
from util.palette import object_color
from util.types import ImageU8, Rect


def shown(fill: Fill, levels: Levels | None = None) -> ImageU8:
    picture = CanvasPicture()
    picture.set_image(noise())
    picture.set_mask(blocks())
    picture.set_levels(levels or Levels())
    picture.set_style(OverlayStyle.of(opacity=0.0, contour=False, hidden=(), selected=1, fill=fill))
    image = picture.render(1.0)
    assert image is not None
    return rgb(image)


def test_the_fills() -> None:
    inside, outside = blocks() > 0, blocks() == 0
    assert np.array_equal(shown("blend")[inside], noise()[inside])
    masks = shown("mask")
    assert tuple(masks[30, 40]) == object_color(1) and masks[outside].max() == 0
    cut = shown("cutout")
    assert np.array_equal(cut[inside], noise()[inside]) and set(cut[outside].ravel()) == {GROUND}


@pytest.mark.parametrize("fill", ["mask", "cutout"])
def test_without_a_mask_there_is_no_object(fill: Fill) -> None:
    picture = CanvasPicture()
    picture.set_image(noise())
    picture.set_style(OverlayStyle.of(opacity=0.5, contour=True, hidden=(), selected=None, fill=fill))
    image = picture.render(1.0)
    assert image is not None and len(np.unique(rgb(image))) == 1


def test_brightness_and_contrast_change_the_frame_and_nothing_else() -> None:
    plain = shown("blend").astype(int)
    bright, steep = shown("blend", Levels(40, 0)).astype(int), shown("blend", Levels(0, 50)).astype(int)
    assert np.array_equal(bright, np.clip(plain + 51, 0, 255))
    assert steep.std() > plain.std() * 1.2 and (steep[plain < 100] <= plain[plain < 100]).all()
    assert np.array_equal(shown("mask", Levels(40, 50)), shown("mask"))


def test_levels_come_and_go_without_a_trace() -> None:
    picture = CanvasPicture()
    frame = noise()
    picture.set_image(frame)
    assert picture.set_levels(Levels(-30, 20)) and not picture.set_levels(Levels(-30, 20))
    picture.render(1.0)
    picture.set_levels(Levels())
    image = picture.render(1.0)
    assert image is not None and np.array_equal(rgb(image), noise()) and np.array_equal(frame, noise())


def test_a_stroke_is_composed_in_parts_in_every_fill(qtbot: QtBot) -> None:
    for fill in ("mask", "cutout"):
        picture, whole = CanvasPicture(), CanvasPicture()
        mask = blocks()
        for one in (picture, whole):
            one.set_image(noise())
            one.set_style(OverlayStyle.of(opacity=0.5, contour=True, hidden=(), selected=1, fill=fill))
        picture.set_mask(mask)
        picture.render(1.0)
        changed = mask.copy()
        changed[5:25, 100:130] = 1
        picture.set_mask(changed, Rect(100, 5, 130, 25))
        whole.set_mask(changed)
        part, full = picture.render(1.0), whole.render(1.0)
        assert part is not None and full is not None and np.array_equal(rgb(part), rgb(full))


def test_the_canvas_says_that_its_content_changed(qtbot: QtBot) -> None:
    canvas = shown_canvas(qtbot)
    with qtbot.waitSignal(canvas.content_changed):
        canvas.set_mask(blocks())
    with qtbot.waitSignal(canvas.content_changed):
        canvas.set_levels(Levels(100, 0))
    with qtbot.assertNotEmitted(canvas.content_changed):
        canvas.set_levels(Levels(100, 0))
    canvas.set_style(opacity=0.5, contour=True, hidden=(), selected=1, fill="mask")
    assert color_at(canvas.grab().toImage(), canvas.image_to_widget(50, 30)) == object_color(1)


def test_centring_moves_the_view_to_a_point(qtbot: QtBot) -> None:
    canvas = shown_canvas(qtbot)
    canvas.zoom_by(8)
    canvas.centre_on(40, 30)
    middle = canvas.widget_to_image(canvas.image_to_widget(40, 30))
    assert (canvas.image_to_widget(40, 30).x(), canvas.image_to_widget(40, 30).y()) == (200, 150)
    assert middle == pytest.approx((40, 30)) and SIZE.width == 160
