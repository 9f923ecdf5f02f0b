"""Ways of showing a frame, through the real window: modes, levels, minimap, the version before, zoom while painting."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPointF, Qt

from gui.canvas_picture import Levels
from gui.settings import Settings
from gui.view_modes import MODES
from interact.view_settings import ViewSettings
from tests.gui.canvas_helpers import color_at, wheel
from tests.gui.conftest import Start
from tests.gui.driver import Driver, area, send_mouse
from util.overlay import GROUND
from util.palette import object_color


def shown(driver: Driver, x: float, y: float) -> tuple[int, int, int]:
    canvas = driver.window.canvas
    return color_at(canvas.grab().toImage(), canvas.image_to_widget(x, y))


def pixel(driver: Driver, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in driver.session.frames.get(driver.session.frame)[y, x])


def press(driver: Driver, key: int, modifiers: Qt.KeyboardModifier = Qt.NoModifier) -> None:
    from PyQt5.QtTest import QTest

    driver.activate()
    QTest.keyClick(driver.window.canvas, key, modifiers)


def test_each_mode_has_a_key_and_shows_something_else(painted: Driver) -> None:
    painted.window.canvas.setFocus()
    looks = {}
    for mode, key in zip(MODES, (Qt.Key_F5, Qt.Key_F6, Qt.Key_F7, Qt.Key_F8, Qt.Key_F9), strict=True):
        press(painted, key)
        assert painted.window.settings.view_mode == mode
        assert painted.window.actions_by_id[f"view.mode_{mode}"].isChecked()
        looks[mode] = shown(painted, 45.5, 30.5), shown(painted, 80.5, 50.5)
    inside, outside = pixel(painted, 45, 30), pixel(painted, 80, 50)
    assert looks["overlay"][0] != inside and looks["overlay"][1] == outside
    assert looks["contour"] == (inside, outside)
    assert looks["mask"] == (object_color(1), (0, 0, 0))
    assert looks["cutout"] == (inside, (GROUND,) * 3)
    assert looks["side"][0] != inside


def test_one_key_goes_through_the_modes_and_the_choice_is_kept(painted: Driver, start: Start) -> None:
    seen = []
    for _ in MODES:
        press(painted, Qt.Key_W)
        seen.append(painted.window.settings.view_mode)
    assert seen == [*MODES[1:], MODES[0]]
    painted.trigger("view.mode_cutout")
    painted.close()
    assert Settings().view_mode == "cutout"
    again = start()
    assert again.window.actions_by_id["view.mode_cutout"].isChecked()


def test_side_by_side_shows_the_bare_frame_which_takes_the_tools_too(painted: Driver) -> None:
    bare = painted.window.canvas_area.bare
    assert not bare.isVisible()
    painted.trigger("view.mode_side")
    painted.wait(lambda: bare.isVisible() and abs(bare.width() - painted.window.canvas.width()) <= 1)
    at = painted.window.canvas.image_to_widget(45.5, 30.5)
    assert color_at(bare.grab().toImage(), at) == pixel(painted, 45, 30)
    before = area(painted.mask(), 1)
    for kind, point in ((QEvent.MouseButtonPress, (30, 50)), (QEvent.MouseMove, (60, 50)),
                        (QEvent.MouseButtonRelease, (60, 50))):
        send_mouse(bare, kind, painted.window.canvas.image_to_widget(*point), Qt.LeftButton,
                   Qt.NoButton if kind == QEvent.MouseButtonRelease else Qt.LeftButton)
    assert area(painted.mask(), 1) > before
    zoom = painted.window.canvas.view.zoom
    wheel(bare, at, 120)
    assert painted.window.canvas.view.zoom > zoom
    painted.trigger("view.mode_overlay")
    assert not bare.isVisible()


def test_contours_can_be_left_out_of_the_overlay(painted: Driver) -> None:
    with_lines = painted.window.canvas.grab().toImage()
    painted.trigger("view.contour")
    assert painted.window.canvas.grab().toImage() != with_lines and not painted.window.settings.contour


def test_brightness_and_contrast_by_key_slider_and_reset(painted: Driver) -> None:
    canvas, plain = painted.window.canvas, shown(painted, 80.5, 50.5)
    painted.trigger("view.brighter")
    painted.trigger("view.more_contrast")
    assert canvas.picture.levels == Levels(10, 10) and shown(painted, 80.5, 50.5) != plain
    painted.trigger("view.darker")
    painted.trigger("view.less_contrast")
    assert canvas.picture.levels.is_neutral
    painted.window.top_bar.levels.brightness.setValue(60)
    assert canvas.picture.levels == Levels(60, 0)
    mask = painted.mask().copy()
    painted.trigger("view.reset_levels")
    assert shown(painted, 80.5, 50.5) == plain and painted.window.top_bar.levels.brightness.value() == 0
    assert np.array_equal(painted.mask(), mask)


def test_levels_stop_at_their_limits(painted: Driver) -> None:
    for _ in range(14):
        painted.trigger("view.brighter")
    assert painted.window.canvas.picture.levels.brightness == 100


def test_the_minimap_appears_when_zoomed_in_and_moves_the_view(painted: Driver) -> None:
    minimap, canvas = painted.window.canvas_area.minimap, painted.window.canvas
    assert not minimap.isVisible()
    canvas.zoom_by(6)
    assert minimap.isVisible() and canvas.rect().contains(minimap.geometry())
    for kind, share in ((QEvent.MouseButtonPress, 0.9), (QEvent.MouseMove, 0.25)):
        place = QPointF(minimap.width() * share, minimap.height() * share)
        send_mouse(minimap, kind, place, Qt.LeftButton, Qt.LeftButton)
        middle = canvas.widget_to_image(QPointF(canvas.width() / 2, canvas.height() / 2))
        height, width = painted.mask().shape
        assert middle == pytest.approx((width * share, height * share), abs=1.0)
    painted.trigger("view.minimap")
    assert not minimap.isVisible() and not painted.window.settings.minimap
    painted.trigger("view.minimap")
    assert minimap.isVisible()
    painted.trigger("view.fit")
    assert not minimap.isVisible()


def test_the_minimap_shows_masks_and_what_is_seen(painted: Driver) -> None:
    minimap = painted.window.canvas_area.minimap
    painted.trigger("view.mode_mask")
    painted.window.canvas.zoom_by(6)
    image = minimap.grab().toImage()
    height, width = painted.mask().shape
    at = QPointF((35.5 / width) * minimap.width(), (30.5 / height) * minimap.height())
    assert color_at(image, at) == object_color(1)


def test_the_view_zooms_and_pans_in_the_middle_of_a_stroke(opened: Driver) -> None:
    """The stroke goes on in image coordinates, wherever the picture has gone meanwhile."""
    opened.trigger("object.add")
    opened.trigger("tool.brush")
    canvas = opened.window.canvas
    opened.mouse(QEvent.MouseButtonPress, (30, 30), Qt.LeftButton, Qt.LeftButton)
    wheel(canvas, canvas.image_to_widget(30, 30), 240)
    at = canvas.image_to_widget(30, 30)
    send_mouse(canvas, QEvent.MouseButtonPress, at, Qt.MiddleButton, Qt.LeftButton | Qt.MiddleButton)
    send_mouse(canvas, QEvent.MouseMove, at + QPointF(-60, 25), Qt.NoButton, Qt.LeftButton | Qt.MiddleButton)
    assert canvas.image_to_widget(30, 30) == at + QPointF(-60, 25)
    send_mouse(canvas, QEvent.MouseButtonRelease, at + QPointF(-60, 25), Qt.MiddleButton, Qt.LeftButton)
    opened.mouse(QEvent.MouseMove, (60, 30), Qt.NoButton, Qt.LeftButton)
    wheel(canvas, canvas.image_to_widget(60, 30), -120)
    opened.mouse(QEvent.MouseButtonRelease, (60, 30), Qt.LeftButton, Qt.NoButton)
    mask = opened.mask()
    assert (mask[30, 30:60] == 1).all() and not mask[:15].any() and not mask[45:].any()


def test_go_to_a_frame_by_number_or_time(opened: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["7", f"{opened.session.frames.time(3):.3f} s", "99", "soon"]
    asked = []

    def answer(title: str, label: str, text: str, on_text: object) -> None:
        asked.append(text)
        on_text(answers.pop(0))  # type: ignore[operator]

    monkeypatch.setattr(opened.dialogs, "ask_text", answer)
    for expected in (7, 3, 3, 3):
        opened.trigger("frame.go_to")
        opened.wait_idle()
        assert opened.session.frame == expected
    assert asked == ["0", "7", "3", "3"]
    assert ["no frame 99" in opened.dialogs.errors[0].message, "neither" in opened.dialogs.errors[1].message] == [
        True, True]


def test_loop_is_kept_and_reaches_the_player(opened: Driver, start: Start) -> None:
    player = opened.window.controller.video.view.player
    assert not player.is_looping
    opened.trigger("play.loop")
    assert player.is_looping and Settings().loop


def test_a_loop_plays_between_the_marks(opened: Driver) -> None:
    session, player = opened.session, opened.window.controller.video.view.player
    opened.trigger("play.loop")
    for frame, action in ((3, "range.first"), (5, "range.last")):
        session.seek(frame)
        opened.trigger(action)
    session.seek(9)
    opened.wait_idle()
    shown: list[int] = []
    session.frame_changed.connect(shown.append)
    opened.trigger("play.toggle")
    opened.wait(lambda: shown.count(3) >= 2)
    opened.trigger("play.toggle")
    assert set(shown) <= {3, 4, 5} and shown[0] == 3
    opened.trigger("range.clear")
    assert player._range == range(len(session.frames))


def test_brightness_and_contrast_are_kept_with_the_project(opened: Driver, synthetic_folder: Path) -> None:
    opened.trigger("view.brighter")
    opened.trigger("view.more_contrast")
    opened.trigger("view.more_contrast")
    before = opened.session
    opened.window.controller.open(synthetic_folder)
    opened.wait(lambda: opened.window.controller.video is not None and opened.session is not before)
    opened.wait_open()
    assert opened.window.canvas.picture.levels == Levels(10, 20)
    assert opened.window.top_bar.levels.contrast.value() == 20
    opened.trigger("view.reset_levels")
    assert opened.session.levels == ViewSettings()


def test_an_object_is_drawn_fainter(painted: Driver) -> None:
    usual = shown(painted, 45.5, 30.5)
    painted.trigger("object.fainter")
    painted.trigger("object.fainter")
    assert "drawn with 50 % of the opacity" in painted.window.hint_label.full_text
    faint = shown(painted, 45.5, 30.5)
    assert faint != usual and painted.window.object_panel.model.rows[0].opacity == 0.5
    slider = painted.window.object_panel.opacity.slider
    assert slider.value() == 10
    slider.setValue(0)
    assert painted.session.objects.opacity(1) == 0 and shown(painted, 45.5, 30.5) not in (usual, faint)
    for _ in range(4):
        painted.trigger("object.stronger")
    assert shown(painted, 45.5, 30.5) == usual


def test_the_opacity_of_an_object_is_kept_with_the_project(painted: Driver, synthetic_folder: Path) -> None:
    painted.trigger("object.fainter")
    before = painted.session
    painted.window.controller.open(synthetic_folder)
    painted.wait(lambda: painted.window.controller.video is not None and painted.session is not before)
    painted.wait_open()
    assert painted.session.objects.opacities == ((1, 0.75),)
    assert painted.window.canvas.picture.style.opacities == ((1, 0.75),)


def test_what_reaches_the_screen_is_said_while_playing(opened: Driver) -> None:
    opened.window.controller.video.view.player.rate_changed.emit(23.97, 0)
    assert opened.window.transport.rate.text() == "24.0 frames/s"
    opened.window.controller.video.view.player.rate_changed.emit(12.0, 5)
    assert opened.window.transport.rate.text() == "12.0 frames/s, 5 left out"
    opened.trigger("play.toggle")
    assert opened.window.transport.rate.text() == ""
    opened.trigger("play.toggle")
