"""The history of a training, its picture and its events."""
from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from storage.lock import FolderLock
from training import history
from training.curves import _ticks, draw_curves
from training.events import EVENTS, EventLog
from training.history import CURVES, HISTORY, History, redraw
from util.errors import AppError


def filled(folder: Path) -> History:
    result = History(folder)
    for number in range(1, 31):
        result.add(100 * number, {"key": 3 / number, "rate": 1e-3})
        if number % 10 == 0:
            result.add(100 * number, {"held out J&F": 60.0 + number})
    return result


def scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder / EVENTS)).Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_lines_are_read_back_and_cut(tmp_path: Path) -> None:
    notes = filled(tmp_path)
    assert len(notes.read()) == 33
    assert notes.read()[0] == {"seen": 100, "key": 3.0, "rate": 1e-3}
    notes.cut(1000)
    assert [line["seen"] for line in notes.read()][-2:] == [1000, 1000]
    assert History(tmp_path / "absent").read() == []


@pytest.mark.parametrize("line", ["{", "[1]", '{"key": 1}', '{"seen": "x"}', '{"seen": 1, "key": null}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    notes = filled(tmp_path)
    with (tmp_path / HISTORY).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(AppError, match="line 34 is damaged"):
        notes.read()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def is_line(picture: np.ndarray) -> np.ndarray:
    """Where the strong blue of the curves is."""
    return (picture[..., 2] - picture[..., 0]) > 150


def test_a_falling_curve_falls_in_the_picture(tmp_path: Path) -> None:
    picture = pixels(draw_curves([{"seen": n, "loss": 10.0 - n} for n in range(1, 11)]))
    rows, columns = np.nonzero(is_line(picture))
    assert len(rows) > 200
    left, right = rows[columns < columns.min() + 20].mean(), rows[columns > columns.max() - 20].mean()
    assert right - left > picture.shape[0] / 3


def test_every_quantity_gets_a_chart(tmp_path: Path) -> None:
    notes = filled(tmp_path)
    notes.draw()
    picture = pixels((tmp_path / CURVES).read_bytes())
    third = picture.shape[1] // 3
    assert all(is_line(picture[:, n * third : (n + 1) * third]).sum() > 50 for n in range(3))
    four = pixels(draw_curves([{"seen": 5, "a": 1.0, "b": 0.0, "c": -2.0, "d": 1e9}]))
    assert four.shape == (2 * picture.shape[0], picture.shape[1], 3)
    assert is_line(four[picture.shape[0] :, :third]).any() and not is_line(four[picture.shape[0] :, third:]).any()


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (0.13, 0.19), (-3.0, 70.0), (5.0, 5.0), (0.0, 0.0), (1e-9, 2e-9)]
)
def test_ticks_are_few_and_enclose(low: float, high: float) -> None:
    ticks = _ticks(low, high, 4)
    assert ticks[0] <= low + 1e-12 and ticks[-1] >= high - 1e-12
    assert 2 <= len(ticks) <= 7


def test_nothing_to_draw(tmp_path: Path) -> None:
    History(tmp_path).draw()
    assert not (tmp_path / CURVES).exists()


def test_events_of_a_resumed_training(tmp_path: Path) -> None:
    first = EventLog(tmp_path, pytest.fail)
    for seen in (4, 8, 12):
        first.add(seen, {"key": float(seen)})
    first.close()
    second = EventLog(tmp_path, pytest.fail, resumed=8)
    second.add(12, {"key": 1.5})
    second.close()
    second.close()
    assert scalars(tmp_path, "key") == [(4, 4.0), (8, 8.0), (12, 1.5)]


def test_a_missing_package_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    lines: list[str] = []
    log = EventLog(tmp_path, lines.append)
    for seen in range(3):
        log.add(seen, {"key": 1.0})
    log.close()
    assert len(lines) == 1 and "requirements-train.txt" in lines[0]
    assert not (tmp_path / EVENTS).exists()


def test_redrawing_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(tmp_path)
    monkeypatch.setattr("sys.argv", ["history", str(tmp_path)])
    for _ in range(2):  # the second time replaces the events of the first
        assert history.main() == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / CURVES)] * 2
    assert scalars(tmp_path, "held out J&F") == [(1000, 70.0), (2000, 80.0), (3000, 90.0)]
    monkeypatch.setattr("sys.argv", ["history", str(tmp_path / "absent")])
    assert history.main() == 2
    assert "absent" in capsys.readouterr().err


def test_the_folder_of_a_running_training_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path)
    lock = FolderLock(tmp_path)
    with pytest.raises(AppError, match="this training is in use"):
        redraw(tmp_path, pytest.fail)
    lock.release()
    assert not (tmp_path / CURVES).exists()
