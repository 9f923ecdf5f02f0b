"""Where weight files are looked for and what is said when they are not there."""
from __future__ import annotations

from pathlib import Path

import pytest

from model import zoo
from util.errors import AppError


@pytest.fixture
def empty_saves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """`stcn` and its table entry point into an empty folder."""
    entry = zoo.WeightFile("stcn", "STCN", tmp_path / "saves" / "stcn.pth", "propagation")
    monkeypatch.setattr(zoo, "WEIGHT_FILES", (entry,))
    return entry.path


def test_embedded_weights_are_there() -> None:
    assert zoo.find("light").is_embedded
    assert zoo.is_available("light")
    assert zoo.resolve("light").is_file()


def test_missing_weights_say_where_to_put_them(empty_saves: Path) -> None:
    assert not zoo.is_available("stcn")
    with pytest.raises(AppError) as caught:
        zoo.resolve("stcn")
    assert str(empty_saves) in caught.value.message
    assert str(empty_saves.parent) in caught.value.hint


def test_present_weights_resolve(empty_saves: Path) -> None:
    empty_saves.parent.mkdir()
    empty_saves.touch()
    assert zoo.is_available("stcn")
    assert zoo.resolve("stcn") == empty_saves


def test_explicit_file_wins_and_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    with pytest.raises(AppError, match=r"mine\.pth \(STCN\) does not exist"):
        zoo.resolve("stcn", path)
    path.touch()
    assert zoo.resolve("stcn", path) == path


def test_a_folder_for_a_file_and_a_file_for_a_folder(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="is a folder; the weights of the STCN are a file"):
        zoo.resolve("stcn", tmp_path)
    (tmp_path / "encoder.pt").touch()
    with pytest.raises(AppError, match=r"no folder with the weights of the RVOS: decoder\.pt is not in it"):
        zoo.resolve("rvos", tmp_path)
    with pytest.raises(AppError, match=r"no folder with the weights of the RVOS: encoder\.pt is not in it"):
        zoo.resolve("rvos", tmp_path / "encoder.pt")
    with pytest.raises(AppError, match="The folder .*gone .* does not exist"):
        zoo.resolve("rvos", tmp_path / "gone")


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match="'resnet'; there are light, .*stcn, fusion_stcn"):
        zoo.resolve("resnet")
