"""Objects in the window, by mouse and keys: the list's switches, editing in place, order, dialogs, marks, questions."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QApplication,
    QColorDialog,
    QComboBox,
    QDialog,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from gui.dialogs import Dialogs
from gui.object_dialogs import GoToDialog, ScopeDialog, find_object
from gui.object_row import PARTS, ObjectRow, RowPart, describe
from interact.session import VideoSession
from tests.gui.conftest import Start
from tests.gui.driver import Driver, FakeDialogs, send_mouse
from util.palette import davis_palette, object_color

NUM_FRAMES = 12


def press(driver: Driver, action_id: str) -> None:
    """Press the key of an action, as the table says it."""
    window = driver.window
    keys = QKeySequence(window.actions_by_id.specs[action_id].shortcuts[0])[0]
    assert driver.is_enabled(action_id), f"{action_id} is grey"
    driver.wait(lambda: QApplication.activePopupWidget() is None and QApplication.activeModalWidget() is None)
    window.activateWindow()
    driver.wait(window.isActiveWindow)
    modifiers = Qt.KeyboardModifiers(keys & int(Qt.KeyboardModifierMask))
    QTest.keyClick(window.canvas, keys & ~int(Qt.KeyboardModifierMask), modifiers)


def blocks(size: tuple[int, int], *places: tuple[int, int, int]) -> np.ndarray:
    """(id, x, y) of 10x10 blocks."""
    mask = np.zeros(size, np.uint8)
    for object_id, x, y in places:
        mask[y : y + 10, x : x + 10] = object_id
    return mask


@pytest.fixture
def three(opened: Driver) -> Driver:
    """Objects 1 to 3, each a block on every frame; 1 has a second block; 2 is selected; nothing is fixed."""
    session = opened.session
    size = tuple(session.frames.size)
    mask = blocks(size, (1, 5, 5), (1, 5, 40), (2, 30, 5), (3, 60, 5))
    session.import_masks({frame: mask for frame in range(NUM_FRAMES)})
    session.key_frames.replace({frame: frozenset() for frame in range(NUM_FRAMES)})
    session.select_object(2)
    opened.wait_idle()
    return opened


def row_of(driver: Driver, object_id: int) -> ObjectRow:
    return next(row for row in driver.window.object_panel.model.rows if row.object_id == object_id)


def point_of(driver: Driver, object_id: int, part: RowPart | None = None, *, is_class: bool = False) -> QPoint:
    """Where in the list's viewport a row is, or a part of it."""
    panel = driver.window.object_panel
    place = [row.object_id for row in panel.model.rows].index(object_id)
    rect = panel.view.visualRect(panel.model.index(place))
    delegate = panel.view.delegate
    return (delegate.line(rect, is_class=is_class) if part is None else delegate.area(part, rect)).center()


def click(driver: Driver, object_id: int, part: RowPart | None = None) -> None:
    QTest.mouseClick(
        driver.window.object_panel.view.viewport(), Qt.LeftButton, pos=point_of(driver, object_id, part)
    )


def dialog(driver: Driver, name: str) -> QDialog:
    found: list[QDialog] = []

    def look() -> bool:
        found[:] = [d for d in driver.window.findChildren(QDialog, name) if d.isVisible()]
        return bool(found)

    driver.wait(look)
    return found[0]


def answer_scope(driver: Driver, scope: str, other: int | None = None) -> None:
    """Fill in the dialog with the mouse and press Enter."""
    asked = dialog(driver, "scope")
    if other is not None:
        box = asked.findChild(QComboBox, "other")
        box.setCurrentIndex(box.findData(other))
    QTest.mouseClick(asked.findChild(QRadioButton, f"scope_{scope}"), Qt.LeftButton, pos=QPoint(8, 8))
    QTest.keyClick(asked, Qt.Key_Return)
    driver.wait_idle()


def ids(session: VideoSession, frame: int) -> set[int]:
    return set(session.masks.object_ids(frame))


# ---- the list --------------------------------------------------------------------------------------------------------


def test_the_switches_of_a_row(three: Driver) -> None:
    objects = three.session.objects
    before = three.window.canvas.grab().toImage()
    click(three, 1, "eye")
    assert objects.hidden == {1} and not row_of(three, 1).is_visible and objects.selected == 2
    assert three.window.canvas.grab().toImage() != before
    click(three, 1, "eye")
    click(three, 3, "solo")
    assert objects.undrawn == {1, 2} and row_of(three, 3).is_solo
    click(three, 3, "solo")
    click(three, 2, "lock")
    assert objects.locked == {2} and row_of(three, 2).is_locked
    assert three.session.history.undo_label == "lock object 2"
    click(three, 3)
    assert objects.selected == 3


def test_a_press_that_ends_elsewhere_is_no_click(three: Driver) -> None:
    viewport = three.window.object_panel.view.viewport()
    QTest.mousePress(viewport, Qt.LeftButton, pos=point_of(three, 1, "eye"))
    QTest.mouseRelease(viewport, Qt.LeftButton, pos=point_of(three, 2, "eye"))
    assert not three.session.objects.hidden and three.session.objects.selected == 2


@pytest.mark.parametrize(("is_class", "text"), [(False, "frisbee"), (True, "toy")])
def test_name_and_class_are_edited_in_place(three: Driver, is_class: bool, text: str) -> None:
    view = three.window.object_panel.view
    at = point_of(three, 3, is_class=is_class)
    QTest.mouseClick(view.viewport(), Qt.LeftButton, pos=at)
    QTest.mouseDClick(view.viewport(), Qt.LeftButton, pos=at)
    editor = view.findChild(QLineEdit)
    assert editor is not None and editor.text() == ("" if is_class else "object 3")
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key_Return)
    objects = three.session.objects
    three.wait(lambda: (objects.get(3).category if is_class else objects.name(3)) == text)
    assert (row_of(three, 3).category if is_class else row_of(three, 3).name) == text
    three.trigger("edit.undo")
    assert three.session.objects.get(3).category == "" and three.session.objects.name(3) == "object 3"


@pytest.mark.parametrize(("action_id", "is_class"), [("object.rename", False), ("object.set_class", True)])
def test_keys_open_the_editors(three: Driver, action_id: str, is_class: bool) -> None:
    press(three, action_id)
    editor = three.window.object_panel.view.findChild(QLineEdit)
    QTest.keyClicks(editor, "x")
    QTest.keyClick(editor, Qt.Key_Return)
    objects = three.session.objects
    expected = ("x", "object 2") if is_class else ("", "x")
    three.wait(lambda: (objects.get(2).category, objects.name(2)) == expected)


def test_dragging_a_row_changes_the_order(three: Driver) -> None:
    viewport = three.window.object_panel.view.viewport()
    start, end = point_of(three, 3), point_of(three, 1) - QPoint(0, 6)
    send_mouse(viewport, QEvent.MouseButtonPress, QPointF(start), Qt.LeftButton, Qt.LeftButton)
    for at in ((start + end) / 2, end):
        send_mouse(viewport, QEvent.MouseMove, QPointF(at), Qt.NoButton, Qt.LeftButton)
    assert three.session.objects.order == (1, 2, 3)
    send_mouse(viewport, QEvent.MouseButtonRelease, QPointF(end), Qt.LeftButton, Qt.NoButton)
    assert three.session.objects.order == (3, 1, 2) and three.session.history.undo_label == "move object 3"
    assert [row.object_id for row in three.window.object_panel.model.rows] == [3, 1, 2]
    three.trigger("edit.undo")
    assert three.session.objects.order == (1, 2, 3)


def test_the_menu_of_a_row_offers_every_operation(three: Driver) -> None:
    offered = {action.objectName() for action in three.window.object_panel.view.actions()}
    assert offered >= {"object.merge", "object.swap", "object.split", "object.delete", "object.set_color"}
    for part in (None, *PARTS):
        assert describe(row_of(three, 2), part).endswith(".")


def test_a_list_longer_than_the_panel_scrolls_to_the_selected_row(opened: Driver) -> None:
    for _ in range(12):
        opened.trigger("object.add")
    view = opened.window.object_panel.view
    assert view.viewport().rect().contains(view.visualRect(view.currentIndex()).center())


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_objects_beyond_nine_are_reached_by_keys(opened: Driver) -> None:
    for _ in range(12):
        press(opened, "object.add")
    session = opened.session
    session.rename_object(11, "left hand")
    press(opened, "object.select_1")
    assert session.objects.selected == 1
    for text, expected in (("12", 12), ("hand", 11)):
        press(opened, "object.go_to")
        asked = dialog(opened, "go_to")
        assert isinstance(asked, GoToDialog)
        QTest.keyClicks(asked.entry, text)
        QTest.keyClick(asked.entry, Qt.Key_Return)
        assert session.objects.selected == expected and not asked.isVisible()
    press(opened, "object.next")
    assert session.objects.selected == 12
    press(opened, "object.go_to")
    asked = dialog(opened, "go_to")
    assert isinstance(asked, GoToDialog)
    QTest.keyClicks(asked.entry, "77")
    QTest.keyClick(asked.entry, Qt.Key_Return)
    assert asked.isVisible() and "no such object" in asked.answer.text()
    QTest.keyClick(asked, Qt.Key_Escape)
    assert session.objects.selected == 12


def test_how_an_object_is_found() -> None:
    rows = [ObjectRow(1, "dog", (0, 0, 0)), ObjectRow(12, "2 cats", (0, 0, 0), category="pet"),
            ObjectRow(2, "bird", (0, 0, 0))]
    found = {text: find_object(rows, text) for text in ("2", "12", "2 c", "CATS", "pe", "2 bird", "", "zebra")}
    assert found == {"2": 2, "12": 12, "2 c": 12, "CATS": 12, "pe": 12, "2 bird": 2, "": None, "zebra": None}


Check = Callable[[VideoSession], bool]


@pytest.mark.parametrize(("action_id", "is_done"), [
    ("object.toggle_visible", lambda s: s.objects.hidden == {2}),
    ("object.solo", lambda s: s.objects.solo == {2}),
    ("object.lock", lambda s: s.objects.locked == {2}),
    ("object.move_up", lambda s: s.objects.order == (2, 1, 3)),
    ("object.move_down", lambda s: s.objects.order == (1, 3, 2)),
    ("object.delete", lambda s: s.objects.order == (1, 3) and 2 not in s.masks.object_ids(7)),
    ("frame.lock", lambda s: s.marks["locked"] == {0: {2}}),
    ("frame.verify", lambda s: s.marks["verified"] == {0: {2}}),
    ("frame.verify_all", lambda s: s.marks["verified"] == {0: {1, 2, 3}}),
])  # fmt: skip
def test_every_key_does_its_work_and_again_takes_it_back(three: Driver, action_id: str, is_done: Check) -> None:
    session = three.session
    assert not is_done(session)
    press(three, action_id)
    three.wait_idle()
    assert is_done(session)
    if action_id in ("object.move_up", "object.move_down", "object.delete"):
        three.trigger("edit.undo")
    else:
        press(three, action_id)
    three.wait_idle()
    assert not is_done(session)


# ---- dialogs ---------------------------------------------------------------------------------------------------------


def test_merge_over_the_whole_video(three: Driver) -> None:
    press(three, "object.merge")
    answer_scope(three, "all", other=1)
    assert three.session.objects.order == (1, 3) and ids(three.session, 11) == {1, 3}
    three.trigger("edit.undo")
    three.wait_idle()
    assert ids(three.session, 11) == {1, 2, 3}


def test_swap_from_this_frame_on(three: Driver) -> None:
    session = three.session
    session.seek(4)
    three.wait_idle()
    press(three, "object.swap")
    answer_scope(three, "onward", other=3)
    assert [int(session.masks.get(frame)[8, 33]) for frame in (3, 4, 11)] == [2, 3, 3]


def test_delete_on_a_range_of_frames(three: Driver) -> None:
    press(three, "object.delete_range")
    asked = dialog(three, "scope")
    assert isinstance(asked, ScopeDialog)
    for spin, value in ((asked.last, 3), (asked.first, 5)):
        spin.setFocus()
        spin.selectAll()
        QTest.keyClicks(spin, str(value))
    assert asked.frames == range(3, 6), "whichever way round"
    QTest.keyClick(asked, Qt.Key_Return)
    three.wait_idle()
    assert [2 in ids(three.session, frame) for frame in (2, 3, 5, 6)] == [True, False, False, True]
    assert 2 in three.session.objects


def test_split_off_loose_parts_up_to_this_frame(three: Driver) -> None:
    session = three.session
    session.seek(3)
    session.select_object(1)
    three.wait_idle()
    press(three, "object.split")
    answer_scope(three, "before")
    assert session.objects.order == (1, 4, 2, 3) and session.objects.selected == 4
    assert [4 in ids(session, frame) for frame in (0, 3, 4)] == [True, True, False]
    press(three, "object.split")
    answer_scope(three, "frame")
    assert "in one piece" in three.dialogs.errors[-1].message


def test_split_by_drawing_an_outline(three: Driver) -> None:
    session = three.session
    press(three, "object.split_drawn")
    assert session.tool.name == "polygon" and "Draw around" in three.window.hint_label.full_text
    for corner in ((28, 2), (35, 2), (35, 18), (28, 18)):
        three.click(*corner)
    three.double_click(28, 10)
    answer_scope(three, "all")
    assert session.objects.order == (1, 2, 4, 3)
    mask = session.masks.get(11)
    assert mask[8, 32] == 4 and mask[8, 38] == 2


def test_going_to_another_frame_gives_up_the_outline(three: Driver) -> None:
    press(three, "object.split_drawn")
    three.trigger("frame.next")
    assert three.session.outline_taker is None


def test_merging_needs_another_object(opened: Driver) -> None:
    opened.trigger("object.add")
    press(opened, "object.merge")
    assert "no other object" in opened.dialogs.errors[-1].message


def test_the_colour_is_chosen_shown_and_kept(three: Driver) -> None:
    session, window = three.session, three.window
    press(three, "object.set_color")
    asked = dialog(three, "color")
    QTest.mouseClick(asked.findChild(QToolButton, "color_7"), Qt.LeftButton)
    davis = tuple(davis_palette()[7].tolist())
    assert session.objects.get(2).color == davis and row_of(three, 2).color == object_color(7)
    click(three, 2, "swatch")
    QTest.mouseClick(dialog(three, "color").findChild(QPushButton, "other"), Qt.LeftButton)
    other = window.findChild(QColorDialog)
    other.setCurrentColor(Qt.magenta)
    QTest.keyClick(other, Qt.Key_Return)
    three.wait(lambda: session.objects.get(2).color == (255, 0, 255))
    before = window.canvas.grab().toImage()
    kept = {info.object_id: info.color for info in session.workspace.project.objects}
    assert kept == {1: None, 2: (255, 0, 255), 3: None}, "what exported files take their colours from"
    press(three, "object.set_color")
    QTest.mouseClick(dialog(three, "color").findChild(QPushButton, "default"), Qt.LeftButton)
    assert session.objects.get(2).color is None and window.canvas.grab().toImage() != before


# ---- protection ------------------------------------------------------------------------------------------------------


def test_painting_over_a_locked_object_asks(three: Driver) -> None:
    session = three.session
    click(three, 1, "lock")
    three.trigger("tool.brush")
    three.dialogs.says_yes = False
    before = session.masks.get(0).copy()
    three.drag([(8, 8), (40, 8)])
    assert three.dialogs.questions == ["“paint object 2” would change object 1 (locked)."]
    after = session.masks.get(0)
    assert ((after == 1) == (before == 1)).all() and after[8, 22] == 2
    three.dialogs.says_yes = True
    three.drag([(8, 8), (40, 8)])
    assert session.masks.get(0)[8, 8] == 2
    three.trigger("edit.undo")
    three.trigger("edit.undo")
    assert (session.masks.get(0) == before).all()


@pytest.mark.parametrize("answer", ["Change anyway", "Keep", "Esc"])
def test_the_question_is_a_dialog_and_waits(three: Driver, qtbot: QtBot, answer: str) -> None:
    session, window = three.session, three.window
    window.dialogs = Dialogs(window)
    press(three, "frame.verify")
    press(three, "edit.clear_frame")
    box = next(d for d in window.findChildren(QDialog) if d.isVisible())
    assert session.is_locked and not three.is_enabled("object.add") and ids(session, 0) == {1, 2, 3}
    if answer == "Esc":
        QTest.keyClick(box, Qt.Key_Escape)
    else:
        button = next(b for b in box.findChildren(QPushButton) if b.text() == answer)
        QTest.mouseClick(button, Qt.LeftButton)
    three.wait(lambda: not session.is_locked)
    assert ids(session, 0) == (set() if answer == "Change anyway" else {2})
    assert session.marks["verified"] == ({} if answer == "Change anyway" else {0: {2}})
    assert three.is_enabled("object.add")
    window.dialogs = FakeDialogs(window)


def test_a_long_edit_shows_its_bar_and_esc_takes_it_back(three: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    session, window = three.session, three.window
    session.steps.short_pixels = 0
    monkeypatch.setattr("gui.long_edits.SHOW_AFTER", 0)
    window.controller.long_edits._timer.setInterval(0)
    before = [session.masks.get(frame).tobytes() for frame in range(NUM_FRAMES)]
    gate = three.window.controller.long_edits
    apply = session.masks.apply
    calls = 0

    def counted(delta: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            assert window.edit_bar.isVisible() or gate.can_cancel
            press(three, "propagate.cancel")
        apply(delta)  # type: ignore[arg-type]

    monkeypatch.setattr(session.masks, "apply", counted)
    press(three, "object.delete")
    assert session.is_locked and not three.is_enabled("object.add")
    three.wait_idle()
    assert [session.masks.get(frame).tobytes() for frame in range(NUM_FRAMES)] == before
    assert session.objects.order == (1, 2, 3) and not session.is_locked and not window.edit_bar.isVisible()
    assert "nothing was changed" in window.hint_label.full_text
    monkeypatch.setattr(session.masks, "apply", apply)
    press(three, "object.delete")
    three.wait_idle()
    assert session.objects.order == (1, 3) and ids(session, 9) == {1, 3}


def test_everything_is_there_after_opening_again(three: Driver, start: Start, synthetic_folder: Path) -> None:
    three.session.set_category(2, "cat")
    for part in ("eye", "solo", "lock"):
        click(three, 3, part)  # type: ignore[arg-type]
    press(three, "frame.verify_all")
    rows = three.window.object_panel.model.rows
    three.wait(lambda: row_of(three, 3).is_verified)
    rows = three.window.object_panel.model.rows
    three.close()
    again = start("--images", synthetic_folder)
    again.wait_open()
    again.wait_idle()
    again.wait(lambda: again.window.object_panel.model.rows == rows)


def test_every_object_action_is_tried_here(opened: Driver) -> None:
    text = Path(__file__).read_text()
    left = {name for name in opened.window.controller.objects.commands() if f'"{name}"' not in text}
    assert left <= {"object.restore", "object.clean", "object.fainter", "object.stronger"}, "tried elsewhere"
