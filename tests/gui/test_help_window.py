"""Cheat sheet, preferences and key map, self-check, first steps, the log: through the real widgets."""
from __future__ import annotations

import logging
from pathlib import Path

import pytest
from PyQt5.QtCore import QSettings, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from gui import theme
from gui.actions import ACTIONS
from gui.cheat_sheet import MOUSE
from gui.settings import Settings
from interact.self_check import Finding
from tests.gui.conftest import Start
from tests.gui.driver import Driver
from util.errors import AppError
from util.log_file import log_path, start_log, stop_log


@pytest.fixture
def empty(start: Start) -> Driver:
    return start()


def press(driver: Driver, key: int, modifiers: Qt.KeyboardModifier = Qt.NoModifier) -> None:
    driver.activate()
    QTest.keyClick(driver.window, key, modifiers)


# -- cheat sheet


def test_the_cheat_sheet_has_every_action_with_its_keys(empty: Driver) -> None:
    press(empty, Qt.Key_Question)
    sheet = empty.window.controller.help.cheat_sheet
    assert sheet is not None and sheet.isVisible()
    shown = sheet.tree.shown()
    assert set(shown) == {spec.text.rstrip("…") for spec in ACTIONS} | {row[0] for row in MOUSE}
    for spec in ACTIONS:
        sheet.tree.select(spec.action_id)
        keys = sheet.tree.currentItem().text(1)
        assert all(QKeySequence(key).toString(QKeySequence.NativeText) in keys for key in spec.shortcuts)


def test_the_cheat_sheet_is_searched_by_words_and_keys(empty: Driver) -> None:
    empty.trigger("help.keys")
    sheet = empty.window.controller.help.cheat_sheet
    search = sheet.findChild(QLineEdit, "search")
    QTest.keyClicks(search, "mask only")
    assert sheet.tree.shown() == ["Masks only"]
    search.clear()
    QTest.keyClicks(search, "ctrl+g")
    assert "Go to frame" in sheet.tree.shown() and "Masks only" not in sheet.tree.shown()
    search.setText("no such thing")
    assert sheet.tree.shown() == [] and "Nothing" in sheet.count.text()


# -- key map


def preferences(driver: Driver, action_id: str):  # noqa: ANN201 - the page of the window
    press(driver, Qt.Key_Comma, Qt.ControlModifier)
    page = driver.window.controller.help.preferences
    assert page is not None and page.isVisible()
    page.tabs.setCurrentIndex(1)
    page.keys.tree.select(action_id)
    return page


def test_a_key_is_changed_used_shown_and_kept(opened: Driver, start: Start, synthetic_folder: Path) -> None:
    page = preferences(opened, "object.add")
    page.keys.editor.setFocus()
    QTest.keyClick(page.keys.editor, Qt.Key_F12, Qt.ControlModifier)
    page.keys.set_button.click()
    action = opened.window.actions_by_id["object.add"]
    assert [keys.toString() for keys in action.shortcuts()] == ["Ctrl+F12"]
    assert action.toolTip().endswith("(Ctrl+F12)")
    assert page.keys.tree.currentItem().text(1) == "Ctrl+F12"
    page.close()
    press(opened, Qt.Key_F12, Qt.ControlModifier)
    press(opened, Qt.Key_N)
    assert len(opened.session.objects) == 1
    opened.close()
    again = start("--images", synthetic_folder)
    assert again.window.key_map.keys("object.add") == ("Ctrl+F12",) and again.window.key_map.is_own("object.add")


def test_a_key_that_is_taken_is_refused_and_says_whose_it_is(empty: Driver) -> None:
    page = preferences(empty, "object.add")
    page.keys.editor.setKeySequence(QKeySequence("Ctrl+Z"))
    page.keys.set_button.click()
    assert "Undo" in page.keys.note.text() and empty.window.key_map.keys("object.add") == ("N",)
    assert Settings().keys() == {}


def test_an_action_may_have_several_keys(empty: Driver, qtbot: QtBot) -> None:
    page, actions = preferences(empty, "object.add"), empty.window.actions_by_id
    for key, expected in (("Ctrl+F12", ("N", "Ctrl+F12")), ("F12", ("N", "Ctrl+F12", "F12"))):
        page.keys.editor.setKeySequence(QKeySequence(key))
        assert page.keys.note.text() == "This key is free." and not page.keys.take_button.isVisible()
        qtbot.mouseClick(page.keys.add_button, Qt.LeftButton)
        assert actions.keys("object.add") == expected
    assert [chip.text().strip() for chip in page.keys.chips] == ["N", "Ctrl+F12", "F12"]
    assert page.keys.tree.currentItem().text(1) == "N, Ctrl+F12, F12"
    qtbot.mouseClick(page.keys.chips[1], Qt.LeftButton)
    assert actions.keys("object.add") == ("N", "F12") == Settings().keys()["object.add"]
    assert [keys.toString() for keys in actions["object.add"].shortcuts()] == ["N", "F12"]
    page.keys.editor.setKeySequence(QKeySequence("F12"))
    qtbot.mouseClick(page.keys.add_button, Qt.LeftButton)
    assert actions.keys("object.add") == ("N", "F12"), "not twice"


def test_a_key_of_another_action_is_named_and_can_be_taken_over(empty: Driver, qtbot: QtBot) -> None:
    page, actions = preferences(empty, "object.add"), empty.window.actions_by_id
    page.keys.editor.setKeySequence(QKeySequence("Ctrl+Y"))
    assert page.keys.note.text() == "Ctrl+Y is “Redo” already." and page.keys.take_button.isVisible()
    qtbot.mouseClick(page.keys.add_button, Qt.LeftButton)
    assert actions.keys("object.add") == ("N",) and "Redo" in page.keys.note.text()
    qtbot.mouseClick(page.keys.take_button, Qt.LeftButton)
    assert actions.keys("object.add") == ("N", "Ctrl+Y") and actions.keys("edit.redo") == ("Ctrl+Shift+Z",)
    assert Settings().keys() == {"object.add": ("N", "Ctrl+Y"), "edit.redo": ("Ctrl+Shift+Z",)}


def test_no_key_reset_and_reset_all(empty: Driver) -> None:
    page = preferences(empty, "object.add")
    page.keys.clear_button.click()
    actions = empty.window.actions_by_id
    assert actions["object.add"].shortcuts() == [] and Settings().keys() == {"object.add": ()}
    page.keys.tree.select("edit.redo")
    page.keys.editor.setKeySequence(QKeySequence("N"))
    page.keys.set_button.click()
    assert actions.keys("edit.redo") == ("N",)
    page.keys.tree.select("object.add")
    page.keys.reset_button.click()
    assert "Redo" in page.keys.note.text() and actions.keys("object.add") == (), "its key is another's now"
    page.keys.reset_all_button.click()
    assert all(actions.keys(spec.action_id) == spec.shortcuts for spec in ACTIONS) and Settings().keys() == {}


def test_keys_of_an_edited_file_never_mean_two_things(start: Start) -> None:
    store = QSettings("video-masks", "window")
    store.setValue("keys/object.add", "Ctrl+Z")
    store.setValue("keys/help.about", "F12")
    store.setValue("keys/no.such_action", "F11")
    store.sync()
    window = start().window
    assert window.key_map.keys("object.add") == ("N",) and window.key_map.keys("help.about") == ("F12",)
    kept = Settings().keys()
    assert "object.add" not in kept and kept["help.about"] == ("F12",)


def test_space_plays_only_while_it_is_the_key_for_it(opened: Driver) -> None:
    player = opened.window.controller.video.view.player
    opened.window.canvas.space_tapped.emit()
    assert player.is_playing
    opened.window.canvas.space_tapped.emit()
    opened.window.key_map.set("play.toggle", ("Ctrl+F12",))
    opened.window.canvas.space_tapped.emit()
    assert not player.is_playing


# -- preferences


def test_preferences_are_searched_on_both_pages(empty: Driver) -> None:
    page = preferences(empty, "object.add")
    page.tabs.setCurrentIndex(0)
    page.search.setText("minimap")
    visible = [row.words for row in page.rows if row.isVisibleTo(page)]
    assert len(visible) == 1 and "minimap" in visible[0] and page.tabs.currentIndex() == 0
    page.search.setText("zoom in")
    assert "Zoom in" in page.keys.tree.shown()
    page.search.setText("quit")
    assert page.tabs.currentIndex() == 1 and page.keys.tree.shown() == ["Quit"]


def test_preferences_set_what_actions_set(empty: Driver) -> None:
    page = preferences(empty, "object.add")
    page.checks["view.minimap"].click()
    assert not empty.window.actions_by_id["view.minimap"].isChecked() and not Settings().minimap
    empty.trigger("view.minimap")
    assert page.checks["view.minimap"].isChecked()
    page.mode.activated.emit(page.mode.findData("mask"))
    assert Settings().view_mode == "mask"


def test_the_look_is_chosen_and_kept(empty: Driver) -> None:
    app = QApplication.instance()
    sheet, palette, style = app.styleSheet(), app.palette(), app.style().objectName()
    page = preferences(empty, "object.add")
    try:
        page.theme.activated.emit(page.theme.findData("light"))
        assert Settings().theme == "light" and theme.WINDOW == theme.THEMES["light"].WINDOW
        page.theme.activated.emit(page.theme.findData("dark"))
        assert Settings().theme == "dark" and theme.WINDOW == theme.THEMES["dark"].WINDOW
    finally:
        app.setStyleSheet(sheet)
        app.setStyle(style)
        app.setPalette(palette)


# -- first steps


def test_first_steps_come_once_and_again_when_asked(start: Start, synthetic_folder: Path) -> None:
    driver = start("--images", synthetic_folder)
    driver.wait_open()
    tips = driver.window.tips
    assert tips.isVisible() and "N" in tips.text.text()
    for _ in range(3):
        tips.next_button.click()
    assert not tips.next_button.isVisible() and "saved" in tips.text.text()
    tips.close_button.click()
    assert not tips.isVisible() and Settings().tips_seen
    driver.close()
    again = start("--images", synthetic_folder)
    again.wait_open()
    assert not again.window.tips.isVisible()
    again.trigger("help.tips")
    assert again.window.tips.isVisible()


# -- self-check


def test_the_self_check_page_lists_what_was_found(opened: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gui.help_control.describe_device", lambda name, mixed_precision: f"{name} of a test")
    opened.trigger("help.self_check")
    page = opened.window.controller.help.self_check_page
    opened.wait(lambda: page.again_button.isEnabled())
    found = {finding.name: finding for finding in page.findings}
    assert set(found) == {"System", "Qt", "Weights", "Video formats", "User data", "Workspace", "Log file", "Device"}
    assert found["Device"].text == "auto of a test" and QApplication.platformName() in found["Qt"].text
    text = page.view.toPlainText()
    assert all(finding.name in text and finding.text in text for finding in page.findings)
    assert "Everything" in page.summary.text()
    page.copy_button.click()
    assert "auto of a test" in QApplication.clipboard().text()


def test_a_fault_is_counted_and_the_check_can_be_repeated(opened: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, *, mixed_precision: bool) -> str:
        raise AppError("no such device", "take another")

    monkeypatch.setattr("gui.help_control.describe_device", fail)
    opened.trigger("help.self_check")
    page = opened.window.controller.help.self_check_page
    opened.wait(lambda: page.again_button.isEnabled())
    assert page.findings[-1] == Finding("Device", "fault", "no such device", "take another")
    assert page.summary.text().startswith("1 point")
    monkeypatch.setattr("gui.help_control.describe_device", lambda name, mixed_precision: "cpu")
    page.again_button.click()
    opened.wait(lambda: page.again_button.isEnabled())
    assert page.summary.text().startswith("Everything")


# -- log


def test_the_log_file_gets_what_is_said(tmp_path: Path) -> None:
    handler = start_log(tmp_path / "data")
    try:
        logging.getLogger("somewhere").warning("a word")
    finally:
        stop_log(handler)
    logging.getLogger("somewhere").warning("another")
    text = log_path(tmp_path / "data").read_text(encoding="utf-8")
    assert "WARNING MainThread somewhere: a word" in text and "another" not in text


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AppError, match=r"window.log: the log cannot be written"):
        start_log(tmp_path / "file")
