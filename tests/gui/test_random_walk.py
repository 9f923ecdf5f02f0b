"""A thousand random actions and strokes in the real window: nothing breaks, and undo leads back to the start."""
from __future__ import annotations

import gc
import random
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QApplication

from gui.actions import ACTIONS
from gui.dialogs import Dialogs
from tests.gui.conftest import Start
from tests.gui.driver import Driver, FakeBuilder, FakeDialogs

STEPS = 1000
QUIET = {"file.", "help."}
"""Menus whose actions ask for files or end the program."""
DIALOGS = {"propagate.settings", "weights.show", "edit.preferences", "view.go_to_frame", "propagate.pause"}


def is_for_walking(action_id: str) -> bool:
    return not any(action_id.startswith(menu) for menu in QUIET) and action_id not in DIALOGS


def check_invariants(driver: Driver) -> None:
    """What holds whatever the user did."""
    session = driver.session
    size, known = session.frames.size, {0, 255, *session.objects.order}
    assert 0 <= session.frame < len(session.frames)
    for frame in range(len(session.frames)):
        mask = session.masks.get(frame)
        assert mask.dtype == np.uint8 and mask.shape == size
        assert set(np.unique(mask).tolist()) <= known, f"frame {frame} shows an object that is not in the list"
        assert session.key_frames.on(frame) <= known
    selected = session.objects.selected
    assert selected is None or selected in session.objects


def random_pointer(driver: Driver, rng: random.Random) -> None:
    """A click or a drag of three points, with either button."""
    size = driver.session.frames.size
    points = [(rng.uniform(1, size.width - 1), rng.uniform(1, size.height - 1)) for _ in range(rng.choice((1, 3)))]
    driver.drag(points, rng.choice((Qt.LeftButton, Qt.LeftButton, Qt.RightButton)))


@pytest.mark.parametrize("seed", [1])
def test_a_random_walk_and_all_the_way_back(
    start: Start, synthetic_folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(seed)
    driver = start("--images", synthetic_folder, build=FakeBuilder())
    driver.wait_open()
    driver.wait_idle()
    for name in dir(Dialogs):
        if name.startswith("ask_") and name not in vars(FakeDialogs):  # dismissed
            monkeypatch.setattr(driver.dialogs, name, lambda *given, **named: None)
    session = driver.session
    before = [session.masks.get(frame).copy() for frame in range(len(session.frames))]
    walked: Counter[str] = Counter()
    ids = [spec.action_id for spec in ACTIONS if is_for_walking(spec.action_id)]
    for step in range(STEPS):
        if rng.random() < 0.45:
            random_pointer(driver, rng)
            walked["pointer"] += 1
        else:
            action_id = rng.choice(ids)
            if driver.is_enabled(action_id):
                driver.trigger(action_id)
                walked[action_id] += 1
        close_dialogs()
        if step % 25 == 0:
            driver.wait_idle()
            check_invariants(driver)
    driver.wait_idle()
    check_invariants(driver)
    assert walked["pointer"] > STEPS / 4 and len(walked) > len(ids) / 2, walked
    assert not driver.dialogs.defects
    while session.history.undo_label is not None or session.interaction is not None:
        session.undo()
        driver.wait_idle()
    for frame, mask in enumerate(before):
        assert np.array_equal(session.masks.get(frame), mask), f"frame {frame} is not as it was"
    assert not session.objects.order


def close_dialogs() -> None:
    """What an action has opened besides the window."""
    for widget in QApplication.topLevelWidgets():
        if widget.isVisible() and widget.isWindow() and widget.objectName() and widget.inherits("QDialog"):
            widget.close()


def living() -> Counter[str]:
    """Threads by name, widgets and timers by class."""
    gc.collect()
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    found = Counter(f"thread {thread.name}" for thread in threading.enumerate())
    found += Counter(f"widget {type(widget).__name__}" for widget in QApplication.allWidgets())
    return found + Counter({"timers": len([o for o in gc.get_objects() if type(o) is QTimer])})


def test_opening_and_closing_leaves_nothing_behind(start: Start, synthetic_folder: Path) -> None:
    driver = start()
    counts: list[Counter[str]] = []
    for _ in range(4):
        driver.open(synthetic_folder)
        driver.wait_idle()
        driver.trigger("tool.brush")
        driver.click(30, 30)
        driver.trigger("propagate.both")
        driver.wait(lambda: not driver.window.controller.propagation.is_running)
        driver.wait_idle()
        counts.append(living())
    # A video's one thread that decodes ahead begins when there is something to decode: it may be there or not.
    before = counts[1] | Counter({"thread frame-prefetch": 1})
    grown = {name: (before[name], counts[3][name]) for name in counts[3] if counts[3][name] > before[name]}
    assert not grown, f"more after every opening: {grown}"
