"""Windows for the tests: made with a fake engine, closed at the end."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.engine import BuildCore
from tests.gui.driver import Driver, FakeBuilder, area

Start = Callable[..., Driver]


@pytest.fixture
def start(qtbot: QtBot) -> Iterator[Start]:
    """`start(*flags, build=...)` shows a window; without `build` its engine is a fake that copies masks.

    Clicks and scribbles are answered by GrabCut, which needs no weights, unless a flag says otherwise. What a
    propagation left of its masks counts, unless a test brings the weights of the published quality network.
    """
    drivers: list[Driver] = []

    def make(*argv: object, build: BuildCore | None = None, resize: bool = True) -> Driver:
        flags = ["--interaction", "grabcut", *(str(argument) for argument in argv)]
        drivers.append(Driver(qtbot, flags, build or FakeBuilder(), resize=resize))
        return drivers[-1]

    yield make
    for driver in reversed(drivers):
        driver.finish()


@pytest.fixture
def opened(start: Start, synthetic_folder: Path) -> Driver:
    """A window with the synthetic video, engine loaded, nothing marked."""
    driver = start("--images", synthetic_folder)
    driver.wait_open()
    driver.wait_idle()
    return driver


@pytest.fixture
def painted(opened: Driver) -> Driver:
    """One object, painted as a thick line on frame 0."""
    opened.trigger("object.add")
    opened.trigger("tool.brush")
    opened.drag([(30, 30), (60, 30)])
    assert area(opened.mask(), 1) > 100
    return opened
