"""The list of networks and weights: shown, fetched, stopped, taken in, verified. A fake stands for the internet."""
from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot
from safetensors.torch import save

from gui.weights_control import WeightsControl
from gui.weights_dialog import WeightsDialog
from gui.weights_jobs import Report
from inference_core import registry
from model import checksums, zoo
from model.fusion_net import FusionNet
from model.zoo import WeightFile
from tests.gui.conftest import Start
from tests.gui.driver import TIMEOUT, Driver
from util.errors import AppError
from util.jobs import CancelToken


class FakeFetcher:
    """Writes two megabytes into an entry's place, reporting on the way; each step has to be let through."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.asked: list[str] = []
        self.failing: set[str] = set()

    def __call__(self, entry: WeightFile, report: Report, token: CancelToken) -> str:
        self.asked.append(entry.name)
        for step in range(1, 5):
            report(step * 500_000, 2_000_000)
            while not self.go.acquire(timeout=0.01):
                token.check()
            token.check()
        if entry.name in self.failing:
            raise AppError(f"{entry.path.name} could not be fetched: the server answers 404.", "Try again later.")
        entry.path.parent.mkdir(exist_ok=True)
        entry.path.write_bytes(bytes(2_000_000))
        return "from a fake"


@pytest.fixture
def saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "saves"
    table = (
        WeightFile("light", "light network", zoo.find("light").path, "propagation", "light"),
        WeightFile("net", "fusion network", folder / "net.pth", "fusion", "fusion", ("https://a.example/net",)),
        WeightFile("other", "another", folder / "other.pth", "clicks", "", ("https://a.example/other",), licence="MIT"),
        WeightFile("own", "its own", folder / "own.pth", "scribbles", by_hand="ask its authors"),
    )
    everything, proposals = zoo.WEIGHT_FILES, registry.proposal_file()
    monkeypatch.setattr("gui.suggest_control.proposal_file", lambda: proposals)
    monkeypatch.setattr(zoo, "WEIGHT_FILES", table)
    monkeypatch.setattr("interact.method_setup.weight_files", lambda: everything)
    monkeypatch.setattr(zoo, "SAVES", folder)
    return folder


@pytest.fixture
def fetcher() -> FakeFetcher:
    return FakeFetcher()


@pytest.fixture
def driver(start: Start, saves: Path, fetcher: FakeFetcher) -> Driver:
    """A window without a video, with its list of weights opened by the key."""
    made = start()
    made.window.controller.weights.fetcher = fetcher
    made.window.actions_by_id["weights.show"].trigger()
    return made


def control(driver: Driver) -> WeightsControl:
    return driver.window.controller.weights


def dialog(driver: Driver) -> WeightsDialog:
    shown = control(driver).dialog
    assert shown is not None and shown.isVisible()
    return shown


def wait_done(qtbot: QtBot, driver: Driver) -> None:
    qtbot.waitUntil(lambda: not control(driver).is_running, timeout=TIMEOUT)


def test_the_list_says_what_is_here_and_what_to_fetch(driver: Driver) -> None:
    shown = dialog(driver)
    states = {name: shown.state(name) for name in ("light", "net", "other", "own")}
    assert states == {
        "light": "part of the program", "net": "missing", "other": "missing", "own": "missing, no address known",
    }
    assert [shown.is_grey(name) for name in states] == [False, True, True, True]
    rows = {row: [shown.table.topLevelItem(row).text(column) for column in range(6)] for row in (1, 2)}
    assert rows[1] == ["fusion network", "missing", "fusion", "net.pth", "unknown", "unknown"]
    assert rows[2][5] == "MIT"
    assert not shown.fetch_button.isEnabled() and not shown.take_button.isEnabled()  # `light` is selected
    shown.select("net")
    assert "https://a.example/net" in shown.details.text() and str(zoo.find("net").path) in shown.details.text()
    assert shown.fetch_button.isEnabled() and shown.take_button.isEnabled()
    shown.select("own")
    assert "ask its authors" in shown.details.text() and str(zoo.find("own").path) in shown.details.text()
    assert not shown.fetch_button.isEnabled() and shown.take_button.isEnabled()


def test_download_with_progress(driver: Driver, qtbot: QtBot, fetcher: FakeFetcher) -> None:
    shown = dialog(driver)
    shown.select("net")
    qtbot.mouseClick(shown.fetch_button, Qt.LeftButton)
    fetcher.go.release(3)
    qtbot.waitUntil(lambda: shown.bar.bar.maximum() == 2 and shown.bar.bar.value() == 2, timeout=TIMEOUT)
    assert shown.state("net") == "downloading…" and shown.bar.facts.name.text().startswith("2 / 2 MB")
    assert not shown.fetch_button.isEnabled() and not shown.verify_button.isEnabled()
    fetcher.go.release()
    wait_done(qtbot, driver)
    assert shown.state("net") == "here" and not shown.is_grey("net")
    assert shown.bar.facts.name.text() == "1 done." and not shown.bar.is_running
    assert not shown.fetch_button.isEnabled() and shown.fetch_all_button.isEnabled()
    assert driver.dialogs.errors == []


def test_stop(driver: Driver, qtbot: QtBot, fetcher: FakeFetcher) -> None:
    shown = dialog(driver)
    qtbot.mouseClick(shown.fetch_all_button, Qt.LeftButton)
    qtbot.waitUntil(lambda: fetcher.asked == ["net"], timeout=TIMEOUT)
    qtbot.mouseClick(shown.bar.cancel_button, Qt.LeftButton)
    wait_done(qtbot, driver)
    assert fetcher.asked == ["net"] and shown.bar.facts.name.text() == "Stopped."
    assert shown.state("net") == "missing" and shown.fetch_all_button.isEnabled()


def test_all_goes_on_after_a_failure(driver: Driver, qtbot: QtBot, fetcher: FakeFetcher) -> None:
    shown = dialog(driver)
    fetcher.failing = {"net"}
    fetcher.go.release(8)
    qtbot.mouseClick(shown.fetch_all_button, Qt.LeftButton)
    wait_done(qtbot, driver)
    assert fetcher.asked == ["net", "other"]
    assert (shown.state("net"), shown.state("other")) == ("failed", "here")
    assert shown.bar.facts.name.text() == "1 done, 1 failed."
    assert [str(error) for error in driver.dialogs.errors] == [
        "net.pth could not be fetched: the server answers 404. Try again later."
    ]


def test_take_in_a_file_and_verify_it(
    driver: Driver, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = dialog(driver)
    file = tmp_path / "from-the-browser.pth"
    monkeypatch.setattr(driver.dialogs, "ask_weights", lambda folder: file)
    file.write_bytes(save({"weight": torch.ones(2)}))
    shown.select("net")
    qtbot.mouseClick(shown.take_button, Qt.LeftButton)
    wait_done(qtbot, driver)
    assert "does not hold the weights of the fusion network" in str(driver.dialogs.errors.pop())
    file.write_bytes(save(FusionNet().state_dict()))
    qtbot.mouseClick(shown.take_button, Qt.LeftButton)
    wait_done(qtbot, driver)
    place = zoo.find("net").path
    assert shown.state("net") == "here" and place.read_bytes() == file.read_bytes() and not driver.dialogs.errors
    assert checksums.recorded(place) == checksums.sha256(file)
    qtbot.mouseClick(shown.verify_button, Qt.LeftButton)
    wait_done(qtbot, driver)
    assert shown.state("net") == "here, verified" and not driver.dialogs.errors
    place.write_bytes(b"damaged")
    qtbot.mouseClick(shown.verify_button, Qt.LeftButton)
    wait_done(qtbot, driver)
    assert shown.state("net") == "failed" and "net.pth has changed" in str(driver.dialogs.errors.pop())


def test_the_list_is_fresh_when_it_is_shown_again(driver: Driver, saves: Path) -> None:
    shown = dialog(driver)
    shown.close()
    saves.mkdir()
    zoo.find("own").path.write_bytes(b"by hand")
    driver.window.actions_by_id["weights.show"].trigger()
    assert dialog(driver) is shown and shown.state("own") == "here"


def test_closing_the_window_ends_a_download(driver: Driver, qtbot: QtBot, fetcher: FakeFetcher) -> None:
    shown = dialog(driver)
    qtbot.mouseClick(shown.fetch_all_button, Qt.LeftButton)
    qtbot.waitUntil(lambda: fetcher.asked == ["net"], timeout=TIMEOUT)
    assert driver.window.close()
    assert not control(driver).is_running and not zoo.find("net").path.exists()
