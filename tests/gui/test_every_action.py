"""Every row of the table of actions is triggered somewhere and seen to act; those that no other test has are here."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.actions import ACTIONS
from tests.gui.conftest import Start
from tests.gui.driver import Driver, FakeBuilder, area


def scale(driver: Driver) -> float:
    """Screen pixels per pixel of the video."""
    canvas = driver.window.canvas
    return canvas.image_to_widget(1, 0).x() - canvas.image_to_widget(0, 0).x()


def test_no_action_is_without_a_test() -> None:
    folder = Path(__file__).parent
    text = "".join(file.read_text(encoding="utf-8") for file in folder.glob("test_*.py") if file.stem != "test_actions")
    # Triggered by its id, or listed as a parameter of a test that triggers it.
    named = set(re.findall(r'"([a-z]+\.[a-z_0-9]+)"', text)) | {f"object.select_{number}" for number in range(1, 10)}
    assert {spec.action_id for spec in ACTIONS} - named == set()


def test_zooming(opened: Driver) -> None:
    fitted = scale(opened)
    opened.trigger("view.zoom_in")
    assert scale(opened) == pytest.approx(1.25 * fitted)
    opened.trigger("view.zoom_out")
    assert scale(opened) == pytest.approx(fitted)
    opened.trigger("view.actual_size")
    assert scale(opened) == pytest.approx(1 / opened.window.devicePixelRatioF())
    opened.trigger("view.fit")
    assert scale(opened) == pytest.approx(fitted)


def test_ways_of_showing_one_after_another(opened: Driver) -> None:
    modes = ["overlay", "contour", "mask", "cutout", "side"]
    for mode in [*modes[1:], modes[0]]:
        opened.trigger("view.next_mode")
        assert opened.window.actions_by_id[f"view.mode_{mode}"].isChecked()
    opened.trigger("view.mode_contour")
    assert opened.window.actions_by_id["view.mode_contour"].isChecked()
    opened.trigger("view.mode_overlay")


def test_every_number_key_selects_its_object(opened: Driver) -> None:
    for _ in range(9):
        opened.trigger("object.add")
    for number in range(1, 10):
        opened.trigger(f"object.select_{number}")
        assert opened.session.objects.selected == number


def test_up_and_down_go_through_the_list(opened: Driver) -> None:
    for _ in range(3):
        opened.trigger("object.add")
    opened.trigger("object.previous")
    assert opened.session.objects.selected == 2
    opened.trigger("object.next")
    opened.trigger("object.next")
    assert opened.session.objects.selected == 1, "around the end"


def test_brush_keys(opened: Driver) -> None:
    size = opened.session.brush_size
    opened.trigger("tool.larger")
    assert opened.session.brush_size > size
    opened.trigger("tool.smaller")
    opened.trigger("tool.smaller")
    assert opened.session.brush_size < size


@pytest.mark.parametrize("follows", [True, False])
def test_the_view_follows_a_propagation_if_wanted(start: Start, synthetic_folder: Path, follows: bool) -> None:
    build = FakeBuilder()
    driver = start("--images", synthetic_folder, build=build)
    driver.wait_open()
    driver.wait_idle()
    if not follows:
        driver.trigger("propagate.follow")
    driver.trigger("tool.brush")
    driver.click(30, 30)
    build.gate.close()
    driver.trigger("propagate.forward")
    build.gate.allow(4)
    driver.wait(lambda: driver.mask(4).any())
    if follows:
        driver.wait(lambda: driver.session.frame == 4)
    assert follows or driver.session.frame == 0
    build.gate.open()
    driver.wait(lambda: not driver.window.controller.propagation.is_running)


def test_only_the_selected_object_is_carried(opened: Driver) -> None:
    opened.trigger("tool.lasso")
    opened.drag([(20, 20), (40, 20), (40, 40), (20, 40)])
    opened.trigger("object.add")
    opened.drag([(60, 20), (80, 20), (80, 40), (60, 40)])
    opened.trigger("propagate.only_selected")
    opened.trigger("propagate.forward")
    opened.wait(lambda: not opened.window.controller.propagation.is_running)
    opened.wait_idle()
    assert area(opened.mask(5), 1) == 0 and area(opened.mask(5), 2) == 400
    assert np.array_equal(np.unique(opened.mask(0)), [0, 1, 2])


def test_a_recent_video_is_opened_from_the_menu(opened: Driver, synthetic_folder: Path) -> None:
    window = opened.window
    entry = next(a for a in window.menuBar().actions() if a.text().replace("&", "") == "File").menu()
    assert window.actions_by_id["file.open_recent"].isEnabled() and entry is not None
    window.recent_menu.aboutToShow.emit()
    [recent] = window.recent_menu.actions()
    assert recent.text().replace("&&", "&") == str(synthetic_folder.absolute())
    before = opened.session
    recent.trigger()
    opened.wait(lambda: window.controller.video is not None and window.controller.video.session is not before)
    opened.wait_idle()


def test_quit(opened: Driver, qtbot: QtBot) -> None:
    opened.trigger("file.quit")
    opened.wait(lambda: not opened.window.isVisible())
