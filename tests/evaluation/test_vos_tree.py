"""Data sets are found and checked as a whole before anything is computed."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation.vos_tree import open_tree
from tests.evaluation.vos_trees import davis_tree, save_mask, write_meta, youtube_tree
from tests.synthetic import SyntheticVideo
from util.errors import AppError
from util.vos_config import VosConfig


def config(root: Path, dataset: str, **more: object) -> VosConfig:
    return VosConfig(dataset=dataset, root=root, **more)  # type: ignore[arg-type]


def test_davis_gives_the_objects_of_the_first_frame(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    tree = open_tree(config(davis_tree(tmp_path, synthetic_video), "davis17"))
    assert [sequence.name for sequence in tree.sequences] == ["first", "second"]
    first = tree.sequences[0]
    assert first.starts == {1: "00000", 2: "00000", 3: "00000"}
    assert len(first.wanted) == 12
    (given,) = first.given().items()
    assert given[0] == "00000" and np.array_equal(given[1], synthetic_video.masks[0])


def test_davis16_is_one_object_and_its_lists_may_name_frames(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    root = davis_tree(tmp_path, synthetic_video)
    lists = root / "ImageSets" / "480p"
    lists.mkdir()
    line = "/JPEGImages/480p/second/0000{}.jpg /Annotations/480p/second/0000{}.png\n"
    (lists / "val.txt").write_text(line.format(0, 0) + line.format(1, 1), encoding="utf-8")
    (sequence,) = open_tree(config(root, "davis16")).sequences
    assert sequence.name == "second"
    assert sequence.starts == {1: "00000"}
    assert np.array_equal(sequence.given()["00000"], synthetic_video.masks[0] > 0)


def test_without_lists_all_sequences_count_and_it_is_said(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    root = davis_tree(tmp_path, synthetic_video)
    (root / "ImageSets" / "2017" / "val.txt").unlink()
    (root / "ImageSets" / "2017").rmdir()
    (root / "ImageSets").rmdir()
    tree = open_tree(config(root, "davis16"))
    assert len(tree.sequences) == 2 and "no ImageSets" in tree.layout.note
    assert [s.name for s in open_tree(config(root, "davis16", sequences=("second",))).sequences] == ["second"]
    with pytest.raises(AppError, match="no sequence third"):
        open_tree(config(root, "davis16", sequences=("third",)))


def test_youtube_objects_begin_where_meta_says(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    root = youtube_tree(tmp_path, synthetic_video)
    tree = open_tree(config(root, "youtube19"))
    (sequence,) = tree.sequences
    assert sequence.starts == {1: "00000", 2: "00006", 3: "00000"}
    assert sequence.categories == {1: "dog", 2: "kite", 3: "dog"} and tree.seen == {"dog"}
    given = sequence.given()
    assert [*given] == ["00000", "00006"]
    assert set(np.unique(given["00000"])) == {0, 1, 3} and set(np.unique(given["00006"])) == {0, 2}
    (every,) = open_tree(config(root, "youtube18", all_frames=True)).sequences
    assert every.wanted == sequence.wanted and "all_frames" in str(every.images)


def test_a_folder_gives_objects_where_they_are_first_seen(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    synthetic_video.write_frames(tmp_path / "clip" / "images")
    for number, ids in ((2, [1]), (5, [1, 3]), (9, [1, 2, 3])):
        mask = synthetic_video.masks[number]
        save_mask(tmp_path / "clip" / "masks" / f"{number:05d}.png", np.where(np.isin(mask, ids), mask, 0))
    (sequence,) = open_tree(config(tmp_path, "folder")).sequences
    assert sequence.name == "clip" and sequence.starts == {1: "00002", 2: "00009", 3: "00005"}
    (alone,) = open_tree(config(tmp_path / "clip", "folder")).sequences
    assert alone.name == "clip" and alone.starts == sequence.starts
    (long,) = open_tree(config(tmp_path, "long")).sequences
    assert long.starts == {1: "00002"}


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    root = davis_tree(tmp_path, synthetic_video, ("absent", "empty", "good", "masked", "small", "strange"))
    masks = root / "Annotations" / "480p"
    for file in (root / "JPEGImages" / "480p" / "absent").iterdir():
        file.unlink()
    (masks / "masked" / "00000.png").unlink()
    save_mask(masks / "small" / "00004.png", np.ones((10, 10), np.uint8))
    save_mask(masks / "strange" / "99999.png", synthetic_video.masks[0])
    save_mask(masks / "empty" / "00000.png", np.zeros_like(synthetic_video.masks[0]))
    with pytest.raises(AppError) as caught:
        open_tree(config(root, "davis17"))
    text = str(caught.value)
    assert text.count("\n") == 5 and "good" not in text
    for part in ("absent holds no image", "masked/00000.png: no such file", "small/00004.png: is 10x10", "99999"):
        assert part in text
    assert "empty: no object is marked" in text


@pytest.mark.parametrize(
    ("videos", "message"),
    [
        ({}, "says nothing about this video"),
        ({"clip": {"1": {"category": "dog", "frames": ["00001"]}}}, "00001.png: no such file"),
        ({"clip": {"7": {"category": "dog", "frames": ["00000"]}}}, "does not show object 7"),
        ({"clip": {"1": {"category": "dog", "frames": []}}}, "must be a list of frames"),
        ({"clip": {"x": {"category": "dog", "frames": ["00000"]}}}, "must be an object's id"),
        ({"clip": {"1": {"frames": ["00000"]}}}, "category is missing"),
    ],
)
def test_meta_that_does_not_fit(
    tmp_path: Path, synthetic_video: SyntheticVideo, videos: dict[str, dict[str, dict[str, object]]], message: str
) -> None:
    root = youtube_tree(tmp_path, synthetic_video)
    write_meta(root / "valid", videos)
    with pytest.raises(AppError, match=message):
        open_tree(config(root, "youtube19"))


@pytest.mark.parametrize("dataset", ["davis16", "davis17", "youtube18", "long", "folder"])
def test_another_layout_is_refused(tmp_path: Path, dataset: str) -> None:
    with pytest.raises(AppError, match="no such folder|holds"):
        open_tree(config(tmp_path, dataset))
    with pytest.raises(AppError, match="no such folder"):
        open_tree(config(tmp_path / "nothing", dataset))
