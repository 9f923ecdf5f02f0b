"""Brush, eraser, polygon, objects, clearing and importing through the session."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from interact.events import PointerEvent
from interact.session import LOCKED_MESSAGE
from tests.interact.scene import NUM_FRAMES, SIZE, Driver, region
from util.errors import AppError
from util.types import Rect


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.is_locked = False
    driver.session.close()


def filled(rect: Rect, object_id: int, mask: np.ndarray | None = None) -> np.ndarray:
    result = np.zeros(SIZE, np.uint8) if mask is None else mask.copy()
    result[rect.slices] = object_id
    return result


def test_first_press_makes_an_object(hand: Driver) -> None:
    hand.drag("brush", (5, 5))
    assert hand.session.objects.order == (1,)
    assert hand.session.objects.name(1) == "object 1"
    assert hand.session.masks.object_ids(0) == {1}


def test_press_outside_the_image_does_nothing(hand: Driver) -> None:
    hand.session.set_tool("brush")
    assert hand.press(-1, 5) is None and hand.press(SIZE.width, 5) is None
    assert hand.session.objects.order == () and hand.session.history.undo_label is None


def test_brush_shows_at_once_and_is_one_step(hand: Driver) -> None:
    session = hand.session
    session.brush_size = 4
    session.set_tool("brush")
    session.dispatch(PointerEvent("press", 5, 5, "left"))
    session.dispatch(PointerEvent("move", 12, 5, "left"))
    assert session.mask[5, 9] == 1 and session.masks.is_empty(0)
    frame, rect = hand.changed[-1]
    assert frame == 0 and rect == Rect(3, 3, 15, 8)
    session.dispatch(PointerEvent("release", 12, 5, "left"))
    assert session.masks.get(0)[5, 9] == 1
    assert session.key_frames == {0: {1}}
    assert session.undo() == "paint object 1"
    assert session.masks.is_empty(0) and not session.key_frames
    assert session.undo() == "add object 1"
    assert session.undo() is None


def test_brush_takes_over_what_lies_below_but_fixes_only_its_object(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: filled(Rect(0, 0, 20, 20), 1)})
    session.key_frames.replace({0: frozenset()})
    session.add_object()
    session.brush_size = 6
    hand.drag("brush", (10, 10))
    assert session.masks.get(0)[10, 10] == 2
    assert session.key_frames[0] == {2}


def test_eraser_touches_only_the_selected_object(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: filled(Rect(10, 0, 20, 20), 2, filled(Rect(0, 0, 10, 20), 1))})
    before = region(session.masks.get(0), 2)
    session.select_object(1)
    session.brush_size = 10
    hand.drag("eraser", (10, 10), (10, 12))
    assert region(session.masks.get(0), 2) == before
    assert session.masks.get(0)[10, 8] == 0


def test_erasing_everything_fixes_the_object_as_absent(hand: Driver) -> None:
    session = hand.session
    session.import_masks({3: filled(Rect(4, 4, 8, 8), 1)})
    session.key_frames.replace({3: frozenset()})
    session.seek(3)
    session.brush_size = 40
    hand.drag("eraser", (6, 6))
    assert session.masks.is_empty(3) and session.key_frames == {3: {1}}


def test_a_stroke_that_changes_nothing_is_no_step(hand: Driver) -> None:
    session = hand.session
    session.add_object()
    hand.drag("eraser", (6, 6))
    assert session.history.undo_label == "add object 1" and not session.key_frames


def test_escape_takes_a_drag_back(hand: Driver) -> None:
    session = hand.session
    session.set_tool("brush")
    session.dispatch(PointerEvent("press", 5, 5, "left"))
    hand.changed.clear()
    session.dispatch(PointerEvent("cancel", 5, 5))
    assert not session.mask.any() and hand.changed and session.history.undo_label == "add object 1"


def test_seeking_in_a_drag_keeps_it(hand: Driver) -> None:
    session = hand.session
    session.set_tool("brush")
    session.dispatch(PointerEvent("press", 5, 5, "left"))
    session.seek(4)
    session.dispatch(PointerEvent("move", 9, 9, "left"))
    session.dispatch(PointerEvent("release", 9, 9, "left"))
    assert session.masks.object_ids(0) == {1} and session.masks.is_empty(4)


def test_polygon_fills_its_inside(hand: Driver) -> None:
    session = hand.session
    session.set_tool("polygon")
    for x, y in ((4, 4), (12, 4), (12, 9), (4, 9)):
        session.dispatch(PointerEvent("press", x, y, "left"))
    assert session.preview_polygon() == ((4, 4), (12, 4), (12, 9), (4, 9), (4, 9))
    session.dispatch(PointerEvent("double", 4, 9, "left"))
    assert (session.masks.get(0) == filled(Rect(4, 4, 12, 9), 1)).all()
    assert session.preview_polygon() is None
    assert session.undo() == "polygon on object 1"
    assert session.masks.is_empty(0)


def test_undo_takes_back_corners_before_steps(hand: Driver) -> None:
    session = hand.session
    hand.drag("brush", (5, 5))
    session.set_tool("polygon")
    session.dispatch(PointerEvent("press", 4, 4, "left"))
    assert session.undo() == "polygon corner"
    assert session.preview_polygon() is None and session.masks.object_ids(0) == {1}


def test_redo_discards_an_open_outline_only_if_there_is_something_to_redo(hand: Driver) -> None:
    session = hand.session
    session.set_tool("polygon")
    session.dispatch(PointerEvent("press", 4, 4, "left"))
    assert session.redo() is None
    assert session.preview_polygon() is not None


def test_objects_get_new_ids_and_names(hand: Driver) -> None:
    session = hand.session
    assert [session.add_object(), session.add_object("cat")] == [1, 2]
    session.delete_object(2)
    assert session.objects.order == (1,) and session.objects.selected == 1
    assert session.add_object() == 3
    session.undo()
    session.undo()
    assert session.objects.order == (1, 2) and session.objects.name(2) == "cat"
    assert session.add_object() == 4
    assert hand.reopen().objects.order == (1, 2, 4)
    assert hand.session.add_object() == 5
    hand.session.delete_object(5)
    assert hand.reopen().add_object() == 6


def test_the_255th_object_is_refused(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: filled(Rect(0, 0, 2, 2), 254)})
    with pytest.raises(AppError, match="254 objects"):
        session.add_object()
    assert session.objects.order == (254,)


def test_delete_object_empties_every_frame_and_undo_fills_them(hand: Driver) -> None:
    session = hand.session
    both = filled(Rect(10, 0, 20, 20), 2, filled(Rect(0, 0, 10, 20), 1))
    session.import_masks({0: both, 5: filled(Rect(0, 0, 3, 3), 2), 7: filled(Rect(0, 0, 3, 3), 1)})
    before = hand.state()
    session.delete_object(2)
    assert session.key_frames == {0: {1}, 7: {1}}
    assert (session.masks.get(0) == filled(Rect(0, 0, 10, 20), 1)).all() and session.masks.frames() == [0, 7]
    assert session.undo() == "delete object 2"
    assert hand.state() == before and session.objects.selected == 1


def test_rename_is_a_step(hand: Driver) -> None:
    session = hand.session
    session.add_object()
    session.rename_object(1, "dog")
    session.rename_object(1, "dog")
    assert session.objects.name(1) == "dog"
    session.undo()
    assert session.objects.name(1) == "object 1" and session.history.undo_label == "add object 1"


def test_clear_frame_means_absent_and_clearing_again_frees_the_frame(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: filled(Rect(0, 0, 5, 5), 1)})
    session.clear_frame()
    assert session.masks.is_empty(0) and session.key_frames == {0: {1}}
    session.clear_frame()
    assert not session.key_frames
    session.clear_frame()
    assert hand.messages == ["Frame 0 has no mask to clear."]
    assert [session.undo(), session.undo()] == ["free frame 0", "clear frame 0"]
    assert region(session.masks.get(0), 1) and session.key_frames == {0: {1}}


def test_import_is_one_step_and_makes_objects_and_key_frames(hand: Driver) -> None:
    session = hand.session
    session.add_object("first")
    hand.drag("brush", (20, 20))
    session.seek(2)
    before = hand.state()
    masks = {0: filled(Rect(0, 0, 5, 5), 4), 2: filled(Rect(0, 0, 5, 5), 255, filled(Rect(5, 5, 9, 9), 7))}
    session.import_masks(masks)
    assert session.objects.order == (1, 4, 7)
    assert session.key_frames == {0: {1, 4}, 2: {7}}
    assert all((session.masks.get(frame) == mask).all() for frame, mask in masks.items())
    assert session.undo() == "import 2 masks" and hand.state() == before


def test_import_over_an_object_fixes_it_as_absent(hand: Driver) -> None:
    session = hand.session
    session.import_masks({0: filled(Rect(0, 0, 5, 5), 1)})
    session.key_frames.replace({0: frozenset()})
    session.import_masks({0: filled(Rect(0, 0, 5, 5), 2)})
    assert session.key_frames == {0: {1, 2}}


def test_import_of_a_wrong_size_changes_nothing(hand: Driver) -> None:
    before = hand.state()
    with pytest.raises(ValueError):
        hand.session.import_masks({0: filled(Rect(0, 0, 2, 2), 1), 1: np.zeros((3, 3), np.uint8)})
    assert hand.state() == before and hand.session.history.undo_label is None


def test_undo_goes_to_the_changed_frame_and_says_so(hand: Driver) -> None:
    session = hand.session
    hand.drag("brush", (5, 5))
    session.seek(6)
    session.undo()
    assert session.frame == 0 and hand.messages == ["Undid paint object 1 on frame 0."]
    session.seek(3)
    session.redo()
    assert session.frame == 0 and hand.messages[-1] == "Redid paint object 1 on frame 0."
    session.undo()
    assert len(hand.messages) == 2  # already there


def test_seek_stays_inside_the_video_and_remembers_the_place(hand: Driver) -> None:
    session = hand.session
    seen = []
    session.frame_changed.connect(seen.append)
    session.seek(99)
    session.seek(NUM_FRAMES + 5)
    session.seek(-3)
    session.seek(4)
    assert seen == [NUM_FRAMES - 1, 0, 4]
    assert hand.reopen().frame == 4


def test_work_survives_reopening(hand: Driver) -> None:
    hand.drag("brush", (5, 5))
    hand.session.rename_object(1, "dog")
    mask = hand.session.masks.get(0)
    session = hand.reopen()
    assert (session.masks.get(0) == mask).all()
    assert session.objects.name(1) == "dog" and session.key_frames == {0: {1}}


def test_locked_session_refuses_edits_and_allows_looking(hand: Driver) -> None:
    session = hand.session
    hand.drag("brush", (5, 5))
    before = hand.state()
    session.is_locked = True
    hand.drag("brush", (9, 9))
    session.undo()
    session.redo()
    assert session.add_object() is None
    session.delete_object(1)
    session.rename_object(1, "x")
    session.clear_frame()
    session.import_masks({})
    assert hand.messages == [LOCKED_MESSAGE] * 8
    session.seek(5)
    session.select_object(1)
    session.set_tool("polygon")
    assert session.frame == 5 and hand.state() == before


def test_history_beyond_memory_comes_back_from_the_journal(hand: Driver) -> None:
    session = hand.session
    session.history._limit_bytes = 600
    session.add_object()
    states = [hand.state()]
    for x in range(3, 30, 3):
        hand.drag("brush", (x, 5))
        states.append(hand.state())
    assert not hand.messages and session.history.nbytes <= 600
    while session.undo() == "paint object 1":
        states.pop()
        assert hand.state() == states[-1] and session.history.nbytes <= 600 + 400
    assert len(states) == 1


def test_full_disk_quota_says_what_is_lost(hand: Driver) -> None:
    journal = hand.session.workspace.journal
    journal.quota_bytes = 3000
    for x in range(3, 15):
        hand.drag("brush", (x, 5), (x, 9))
        hand.session.workspace.flush()
    assert journal.nbytes < 3000 + 2000
    assert hand.messages and all("undo history fills its" in message for message in hand.messages)
    assert "paint object 1" in hand.messages[-1]
    assert hand.session.undo() == "paint object 1"
