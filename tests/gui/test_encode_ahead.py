"""While nothing else is to be done, the engine looks at frames; everything else goes first."""
from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent, Qt

from gui import encode_ahead
from gui.encode_ahead import nearest_first
from inference_core.api import ExistingMask, FeatureStorage, FrameReader
from storage.feature_folder import FEATURES_NAME
from tests.gui.conftest import Start
from tests.gui.driver import TIMEOUT, Driver, FakeBuilder, FakeCore, Gate
from util.config import AppConfig
from util.jobs import CancelToken, Job


@dataclass
class LookingCore(FakeCore):
    """Looks at a frame whenever its gate lets it."""

    looks: Gate = field(default_factory=Gate)
    storage: FeatureStorage | None = None
    seen: list[int] = field(default_factory=list)

    def keep_features(self, storage: FeatureStorage) -> None:
        self.storage = storage

    def encode_ahead(self, frames: Iterable[int], token: CancelToken) -> Generator[int, None, None]:
        for frame in frames:
            token.check()
            if frame in self.seen:
                continue
            while not self.looks.take(0.005):
                token.check()
            self.seen.append(frame)
            yield frame


class LookingBuilder(FakeBuilder):
    """Builds `LookingCore`s with one gate for their looks."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = Gate()

    def __call__(self, config: AppConfig, frames: FrameReader, existing: ExistingMask) -> FakeCore:
        self.cores.append(LookingCore(frames, existing, self.gate, looks=self.looks))
        return self.cores[-1]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_ahead, "PAUSE", 20)


def opened(start: Start, folder: Path, build: LookingBuilder, *flags: str) -> tuple[Driver, LookingCore]:
    driver = start("--images", folder, *flags, build=build)
    driver.wait_open()
    driver.wait(lambda: build.cores)
    core = build.cores[0]
    assert isinstance(core, LookingCore)
    return driver, core


def test_frames_from_the_present_one_outwards() -> None:
    assert list(nearest_first(1, 5)) == [1, 2, 0, 3, 4]
    assert list(nearest_first(0, 1)) == [0]


def test_all_frames_are_looked_at_and_kept_beside_the_masks(start: Start, synthetic_folder: Path) -> None:
    driver, core = opened(start, synthetic_folder, LookingBuilder())
    driver.wait(lambda: len(core.seen) == len(driver.session.frames))
    assert core.seen == list(range(len(core.seen)))
    assert core.storage is not None
    assert core.storage.folder == driver.session.masks.folder.parent / FEATURES_NAME
    assert core.storage.nbytes > 0
    driver.wait_idle()


def test_another_job_goes_first_and_then_it_goes_on(start: Start, synthetic_folder: Path) -> None:
    build = LookingBuilder()
    build.looks.close()
    driver, core = opened(start, synthetic_folder, build)
    build.looks.allow(2)
    driver.wait(lambda: len(core.seen) == 2)
    seen_then: list[int] = []
    has_run = threading.Event()

    def run(token: CancelToken) -> Generator[None, None, None]:
        seen_then.extend(core.seen)
        has_run.set()
        yield None

    driver.window.controller.runner.submit(Job("urgent", None, run, lambda result: None, lambda outcome: None))
    build.looks.allow(1)  # the frame in hand
    assert has_run.wait(TIMEOUT / 1000)
    assert seen_then == [0, 1, 2]
    build.looks.open()
    driver.wait(lambda: len(core.seen) == len(driver.session.frames))


def test_the_pointer_and_another_frame_hold_it(
    start: Start, synthetic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode_ahead, "PAUSE", 300)  # long enough to be seen
    build = LookingBuilder()
    build.looks.close()
    driver, core = opened(start, synthetic_folder, build)
    runner = driver.window.controller.runner
    signs = (
        lambda: driver.mouse(QEvent.MouseMove, (20, 20), Qt.NoButton, Qt.NoButton),
        lambda: driver.trigger("frame.next"),
    )
    for seen, sign in ((1, signs[0]), (3, signs[1])):
        build.looks.allow(1)
        driver.wait(partial(lambda wanted: len(core.seen) == wanted, seen))
        sign()
        build.looks.allow(1)  # the frame in hand; the next one would wait at the gate
        driver.wait(lambda: not runner.is_busy())
        assert len(core.seen) == seen + 1
    build.looks.open()
    driver.wait(lambda: len(core.seen) == len(driver.session.frames))


def test_nothing_is_kept_where_memory_is_to_be_spared(start: Start, synthetic_folder: Path) -> None:
    driver, core = opened(start, synthetic_folder, LookingBuilder(), "--mem_profile", "3")
    driver.wait_idle()
    assert core.storage is None
    assert core.seen == []
