"""Long work in the window: propagation, cancelling, failures, exports, and a window that stays alive meanwhile."""
from __future__ import annotations

import shutil
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PyQt5.QtCore import QTimer

from gui import opener
from gui.opener import EXAMPLE
from storage.mask_io import read_mask
from tests.gui.conftest import Start
from tests.gui.driver import Driver, FakeBuilder, area
from util.errors import AppError


@pytest.fixture
def build() -> FakeBuilder:
    return FakeBuilder()


@pytest.fixture
def marked(start: Start, build: FakeBuilder, synthetic_folder: Path) -> Driver:
    """Object 1 painted on frame 5; the engine is loaded."""
    driver = start("--images", synthetic_folder, build=build)
    driver.wait_open()
    driver.wait_idle()
    driver.trigger("tool.brush")
    driver.window.controller.edit.seek(5)
    driver.wait_open()
    driver.click(30, 30)
    return driver


def wait_finished(driver: Driver) -> None:
    driver.wait(lambda: not driver.window.controller.propagation.is_running)
    driver.wait_idle()


def test_propagating_both_ways_fills_the_video_and_returns(marked: Driver, build: FakeBuilder) -> None:
    painted = marked.mask(5).copy()
    marked.trigger("propagate.both")
    wait_finished(marked)
    assert all(np.array_equal(marked.mask(frame), painted) for frame in range(12))
    assert marked.session.frame == 5, "back where it was started"
    window = marked.window
    assert (window.job_bar.bar.value(), window.job_bar.bar.maximum()) == (11, 11)
    assert window.job_bar.facts.name.text().startswith("11 frames in")
    assert window.job_bar.memory.value.text() == "1 key + 2 rolling"
    assert build.cores[0].threads == {"inference"}
    assert window.top_bar.undo.defaultAction().text() == "Undo “propagate 11 frames”"
    marked.wait(lambda: window.object_panel.model.rows[0].coverage == 1)
    marked.trigger("edit.undo")
    assert not marked.mask(4).any() and np.array_equal(marked.mask(5), painted)
    marked.trigger("edit.redo")
    assert np.array_equal(marked.mask(4), painted)


@pytest.mark.parametrize(("action_id", "reached"), [("propagate.forward", range(5, 12)),
                                                    ("propagate.backward", range(0, 6))])
def test_one_direction(marked: Driver, action_id: str, reached: range) -> None:
    marked.trigger(action_id)
    wait_finished(marked)
    assert [frame for frame in range(12) if marked.mask(frame).any()] == list(reached)


def test_editing_is_locked_and_looking_is_not(marked: Driver, build: FakeBuilder) -> None:
    build.gate.close()
    marked.trigger("propagate.forward")
    assert marked.session.is_locked and not marked.is_enabled("edit.undo") and not marked.is_enabled("object.add")
    assert not marked.is_enabled("propagate.both") and marked.is_enabled("propagate.cancel")
    before = marked.mask(5).copy()
    marked.click(60, 50)
    assert np.array_equal(marked.mask(5), before) and "Esc" in marked.window.hint_label.full_text
    marked.trigger("frame.first")
    marked.wait_open()
    build.gate.open()
    wait_finished(marked)
    assert not marked.session.is_locked and marked.is_enabled("edit.undo")


def test_the_view_follows_until_the_user_looks_elsewhere(marked: Driver, build: FakeBuilder) -> None:
    build.gate.close()
    shown: list[int] = []
    marked.session.frame_changed.connect(shown.append)
    marked.trigger("propagate.forward")
    for frame in (6, 7):
        build.gate.allow()
        marked.wait(lambda frame=frame: shown and shown[-1] == frame)
    marked.trigger("frame.first")
    assert "no longer follows" in marked.window.hint_label.full_text
    build.gate.open()
    wait_finished(marked)
    assert marked.session.frame == 0


def test_cancel_is_acknowledged_at_once_and_keeps_what_is_done(marked: Driver, build: FakeBuilder) -> None:
    build.gate.close()
    build.gate.allow(3)
    marked.trigger("propagate.forward")
    marked.wait(lambda: marked.mask(8).any())
    asked = time.monotonic()
    marked.trigger("propagate.cancel")
    assert marked.window.job_bar.facts.name.text() == "stopping after this frame…"
    assert not marked.is_enabled("propagate.cancel")
    assert time.monotonic() - asked < 0.1
    wait_finished(marked)
    assert [frame for frame in range(12) if marked.mask(frame).any()] == [5, 6, 7, 8]
    assert marked.session.frame != 5, "what made the user stop stays on the screen"
    assert marked.window.job_bar.facts.name.text().startswith("Stopped: ")
    assert "(stopped)" in marked.window.top_bar.undo.defaultAction().text()
    marked.trigger("edit.undo")
    assert [frame for frame in range(12) if marked.mask(frame).any()] == [5]


def test_propagating_an_unmarked_frame_says_what_to_do(opened: Driver) -> None:
    opened.trigger("propagate.both")
    assert "Mark an object" in opened.dialogs.errors[0].message
    assert not opened.window.controller.propagation.is_running and not opened.session.is_locked


def test_a_failing_engine_leaves_the_masks_as_they_were(marked: Driver, build: FakeBuilder) -> None:
    build.cores[0].step_error = AppError("The GPU is out of memory.", "Try --mem_profile 2.")
    before = [marked.mask(frame).copy() for frame in range(12)]
    marked.trigger("propagate.both")
    wait_finished(marked)
    assert [error.message for error in marked.dialogs.errors] == ["The GPU is out of memory."]
    assert all(np.array_equal(marked.mask(frame), before[frame]) for frame in range(12))
    assert not marked.session.is_locked and "Failed" in marked.window.job_bar.facts.name.text()


def test_an_engine_that_cannot_be_loaded_is_told_and_tried_again(start: Start, synthetic_folder: Path) -> None:
    build = FakeBuilder()
    build.error = AppError("saves/stcn.pth is missing.", "Download it.")
    driver = start("--images", synthetic_folder, build=build)
    driver.wait(lambda: driver.dialogs.errors)
    assert driver.window.top_bar.engine.text() == "no engine"
    build.error = None
    driver.trigger("tool.brush")
    driver.click(30, 30)
    driver.trigger("propagate.forward")
    wait_finished(driver)
    assert driver.mask(11).any() and driver.window.top_bar.engine.text() == "Engine: fake · CPU"


def test_the_window_stays_alive_while_the_engine_loads_and_works(start: Start, synthetic_folder: Path) -> None:
    build = FakeBuilder()
    build.load.clear()
    driver = start("--images", synthetic_folder, build=build)
    driver.wait_open()
    assert driver.window.top_bar.engine.text() == "loading engine…"
    ticks: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    timer.start(10)
    driver.trigger("tool.brush")
    driver.click(30, 30)
    assert area(driver.mask(), 1), "the brush needs no engine"
    build.gate.close()
    driver.trigger("propagate.forward")
    driver.wait(lambda: len(ticks) > 10)
    build.load.set()
    count = len(ticks)
    driver.wait(lambda: len(ticks) > count + 10)
    build.gate.open()
    wait_finished(driver)
    assert driver.mask(11).any()


def test_closing_while_a_propagation_runs_keeps_its_frames(
    marked: Driver, build: FakeBuilder, start: Start, synthetic_folder: Path
) -> None:
    build.gate.close()
    build.gate.allow()
    marked.trigger("propagate.forward")
    marked.wait(lambda: marked.mask(6).any())
    marked.close()
    assert build.cores[0].is_closed and build.cores[0].threads == {"inference"}
    again = start("--images", synthetic_folder)
    again.wait_open()
    assert again.mask(6).any() and not again.mask(11).any()


def test_opening_another_video_while_a_propagation_runs(
    marked: Driver, build: FakeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.gate.close()
    marked.trigger("propagate.forward")
    video = tmp_path / "example.mp4"
    shutil.copy(EXAMPLE, video)
    monkeypatch.setattr(opener, "EXAMPLE", video)
    marked.trigger("file.open_example")
    marked.wait(lambda: marked.window.controller.video is not None and marked.session.frames.source.path == video)
    marked.wait_open()
    assert not marked.session.is_locked and marked.window.job_bar.facts.name.text() == "Nothing runs."


def test_the_overlay_video_has_every_frame(marked: Driver, tmp_path: Path) -> None:
    marked.export(tmp_path / "overlay.mp4", "overlay-video")
    assert marked.is_enabled("file.cancel_export") and marked.window.export_bar.isVisible()
    marked.wait_idle()
    assert marked.dialogs.errors == []
    with av.open(str(tmp_path / "overlay.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.width, stream.codec_context.height) == (98, 66), "odd sizes are padded"
        assert len(list(container.decode(stream))) == 12 and stream.average_rate == 24
    assert "overlay.mp4" in marked.window.export_bar.note.text()


def test_a_cancelled_export_leaves_nothing(marked: Driver, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    for place, name in ((target, "index-png"), (tmp_path / "overlay.mp4", "overlay-video")):
        marked.export(place, name)
        marked.trigger("file.cancel_export")
        marked.wait_idle()
        assert list(target.iterdir()) == [] and not (tmp_path / "overlay.mp4").exists()
        assert marked.window.export_bar.facts.name.text() == "Stopped; nothing was written."


def test_an_export_into_a_missing_folder_is_a_dialog(marked: Driver, tmp_path: Path) -> None:
    marked.export(tmp_path / "nowhere" / "out")
    marked.wait_idle()
    assert "nowhere" in marked.dialogs.errors[0].message


def test_from_opening_to_export_with_a_real_engine(start: Start, synthetic_folder: Path, tmp_path: Path) -> None:
    """The whole way with the `static` engine: it has no network, but is built and driven as the others are."""
    from gui.engine import build_core

    driver = start("--images", synthetic_folder, "--engine", "static", "--device", "cpu", build=build_core)
    driver.wait_open()
    driver.wait(lambda: driver.window.top_bar.engine.text().startswith("Engine: static"))
    driver.click(27.5, 30.5)
    driver.wait(lambda: area(driver.mask(), 1))
    driver.trigger("object.add")
    driver.trigger("tool.brush")
    driver.drag([(60, 50), (75, 50)])
    driver.trigger("object.add")
    driver.trigger("tool.polygon")
    driver.click(70, 5)
    driver.click(90, 5)
    driver.double_click(90, 20)
    assert {1, 2, 3} <= set(np.unique(driver.mask(0)))
    first = driver.mask(0).copy()
    driver.trigger("propagate.both")
    wait_finished(driver)
    assert all(area(driver.mask(11), object_id) for object_id in (1, 2, 3))
    driver.trigger("edit.undo")
    assert not driver.mask(11).any()
    driver.trigger("edit.redo")
    last = driver.mask(11).copy()
    target = tmp_path / "out"
    target.mkdir()
    driver.export(target)
    driver.wait_idle()
    assert np.array_equal(read_mask(target / "00000.png"), first)
    assert np.array_equal(read_mask(target / "00011.png"), last)
    assert driver.dialogs.errors == []
    driver.close()
    again = start("--images", synthetic_folder)
    again.wait_open()
    assert np.array_equal(again.mask(11), last) and again.session.objects.order == (1, 2, 3)


def test_a_propagation_is_paused_and_goes_on(marked: Driver, build: FakeBuilder) -> None:
    build.gate.close()
    marked.trigger("propagate.forward")
    build.gate.allow(2)
    marked.wait(lambda: marked.mask(7).any())
    marked.trigger("propagate.pause")
    build.gate.open()
    bar = marked.window.job_bar
    assert bar.facts.value.text() == "paused" and marked.window.controller.propagation.is_running
    marked.wait(lambda: marked.window.actions_by_id["propagate.pause"].isChecked())
    reached = max(frame for frame in range(12) if marked.mask(frame).any())
    assert reached <= 8, "at most the frame in hand comes after the pause"
    marked.trigger("propagate.pause")
    wait_finished(marked)
    assert marked.mask(11).any() and not marked.is_enabled("propagate.pause")
    assert not marked.window.actions_by_id["propagate.pause"].isChecked()


def test_a_paused_propagation_is_cancelled_and_keeps_its_frames(marked: Driver, build: FakeBuilder) -> None:
    build.gate.close()
    marked.trigger("propagate.forward")
    build.gate.allow(1)
    marked.wait(lambda: marked.mask(6).any())
    marked.trigger("propagate.pause")
    marked.trigger("propagate.cancel")
    wait_finished(marked)
    assert marked.mask(6).any() and not marked.mask(11).any()
    assert "Stopped" in marked.window.job_bar.facts.name.text()


def test_in_and_out_marks_bound_the_propagation_and_are_drawn(marked: Driver) -> None:
    timeline, seek = marked.window.timeline, marked.window.controller.edit.seek
    plain = timeline.grab().toImage()
    assert not marked.is_enabled("range.clear")
    seek(3)
    marked.wait_idle()
    marked.trigger("range.first")
    seek(8)
    marked.wait_idle()
    marked.trigger("range.last")
    seek(5)
    marked.wait_idle()
    assert timeline.grab().toImage() != plain
    marked.trigger("propagate.both")
    wait_finished(marked)
    assert [frame for frame in range(12) if marked.mask(frame).any()] == [3, 4, 5, 6, 7, 8]
    marked.trigger("range.clear")
    marked.trigger("propagate.backward")
    wait_finished(marked)
    assert marked.mask(0).any() and not marked.mask(11).any()


def test_a_scene_cut_ends_the_propagation_unless_switched_off(
    marked: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = marked.session.frames
    real = frames.get
    monkeypatch.setattr(frames, "get", lambda frame: real(frame) if frame < 8 else 255 - real(frame) // 3)
    marked.trigger("propagate.forward")
    wait_finished(marked)
    assert marked.mask(7).any() and not marked.mask(8).any()
    assert "scene cut between frames 7 and 8" in marked.window.hint_label.full_text
    marked.trigger("propagate.stop_at_cuts")
    marked.trigger("propagate.forward")
    wait_finished(marked)
    assert marked.mask(11).any()
