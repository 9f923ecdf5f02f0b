"""Review in the window: going to frames by state, advice, suspects as pictures, what is missing, absence."""
from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from gui.done_dialog import DoneDialog
from gui.menus import review
from gui.sheet_dialog import SheetDialog
from inference_core.api import FrameRanker, FrameResult, PropagationRequest
from inference_core.confidence import ObjectMeasure
from inference_core.frame_choice import WorstFirst
from model import zoo
from tests.gui.conftest import Start
from tests.gui.driver import Driver, FakeBuilder, FakeCore
from tests.gui.test_object_window import press
from util.config import AppConfig
from util.errors import AppError
from util.jobs import CancelToken
from util.types import ImageU8

LAST = 11
DOUBTFUL = {4: 0.5, 5: 0.4, 8: 0.55}


class MeasuringCore(FakeCore):
    """Sure of every frame but those in `DOUBTFUL`."""

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        anchor = next(key for key in self.keys if key.frame == request.anchor)
        for result in super().propagate(request, token):
            value = DOUBTFUL.get(result.frame, 0.9)
            measures = {i: ObjectMeasure(value, 1.0) for i in anchor.object_ids}
            yield FrameResult(result.frame, result.mask, result.done, result.total, measures)

    def object_probs(self, frame: int, object_ids: tuple[int, ...]) -> np.ndarray:
        return np.stack([(self.existing(frame) == i).astype(np.float32) for i in object_ids])


class MeasuringBuilder(FakeBuilder):
    def __call__(self, config: AppConfig, frames: object, existing: object) -> FakeCore:
        self.cores.append(MeasuringCore(frames, existing, self.gate, self.step_error))
        return self.cores[-1]


class FakeAssessor:
    """Finds frame 7 worst; the frames' brightness tells it which one it sees."""

    name = "judged by a fake"

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.error: Exception | None = None

    def quality(self, image: ImageU8, objects: np.ndarray) -> float:
        if self.error is not None:
            raise self.error
        self.seen.append(len(self.seen))
        return 0.3 if len(self.seen) == 7 else 0.8


class FakeJudge:
    def __init__(self, assessor: object) -> None:
        self.assessor = assessor
        self.ranker: FrameRanker = WorstFirst()


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stands for the quality network's file; made by the test that wants it."""
    file = tmp_path / "weights"
    entry = zoo.WeightFile("ivosw_assess", "quality network", file, "advice")
    monkeypatch.setattr(zoo, "WEIGHT_FILES", tuple(entry if r.name == entry.name else r for r in zoo.WEIGHT_FILES))
    return file


@pytest.fixture
def driver(start: Start, weights: Path, synthetic_folder: Path) -> Driver:
    """Object 1 was carried from frame 0 to all others; without the quality network's weights."""
    driver = start("--images", synthetic_folder, build=MeasuringBuilder())
    driver.wait_open()
    driver.window.controller.review.advice.build = lambda config: FakeJudge(None)
    mask = np.zeros(driver.session.frames.size, np.uint8)
    mask[10:30, 10:40] = 1
    driver.session.import_masks({0: mask})
    driver.trigger("propagate.both")
    driver.wait_idle()
    driver.wait(lambda: driver.window.timeline._strips is not None)
    return driver


def settle(driver: Driver) -> None:
    """Until the panels show the session and no search runs."""
    driver.window.controller.video.panels.refresh()  # type: ignore[union-attr]
    driver.wait(lambda: not driver.window.controller.review.advice.can_cancel)
    driver.wait_idle()


def visited(driver: Driver, action: str, times: int) -> list[int]:
    frames = []
    for _ in range(times):
        press(driver, action)
        frames.append(driver.session.frame)
    return frames


def test_verified_between_the_marks_is_one_step(driver: Driver) -> None:
    session, verified = driver.session, driver.session.marks["verified"]
    session.seek(3)
    press(driver, "range.first")
    session.seek(8)
    press(driver, "range.last")
    press(driver, "review.verify_range")
    driver.wait_idle()
    assert {frame for frame in range(LAST + 1) if 1 in verified.on(frame)} == set(range(3, 9))
    assert "Verified object 1 on frames 3 to 8." in driver.window.hint_label.full_text
    press(driver, "review.verify_range")
    driver.wait_idle()
    assert not verified, "a second time takes it back"
    press(driver, "object.add")
    press(driver, "review.verify_range_all")
    driver.wait_idle()
    assert {frame: set(ids) for frame, ids in verified.items()} == {frame: {1, 2} for frame in range(3, 9)}
    assert "6 masks are empty there" in driver.window.hint_label.full_text
    press(driver, "edit.undo")
    driver.wait_idle()
    assert not verified
    press(driver, "range.clear")
    press(driver, "review.verify_range")
    driver.wait_idle()
    assert len(verified) == LAST + 1, "without marks the whole video"


def test_next_and_previous_of_every_kind(driver: Driver) -> None:
    session = driver.session
    assert visited(driver, "review.next_suspect", 4) == [4, 5, 8, 8]
    assert "no suspect frame of object 1 after" in driver.window.hint_label.full_text
    assert visited(driver, "review.previous_suspect", 3) == [5, 4, 4]
    session.set_marks("verified", [1], [5, 6], on=True)
    session.set_marks("locked", [1], [8], on=True)
    session.seek(0)
    assert visited(driver, "review.next_verified", 2) == [5, 6]
    assert visited(driver, "review.next_locked", 1) == [8]
    assert visited(driver, "review.previous_verified", 1) == [6]
    assert visited(driver, "review.previous_unverified", 2) == [4, 3]
    assert visited(driver, "review.next_unverified", 2) == [4, 7]
    session.seek(0)
    assert visited(driver, "review.next_suspect", 2) == [4, 4], "verified and locked ones are settled"
    session.delete_object(1, range(9, 11))
    driver.wait_idle()
    assert visited(driver, "review.next_empty", 2) == [9, 10]
    assert visited(driver, "review.previous_empty", 1) == [9]
    assert visited(driver, "review.previous_locked", 1) == [8]


def test_the_timeline_shows_it(driver: Driver) -> None:
    settle(driver)
    (shape,) = driver.window.timeline._shapes
    assert shape.lane.suspect == (range(4, 6), range(8, 9)) and shape.lane.propagated == (range(1, LAST + 1),)
    strips = driver.window.timeline._strips
    assert strips is not None and strips.name == "object 1" and strips.share == 0
    assert strips.confidence[5] == pytest.approx(0.4)
    driver.trigger("frame.verify")
    settle(driver)
    assert driver.window.timeline._strips.done == (range(1),)  # type: ignore[union-attr]
    assert driver.window.advice_panel.done.value.text() == "8 %"


def test_what_propagations_left_names_the_worst_frame_and_what_says_so(driver: Driver, qtbot: QtBot) -> None:
    settle(driver)
    panel = driver.window.advice_panel
    assert panel.card.isVisible() and panel.card.title.text() == "Frame 5, object 1"
    assert panel.card.number.text() == "predicted J 0.40"
    assert panel.note.text() == "J predicted by the light quality network."
    assert panel.card.picture.pixmap() is not None and panel.card.picture.pixmap().width() > 50
    press(driver, "review.go")
    assert driver.session.frame == 5
    driver.trigger("frame.verify")
    settle(driver)
    assert panel.card.title.text() == "Frame 4, object 1", "the next one by itself"
    driver.session.seek(0)
    qtbot.mouseClick(panel.card, Qt.LeftButton)
    assert driver.session.frame == 4 and driver.session.objects.selected == 1
    driver.trigger("edit.undo")
    settle(driver)
    driver.trigger("edit.undo")
    settle(driver)
    assert not panel.card.isVisible() and not driver.is_enabled("review.go")


def test_with_the_network_every_frame_is_judged_when_asked(driver: Driver, weights: Path, qtbot: QtBot) -> None:
    control, panel, assessor = driver.window.controller.review.advice, driver.window.advice_panel, FakeAssessor()
    settle(driver)
    weights.touch()
    control.forget()
    control.build = lambda config: FakeJudge(assessor)
    settle(driver)
    assert control.advice is None, "not by itself: it takes time"
    press(driver, "review.advise")
    assert panel.bar.isVisible() and panel.cancel_button.isVisible() and driver.is_enabled("propagate.cancel")
    settle(driver)
    assert len(assessor.seen) == LAST and panel.card.title.text() == "Frame 7, object 1"
    assert panel.card.number.text() == "predicted J 0.30" and panel.note.text() == "J judged by a fake."
    driver.trigger("review.go")
    assert driver.session.frame == 7
    driver.session.clear_frame()
    settle(driver)
    assert control.advice is None and not driver.is_enabled("review.go")


def test_without_any_weights_it_is_only_how_sure_the_engine_is(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = zoo.WeightFile("light_quality", "light quality network", Path("nowhere"), "advice")
    rows = tuple(gone if row.name == gone.name else row for row in zoo.WEIGHT_FILES)
    monkeypatch.setattr(zoo, "WEIGHT_FILES", rows)
    press(driver, "review.advise")
    settle(driver)
    panel = driver.window.advice_panel
    assert panel.card.number.text() == "confidence 0.40" and "how sure the engine is" in panel.note.text()


def test_a_search_can_be_stopped_and_may_fail(driver: Driver, weights: Path) -> None:
    control, panel, assessor = driver.window.controller.review.advice, driver.window.advice_panel, FakeAssessor()
    settle(driver)
    weights.touch()
    control.forget()
    control.build = lambda config: FakeJudge(assessor)
    press(driver, "review.advise")
    driver.trigger("propagate.cancel")
    driver.wait_idle()
    assert panel.note.text() == "Stopped." and not control.can_cancel and len(assessor.seen) < LAST
    assessor.error = AppError("the network broke")
    press(driver, "review.advise")
    settle(driver)
    assert [error.message for error in driver.dialogs.errors] == ["the network broke"]
    assert panel.find_button.isVisible() and control.advice is None


def test_a_click_is_answered_between_two_frames(driver: Driver, weights: Path) -> None:
    """Each frame is a job of its own: what is submitted meanwhile does not wait for the whole search."""
    control = driver.window.controller.review.advice
    settle(driver)
    weights.touch()
    control.forget()
    assessor, gate = FakeAssessor(), threading.Semaphore(1)

    def judge(image: ImageU8, objects: np.ndarray) -> float:
        gate.acquire(timeout=20)
        return FakeAssessor.quality(assessor, image, objects)

    assessor.quality = judge  # type: ignore[method-assign]
    control.build = lambda config: FakeJudge(assessor)
    started: list[str] = []
    driver.window.controller.runner.started.connect(lambda job_id, name, total: started.append(name))
    press(driver, "review.advise")
    driver.wait(lambda: started.count("Judging masks") == 2)
    driver.click(60, 40)
    gate.release(LAST)
    settle(driver)
    assert started[:5] == ["Getting ready to judge masks", *2 * ["Judging masks"], "click on frame 0", "Judging masks"]
    assert len(assessor.seen) == LAST


def test_a_locked_object_needs_no_correction(driver: Driver) -> None:
    settle(driver)
    assert driver.window.advice_panel.card.isVisible()
    driver.trigger("object.lock")
    settle(driver)
    assert not driver.window.advice_panel.card.isVisible() and not driver.window.timeline._shapes[0].lane.suspect
    assert visited(driver, "review.next_locked", 2) == [1, 2]


def test_weights_that_arrive_are_used(driver: Driver, weights: Path) -> None:
    control, assessor = driver.window.controller.review.advice, FakeAssessor()
    settle(driver)
    assert control.advice is not None and control.advice.is_carried
    weights.touch()
    control.build = lambda config: FakeJudge(assessor)
    press(driver, "review.advise")
    settle(driver)
    assert control.advice is not None and not control.advice.is_carried and assessor.seen


def test_suspects_as_pictures(driver: Driver, qtbot: QtBot) -> None:
    press(driver, "review.sheet")
    (sheet,) = driver.window.findChildren(SheetDialog)
    qtbot.waitExposed(sheet)
    texts = [sheet.view.item(i).text() for i in range(sheet.view.count())]
    assert [text.partition(" ·")[0] for text in texts] == ["4", "5", "8"] and "quality 0.50" in texts[0]
    driver.wait_idle()
    picture = sheet.view.item(1).icon().pixmap(sheet.view.iconSize()).toImage()
    assert picture.pixelColor(picture.width() // 2, 2).alpha() == 255, "the picture is there"
    place = sheet.view.visualItemRect(sheet.view.item(2)).center()
    qtbot.mouseClick(sheet.view.viewport(), Qt.LeftButton, pos=QPoint(place))
    assert driver.session.frame == 8 and sheet.isVisible()
    sheet.close()
    driver.session.set_marks("verified", [1], range(12), on=True)
    press(driver, "review.sheet")
    assert [error.message for error in driver.dialogs.errors] == ["No frame is suspect."]


def leaves(item: QTreeWidgetItem) -> list[str]:
    return [item.child(i).text(0) for i in range(item.childCount())]


def test_what_is_missing_and_that_nothing_is(driver: Driver, qtbot: QtBot) -> None:
    session = driver.session
    session.delete_object(1, range(9, 11))
    press(driver, "review.check")
    (dialog,) = driver.window.findChildren(DoneDialog)
    assert dialog.summary.text().startswith("0 % of frames 0 to 11")
    top = dialog.tree.topLevelItem(0)
    assert top.text(0) == "1  object 1"
    assert leaves(top) == [
        "2 frames without a mask, and not marked absent", "10 frames not verified", "3 frames suspect",
    ]
    assert leaves(top.child(1)) == ["frames 0 to 8", "frame 11"]
    top.child(2).setExpanded(True)
    place = dialog.tree.visualItemRect(top.child(2).child(1)).center()
    qtbot.mouseClick(dialog.tree.viewport(), Qt.LeftButton, pos=place)
    assert session.frame == 8
    dialog.close()
    session.seek(9)
    press(driver, "object.absent")
    driver.wait_idle()
    session.set_marks("verified", [1], range(12), on=True)
    press(driver, "review.check")
    shown = [one for one in driver.window.findChildren(DoneDialog) if one.isVisible()]
    assert len(shown) == 1 and shown[0].summary.text().startswith("Done: on frames 0 to 11")
    assert not shown[0].tree.isVisible()


def test_absent_from_here_is_one_step(driver: Driver) -> None:
    session = driver.session
    session.in_out.set_last(9)
    session.seek(6)
    press(driver, "object.absent")
    driver.wait_idle()
    assert [frame for frame in range(12) if 1 not in session.masks.object_ids(frame)] == [6, 7, 8, 9]
    assert session.key_frames.on(6) == {1}
    driver.trigger("edit.undo")
    driver.wait_idle()
    assert all(1 in session.masks.object_ids(frame) for frame in range(12))


def test_closing_the_video_ends_the_review(driver: Driver, synthetic_folder: Path) -> None:
    press(driver, "review.sheet")
    driver.window.controller.open(synthetic_folder)
    driver.wait(lambda: not [one for one in driver.window.findChildren(SheetDialog) if one.isVisible()])
    driver.wait_open()
    driver.wait_idle()


def test_every_action_of_the_menu_is_tried_here() -> None:
    text = Path(__file__).read_text()
    assert [row.action_id for row in review.ROWS if f'"{row.action_id}"' not in text] == []
