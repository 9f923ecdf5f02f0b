"""Features on disk: bounded, safe to delete, damage is as good as nothing."""
from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from storage.feature_folder import FeatureFolder

ONE, OTHER = "0123456789abcdef", "fedcba9876543210"


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_was_put_is_there_in_the_next_run(tmp_path: Path) -> None:
    FeatureFolder(tmp_path, ONE, 1000).put(7, b"seven")
    again = FeatureFolder(tmp_path, ONE, 1000)
    assert 7 in again and 8 not in again
    assert again.get(7) == b"seven"
    assert again.get(8) is None


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    before = FeatureFolder(tmp_path, ONE, 3 * 112)
    for frame in range(3):
        before.put(frame, bytes(100))
        os.utime(files(tmp_path)[frame], ns=(frame, frame))
    folder = FeatureFolder(tmp_path, ONE, 3 * 112)
    assert folder.get(0) is not None
    assert not folder.fits(1)
    folder.put(3, bytes(100))
    assert [frame in folder for frame in range(4)] == [True, False, True, True]
    assert sum(path.stat().st_size for path in files(tmp_path)) == folder.nbytes == 3 * 112


def test_what_was_used_in_this_run_stays(tmp_path: Path) -> None:
    folder = FeatureFolder(tmp_path, ONE, 2 * 112)
    for frame in range(4):
        folder.put(frame, bytes(100))
    assert [frame in folder for frame in range(4)] == [True, True, False, False]


def test_a_smaller_budget_holds_from_the_beginning(tmp_path: Path) -> None:
    large = FeatureFolder(tmp_path, ONE, 10_000)
    for frame in range(5):
        large.put(frame, bytes(100))
        os.utime(files(tmp_path)[frame], ns=(frame, frame))
    small = FeatureFolder(tmp_path, ONE, 2 * 112)
    assert [frame in small for frame in range(5)] == [False, False, False, True, True]
    assert len(files(tmp_path)) == 2


def test_what_is_too_large_is_not_kept_and_displaces_nothing(tmp_path: Path) -> None:
    folder = FeatureFolder(tmp_path, ONE, 200)
    folder.put(0, bytes(100))
    folder.put(1, bytes(500))
    assert 0 in folder and 1 not in folder


@pytest.mark.parametrize("damage", [b"", b"frameft1", b"anything else that is long enough"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    folder = FeatureFolder(tmp_path, ONE, 1000)
    folder.put(0, b"good")
    [file] = files(tmp_path)
    file.write_bytes(damage)
    assert folder.get(0) is None
    assert not file.exists()


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    folder = FeatureFolder(tmp_path, ONE, 1000)
    folder.put(0, b"good")
    [file] = files(tmp_path)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert folder.get(0) is None


def test_the_folder_may_be_deleted_meanwhile(tmp_path: Path) -> None:
    folder = FeatureFolder(tmp_path / "features", ONE, 1000)
    folder.put(0, b"zero")
    shutil.rmtree(tmp_path / "features")
    assert folder.get(0) is None
    folder.put(1, b"one")
    assert folder.get(1) in (None, b"one")


def test_features_of_other_settings_go_and_strange_folders_stay(tmp_path: Path) -> None:
    FeatureFolder(tmp_path, OTHER, 1000).put(0, b"old")
    (tmp_path / "notes").mkdir()
    FeatureFolder(tmp_path, ONE, 1000)
    assert sorted(path.name for path in tmp_path.iterdir()) == [ONE, "notes"]


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = FeatureFolder(tmp_path / "file", ONE, 1000)
    folder.put(0, b"zero")
    assert folder.get(0) is None
    assert not folder.fits(0)
