"""The window's smaller parts, each by itself: progress, presence, playing, frame loading, lists, settings, dialogs."""
from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QSettings
from PyQt5.QtWidgets import QAction, QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from gui.dialogs import Dialogs
from gui.frame_loader import FrameLoader
from gui.job_bar import JobBar, PropagationBar, Speed, format_bytes
from gui.object_row import format_share
from gui.panels_view import format_rate
from gui.player import Player
from gui.presence import PresenceIndex
from gui.settings import DEFAULT_OPACITY, Settings
from inference_core.api import BankFill, MemoryReport
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from tests.synthetic import SyntheticVideo
from util.errors import AppError
from util.process_memory import resident_bytes


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_speed_follows_the_last_seconds() -> None:
    clock = Clock()
    speed = Speed(clock)
    assert speed.per_second is None and speed.seconds_left(0, 10) is None
    for done in range(1, 101):
        clock.now += 0.1 if done <= 50 else 0.5
        speed.mark(done)
    assert speed.per_second == pytest.approx(2.0)
    assert speed.seconds_left(100, 160) == pytest.approx(30.0)


def test_the_bar_shows_progress_cancel_and_summary(qtbot: QtBot) -> None:
    cancel = QAction("Cancel")
    bar = JobBar("Export", cancel)
    qtbot.addWidget(bar)
    bar.show()
    assert bar.facts.name.text() == "Nothing runs." and not bar.cancel_button.isVisible()
    bar.begin("Writing…", None)
    assert bar.bar.maximum() == 0 and bar.cancel_button.isVisible()
    bar.advance(3, 12)
    qtbot.waitUntil(lambda: bar.bar.value() == 3)
    assert bar.bar.maximum() == 12 and bar.facts.name.text().startswith("3 / 12 frames")
    bar.acknowledge_cancel()
    assert bar.facts.name.text() == "stopping after this frame…"
    bar.end(bar.summary(), "done")
    assert bar.facts.name.text().startswith("3 frames in 0:0") and bar.note.text() == "done"
    assert not bar.cancel_button.isVisible() and not bar.is_running


def test_the_bar_shows_how_full_a_memory_with_a_budget_is(qtbot: QtBot) -> None:
    bar = PropagationBar(QAction("Cancel"))
    qtbot.addWidget(bar)
    bar.show()
    bar.set_memory(MemoryReport(2, 3, 1 << 20, BankFill(cells=4320, budget=300_000, merged=1234, removed=56)))
    assert bar.memory.value.text() == "2 key + 3 rolling"
    assert bar.cells.value.text() == "4,320 of 300,000" and bar.turnover.value.text() == "1,234 · 56"
    assert bar.cells.isVisible() and bar.turnover.isVisible()
    bar.set_memory(MemoryReport(2, 3, 1 << 20))
    assert bar.memory.isVisible() and not bar.cells.isVisible() and not bar.turnover.isVisible()
    bar.end("12 frames in 0:03")
    assert not bar.memory.isVisible() and "Memory frames: 2 key + 3 rolling" in bar.facts.toolTip()


def test_numbers_as_people_read_them() -> None:
    assert [format_bytes(n) for n in (2048, 90 << 20, 1181116006)] == ["2 kB", "90 MB", "1.1 GB"]
    assert [format_share(share) for share in (0, 0.001, 0.64, 0.999, 1)] == ["0 %", "<1 %", "64 %", "99 %", "100 %"]
    assert [format_rate(rate) for rate in (24.0, 30000 / 1001, 12.5)] == ["24 fps", "29.97 fps", "12.5 fps"]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_resident_bytes_are_of_this_process() -> None:
    measured = resident_bytes()
    assert measured is not None and 10 << 20 < measured < 100 << 30


def test_presence_runs_and_coverage() -> None:
    index = PresenceIndex(10)
    for frame in (2, 3, 4, 8):
        assert index.put(frame, frozenset({1}))
    assert not index.put(3, frozenset({1}))
    assert list(index.runs(1)) == [range(2, 5), range(8, 9)] and list(index.runs(7)) == []
    assert index.coverage(1, {0, 3}) == 0.5 and index.coverage(7, {0}) == 0.1
    assert index.put(3, frozenset({2}))
    assert list(index.runs(1)) == [range(2, 3), range(4, 5), range(8, 9)] and list(index.runs(2)) == [range(3, 4)]


def test_presence_equals_what_was_put(qtbot: QtBot) -> None:
    rng = np.random.default_rng(3)
    index, truth = PresenceIndex(40), [frozenset[int]()] * 40
    for _ in range(400):
        frame, ids = int(rng.integers(40)), frozenset(int(i) for i in rng.integers(1, 4, rng.integers(0, 4)))
        index.put(frame, ids)
        truth[frame] = ids
    for object_id in (1, 2, 3):
        frames = [frame for run in index.runs(object_id) for frame in run]
        assert frames == [frame for frame in range(40) if object_id in truth[frame]]


def test_the_player_leaves_out_frames_rather_than_lag(qtbot: QtBot) -> None:
    clock, due, is_ready = Clock(), list[int](), [True]
    player = Player(clock=clock)
    player.due.connect(due.append)
    player.set_video([0.0, 0.1, 0.2, 0.7, 0.8], lambda: is_ready[0])
    player.start(0)
    player.tick()
    clock.now += 0.11
    player.tick()
    is_ready[0] = False
    clock.now += 0.3
    player.tick()
    assert due == [1], "the screen still waits for frame 1"
    is_ready[0] = True
    player.tick()
    assert due == [1, 2], "frame 3 is not due before 0.7 s"
    clock.now += 0.35
    player.tick()
    assert due == [1, 2, 3] and player.is_playing
    clock.now += 0.1
    player.tick()
    assert due == [1, 2, 3, 4] and not player.is_playing


def test_a_loop_keeps_to_its_bounds(qtbot: QtBot) -> None:
    clock, due = Clock(), list[int]()
    player = Player(clock=clock)
    player.due.connect(due.append)
    player.set_video([frame / 10 for frame in range(10)], lambda: True)
    player.set_bounds(range(3, 6))
    player.start(8)
    assert due == [], "without looping they mean nothing"
    player.is_looping = True
    clock.now += 0.11
    player.tick()
    assert due == [3], "set while it plays beyond them"
    player.stop()
    player.start(0)
    assert due == [3, 3], "from their begin"
    for _ in range(4):
        clock.now += 0.1001
        player.tick()
    assert due == [3, 3, 4, 5, 3, 4] and player.is_playing
    player.set_bounds(None)
    for _ in range(5):
        clock.now += 0.1001
        player.tick()
    assert due[-5:] == [5, 6, 7, 8, 9]


def test_the_player_starts_over_from_the_last_frame(qtbot: QtBot) -> None:
    player, due, changes = Player(), list[int](), list[bool]()
    player.due.connect(due.append)
    player.playing_changed.connect(changes.append)
    player.set_video([0.0, 10.0], lambda: True)
    player.start(1)
    assert due == [0] and player.is_playing
    player.stop()
    player.stop()
    assert changes == [True, False]
    player.set_video([0.0], lambda: True)
    player.start(0)
    assert not player.is_playing


def test_the_loader_delivers_the_newest_frame(
    qtbot: QtBot, synthetic_folder: Path, synthetic_video: SyntheticVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = FrameStore(open_source(synthetic_folder))
    gate, read = threading.Event(), frames.get
    monkeypatch.setattr(frames, "get", lambda frame: gate.wait(5) and read(frame))
    loader, loaded = FrameLoader(frames), list[int]()
    loader.loaded.connect(lambda frame, image: loaded.append(frame))
    for frame in range(10):
        loader.request(frame)
    gate.set()
    with qtbot.waitSignal(loader.loaded, check_params_cb=lambda frame, image: frame == 9) as last:
        pass
    assert np.array_equal(last.args[1], synthetic_video.frames[9])
    assert loaded in ([0, 9], [9]), "at most the one in hand and the newest"
    loader.close()
    frames.close()


def test_the_loader_reports_a_frame_that_cannot_be_read(qtbot: QtBot, synthetic_folder: Path) -> None:
    frames = FrameStore(open_source(synthetic_folder))
    loader = FrameLoader(frames)
    (synthetic_folder / "00004.png").write_bytes(b"damaged")
    with qtbot.waitSignal(loader.failed) as failed:
        loader.request(4)
    assert failed.args[0] == 4 and isinstance(failed.args[1], AppError)
    loader.close()
    frames.close()


def test_settings_with_nonsense_fall_back(tmp_path: Path) -> None:
    store = QSettings("video-masks", "window")
    store.setValue("opacity", "much")
    store.setValue("recent", [str(tmp_path / "gone.mp4"), str(tmp_path)])
    store.setValue("geometry", 7)
    settings = Settings()
    assert settings.opacity == DEFAULT_OPACITY and settings.recent == [tmp_path] and settings.folder == tmp_path.parent
    assert settings.bytes_of("geometry") is None
    settings.add_recent(tmp_path / "sub" / "..")
    assert len(settings.recent) <= 2


def test_messages_do_not_wait_and_answers_come_later(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    dialogs, answers = Dialogs(parent), list[str]()
    dialogs.show_error("Not saved", AppError("a.png cannot be saved.", "Free some space."))
    box = next(box for box in parent.findChildren(QMessageBox) if box.isVisible())
    assert box.text() == "a.png cannot be saved." and box.informativeText() == "Free some space."
    box.close()
    for name in ("Cancel", "Replace"):
        dialogs.confirm("Export", "There are files.", "They are replaced.", "Replace", lambda: answers.append("yes"))
        asked = next(box for box in parent.findChildren(QMessageBox) if box.isVisible())
        next(button for button in asked.buttons() if name in button.text()).click()
        qtbot.waitUntil(lambda asked=asked: not any(box.isVisible() for box in parent.findChildren(QMessageBox)))
        assert answers == (["yes"] if name == "Replace" else [])
        QApplication.processEvents()


def test_the_player_loops_and_tells_its_rate(qtbot: QtBot) -> None:
    clock, due, rates = Clock(), list[int](), list[tuple[float, int]]()
    player = Player(clock=clock)
    player.due.connect(due.append)
    player.rate_changed.connect(lambda rate, left_out: rates.append((rate, left_out)))
    player.set_video([0.0, 0.25, 0.5, 0.75], lambda: True)
    player.is_looping = True
    player.start(0)
    for _ in range(8):
        clock.now += 0.26
        player.tick()
    assert due == [1, 2, 3, 0, 1, 2, 3, 0] and player.is_playing
    assert rates[0] == (pytest.approx(2 / 0.52), 0)
    clock.now += 0.6
    player.tick()
    assert due[-1] == 2 and rates[-1][1] == 1, "frame 1 was left out"
    player.is_looping = False
    clock.now += 0.26
    player.tick()
    assert due[-1] == 3 and not player.is_playing
