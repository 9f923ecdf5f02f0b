"""The window at work: opening, the tools, objects, moving about. The engine is a fake."""
from __future__ import annotations

from pathlib import Path

import numpy as np
from PyQt5.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt5.QtGui import QDropEvent
from PyQt5.QtWidgets import QAction, QLineEdit, QProgressBar, QWidget
from pytestqt.qtbot import QtBot

from gui.actions import ACTIONS
from tests.gui.conftest import Start
from tests.gui.driver import Driver, area
from tests.synthetic import SyntheticVideo


def test_the_start_page_offers_what_can_be_done(start: Start) -> None:
    driver = start()
    window = driver.window
    assert window.windowTitle() == "Video masks" and window.start_page.isVisible() and not window.canvas.isVisible()
    assert driver.is_enabled("file.open_video") and not driver.is_enabled("propagate.both")
    for name, kind in (("canvas", QWidget), ("timeline", QWidget), ("objects", QWidget), ("progress", QProgressBar)):
        assert window.findChild(kind, name) is not None
    for spec in ACTIONS:
        assert window.findChild(QAction, spec.action_id) is not None


def test_opening_a_folder_by_flag_shows_it(opened: Driver, synthetic_folder: Path) -> None:
    window = opened.window
    assert window.windowTitle() == f"synthetic — workspace {synthetic_folder.name}.masks"
    assert window.canvas.isVisible() and window.bottom.isVisible()
    assert window.facts_label.text() == "0 objects · 12 frames · 97×65 · 24 fps"
    assert window.top_bar.engine.text() == "Engine: fake · CPU"
    assert opened.session.workspace.folder == synthetic_folder.with_name("synthetic.masks")
    assert window.saved_label.text().startswith("✔ saved ")
    assert window.settings.recent == [synthetic_folder]


def test_opening_by_dialog_drop_and_recent_list(
    start: Start, synthetic_folder: Path, synthetic_video: SyntheticVideo, tmp_path: Path
) -> None:
    driver = start()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(synthetic_folder))])
    driver.window.dropEvent(QDropEvent(QPointF(50, 50), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier))
    driver.wait_open()
    driver.dialogs.folder = synthetic_folder
    driver.trigger("file.open_folder")
    driver.wait(lambda: not driver.window.controller.opener.is_opening)
    driver.wait_open()
    first = driver.session
    other = synthetic_video.write_frames(tmp_path / "other")
    driver.window.canvas.dropped.emit(other)
    driver.wait(lambda: driver.window.controller.video is not None and driver.session is not first)
    assert driver.session.frames.source.path == other
    driver.wait_idle()
    driver.window.recent_menu.aboutToShow.emit()
    texts = [action.text() for action in driver.window.recent_menu.actions()]
    assert texts == [str(other), str(synthetic_folder)]
    driver.window.recent_menu.actions()[1].trigger()
    driver.wait(lambda: driver.window.controller.video is not None
                and driver.session.frames.source.path == synthetic_folder)
    assert driver.dialogs.errors == []


def test_a_bad_video_is_a_dialog_and_what_was_open_stays(opened: Driver, tmp_path: Path) -> None:
    bad = tmp_path / "broken.mp4"
    bad.write_bytes(b"not a video")
    session = opened.session
    opened.window.controller.open(bad)
    opened.wait(lambda: opened.dialogs.errors)
    assert "broken.mp4" in opened.dialogs.errors[0].message
    assert opened.session is session and not opened.window.controller.has_failed_start


def test_a_bad_video_by_flag_is_told_and_remembered_for_the_exit_code(start: Start, tmp_path: Path) -> None:
    empty = tmp_path / "nothing"
    empty.mkdir()
    driver = start("--images", empty)
    driver.wait(lambda: driver.dialogs.errors)
    assert str(empty) in driver.dialogs.errors[0].message
    assert driver.window.controller.has_failed_start and driver.window.start_page.isVisible()


def test_a_second_window_on_the_same_workspace_is_refused(opened: Driver, start: Start, synthetic_folder: Path) -> None:
    second = start("--images", synthetic_folder)
    second.wait(lambda: second.dialogs.errors)
    assert "synthetic.masks" in str(second.dialogs.errors[0])
    assert second.window.controller.video is None
    opened.trigger("object.add")
    assert opened.session.objects.order == (1,)


def test_opening_the_open_video_again_is_a_fresh_start_on_the_same_masks(
    opened: Driver, synthetic_folder: Path
) -> None:
    opened.trigger("tool.brush")
    opened.click(30, 30)
    painted = opened.mask().copy()
    old = opened.session
    opened.window.controller.open(synthetic_folder)
    opened.wait(lambda: opened.window.controller.video is not None and opened.session is not old)
    opened.wait_open()
    assert np.array_equal(opened.mask(), painted) and painted.any()
    assert opened.dialogs.errors == []


def test_brush_eraser_and_right_button(opened: Driver) -> None:
    opened.trigger("tool.brush")
    opened.window.controller.edit.set_brush_size(8)
    opened.drag([(20, 30), (40, 30)])
    painted = area(opened.mask(), 1)
    assert painted > 150 and opened.session.objects.order == (1,)
    opened.drag([(20, 30), (24, 30)], Qt.RightButton)
    fewer = area(opened.mask(), 1)
    assert fewer < painted
    opened.trigger("tool.eraser")
    opened.drag([(20, 30), (40, 30)])
    assert area(opened.mask(), 1) < fewer
    assert opened.session.key_frames.on(0) == {1}
    assert opened.window.object_panel.model.rows[0].object_id == 1


def test_polygon_closes_on_a_double_click_and_esc_starts_over(opened: Driver, qtbot: QtBot) -> None:
    opened.trigger("tool.polygon")
    opened.click(10, 10)
    opened.click(30, 10)
    assert opened.session.preview_polygon()
    qtbot.keyClick(opened.window.canvas, Qt.Key_Escape)
    assert not opened.session.preview_polygon()
    for corner in ((10, 10), (50, 10)):
        opened.click(*corner)
    opened.double_click(50, 40)
    assert 500 < area(opened.mask(), 1) < 700


def test_undo_takes_back_a_polygon_corner_although_nothing_is_in_the_history(opened: Driver) -> None:
    opened.trigger("object.add")
    opened.trigger("tool.polygon")
    opened.trigger("edit.undo")
    assert not opened.is_enabled("edit.undo")
    opened.trigger("edit.redo")
    opened.click(10, 10)
    opened.trigger("edit.undo")
    assert not opened.session.preview_polygon() and opened.session.objects.order == (1,)


def test_a_click_is_predicted_on_the_worker(opened: Driver) -> None:
    opened.click(26.5, 30.5)
    assert [marker.positive for marker in opened.window.canvas._markers] == [True], "the marker is there at once"
    opened.wait(lambda: area(opened.mask(), 1))
    assert opened.mask()[30, 26] == 1
    assert opened.window.tool_panel.prompts.value.text() == "1 +  ·  0 −"
    opened.click(90.5, 60.5, Qt.RightButton)
    opened.wait_idle()
    assert opened.mask()[60, 90] == 0 and opened.window.tool_panel.prompts.value.text() == "1 +  ·  1 −"


def test_undo_and_redo_say_what_they_would_do(opened: Driver) -> None:
    assert not opened.is_enabled("edit.undo")
    opened.trigger("tool.brush")
    opened.click(30, 30)
    painted = opened.mask().copy()
    assert opened.window.top_bar.undo.defaultAction().text() == "Undo “paint object 1”"
    opened.trigger("edit.undo")
    assert not opened.mask().any()
    assert opened.window.top_bar.redo.defaultAction().text() == "Redo “paint object 1”"
    opened.trigger("edit.redo")
    assert np.array_equal(opened.mask(), painted)


def test_objects_by_key_by_list_and_by_name(opened: Driver, qtbot: QtBot) -> None:
    for _ in range(3):
        opened.trigger("object.add")
    window = opened.window
    assert opened.session.objects.selected == 3
    opened.trigger("object.select_1")
    assert opened.session.objects.selected == 1 and window.object_panel.view.currentIndex().row() == 0
    opened.trigger("object.select_7")
    assert opened.session.objects.selected == 1 and "no object 7" in window.hint_label.full_text
    opened.trigger("object.next")
    assert opened.session.objects.selected == 2
    opened.trigger("object.rename")
    editor = window.object_panel.view.findChild(QLineEdit)
    editor.setText("frisbee")
    qtbot.keyClick(editor, Qt.Key_Return)
    opened.wait(lambda: opened.session.objects.name(2) == "frisbee")
    opened.trigger("object.delete")
    assert opened.session.objects.order == (1, 3)
    opened.trigger("edit.undo")
    assert opened.session.objects.name(2) == "frisbee"
    assert window.facts_label.text().startswith("3 objects")


def test_hiding_an_object_leaves_its_mask(opened: Driver) -> None:
    opened.trigger("tool.brush")
    opened.click(30, 30)
    before = opened.window.canvas.grab().toImage()
    opened.trigger("object.toggle_visible")
    assert not opened.window.object_panel.model.rows[0].is_visible
    assert opened.window.canvas.grab().toImage() != before and area(opened.mask(), 1)
    opened.trigger("object.toggle_visible")
    assert opened.window.object_panel.model.rows[0].is_visible


def test_moving_through_the_frames(opened: Driver) -> None:
    steps = [
        ("frame.next", 1), ("frame.next", 2), ("frame.previous", 1), ("frame.next_10", 11), ("frame.next", 11),
        ("frame.previous_10", 1), ("frame.last", 11), ("frame.first", 0),
    ]
    for action_id, frame in steps:
        opened.trigger(action_id)
        assert opened.session.frame == frame
    opened.window.timeline.seek_requested.emit(7)
    opened.wait_open()
    assert opened.session.frame == 7 and opened.window.transport.position.text() == "00:00.292 / 00:00.458"


def test_key_frames_are_found_again(opened: Driver) -> None:
    opened.trigger("tool.brush")
    for frame in (2, 8):
        opened.window.controller.edit.seek(frame)
        opened.wait_open()
        opened.click(30, 30)
    opened.trigger("frame.previous_key")
    assert opened.session.frame == 2
    opened.trigger("frame.previous_key")
    assert opened.session.frame == 2 and "no key frame before" in opened.window.hint_label.full_text
    opened.trigger("frame.next_key")
    assert opened.session.frame == 8


def test_playing_shows_frames_and_stops_at_the_end(opened: Driver) -> None:
    shown: list[int] = []
    opened.window.controller.video.view.shown.connect(shown.append)  # type: ignore[union-attr]
    opened.trigger("play.toggle")
    opened.wait(lambda: opened.session.frame == 11)
    opened.wait(lambda: not opened.window.controller.video.view.player.is_playing)  # type: ignore[union-attr]
    assert shown == sorted(shown) and len(shown) >= 2


def test_a_press_stops_playing(opened: Driver) -> None:
    opened.trigger("play.toggle")
    view = opened.window.controller.video.view  # type: ignore[union-attr]
    assert view.player.is_playing
    opened.click(30, 30)
    assert not view.player.is_playing


def test_brush_size_by_key_slider_and_panel(opened: Driver) -> None:
    panel = opened.window.tool_panel
    size = opened.session.brush_size
    opened.trigger("tool.larger")
    assert opened.session.brush_size > size and panel.size_spin.value() == opened.session.brush_size
    panel.size_slider.setValue(33)
    assert opened.session.brush_size == 33
    opened.window.canvas.brush_resized.emit(-1)
    assert opened.session.brush_size < 33 and panel.size_slider.value() == opened.session.brush_size
    opened.window.controller.edit.set_brush_size(1)
    opened.trigger("tool.larger")
    assert opened.session.brush_size == 2


def test_looks_are_kept_for_the_next_window(opened: Driver, start: Start) -> None:
    opened.window.top_bar.opacity.setValue(4)
    opened.trigger("view.contour")
    opened.close()
    again = start()
    assert again.window.top_bar.opacity.value() == 4
    assert not again.window.actions_by_id["view.contour"].isChecked()
