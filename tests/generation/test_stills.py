"""Stills: which are held out, and what is refused."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generation import stills
from generation.stills import find_stills, is_held_out, read_still, square
from tests.generation.pictures import blocks, names, ramp, write_still, write_stills
from util.errors import AppError


def listed(repository: Path) -> list[str]:
    return (repository / "generation" / "heldout.txt").read_text(encoding="utf-8").split()


def test_every_listed_name_is_held_out_and_each_set_gives_about_its_share(repository: Path) -> None:
    lines = listed(repository)
    assert len(lines) == len(set(lines)) == 344
    assert all(is_held_out(*line.split("/")) for line in lines)


def test_the_list_is_all_of_the_split(repository: Path, shared: Path) -> None:
    images = shared / "data" / "images"
    found = [f"{name}/{file.stem}" for name, file in find_stills(images, "heldout")]
    assert found == listed(repository)
    assert not {f"{name}/{file.stem}" for name, file in find_stills(images, "train")} & set(found)


def test_about_fifteen_percent_are_held_out() -> None:
    share = np.mean([is_held_out("set", f"{number:04d}") for number in range(4000)])
    assert 0.13 < share < 0.17


def test_both_splits_together_are_all_pairs(tmp_path: Path) -> None:
    write_stills(tmp_path, 4, 3)
    (tmp_path / "set" / "alone.jpg").write_bytes(b"no label map beside it")
    both = {split: [file.stem for _, file in find_stills(tmp_path, split)] for split in ("train", "heldout")}
    assert both == {"train": names("train", 4), "heldout": names("heldout", 3)}
    # The pairs' own folder will do too; its name is the set's.
    assert find_stills(tmp_path / "set", "train") == find_stills(tmp_path, "train")


def test_no_stills_there(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="no stills of the split train"):
        find_stills(tmp_path, "train")


def test_unlabelled_pixels_become_background(tmp_path: Path) -> None:
    labels = blocks()
    labels[:5] = 255
    write_still(tmp_path, "a", ramp(), labels)
    still = read_still("set", tmp_path / "a.jpg")
    assert not still.labels[:5].any()
    np.testing.assert_array_equal(still.labels[5:], labels[5:])


@pytest.mark.parametrize("damage", ["truncated", "other size", "no picture"])
def test_a_bad_still_is_named(tmp_path: Path, damage: str) -> None:
    write_still(tmp_path, "a", ramp(), blocks(32) if damage == "other size" else blocks())
    if damage != "other size":
        file = tmp_path / ("a.png" if damage == "no picture" else "a.jpg")
        file.write_bytes(b"<html>" if damage == "no picture" else file.read_bytes()[:200])
    with pytest.raises(AppError, match=r"a\.(jpg|png)"):
        read_still("set", tmp_path / "a.jpg")


def test_stretching_invents_no_labels() -> None:
    assert set(np.unique(square(blocks(60), 37))) == {0, 1, 2}
    assert square(ramp(60), 37).shape == (37, 37, 3)


def test_the_command_lists_a_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stills(tmp_path, 4, 3)
    monkeypatch.setattr("sys.argv", ["stills", "--images", str(tmp_path), "--split", "heldout"])
    assert stills.main() == 0
    assert capsys.readouterr().out.split() == [f"set/{name}" for name in names("heldout", 3)]
    monkeypatch.setattr("sys.argv", ["stills", "--images", str(tmp_path / "absent"), "--split", "train"])
    assert stills.main() == 2
    assert "absent" in capsys.readouterr().err
