"""Scores of a whole data set: which frames count, matching of proposals, the files."""
from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from evaluation.davis_csv import global_csv, sequence_csv
from evaluation.matching import assign
from evaluation.score import score_folders
from evaluation.score import summarize as plain_summary
from evaluation.vos_score import check_results, counted, score_sequence
from evaluation.vos_summary import objects_csv, summarize
from evaluation.vos_tree import open_tree
from tests.evaluation.vos_trees import davis_tree, save_mask, youtube_tree
from tests.synthetic import SyntheticVideo
from util.errors import AppError
from util.vos_config import VosConfig


def late_results(folder: Path, video: SyntheticVideo, lag: int = 1) -> Path:
    """Masks that come some frames too late."""
    for number in range(len(video)):
        save_mask(folder / f"{number:05d}.png", video.masks[max(0, number - lag)])
    return folder


def test_davis_scores_equal_the_plain_scorer(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    config = VosConfig("davis17", davis_tree(tmp_path / "set", synthetic_video, ("one",)))
    results = late_results(tmp_path / "results" / "one", synthetic_video)
    (sequence,) = open_tree(config).sequences
    found = summarize(score_sequence(sequence, results, config), None)
    expected = plain_summary(score_folders(config.root / "Annotations" / "480p", tmp_path / "results"))
    assert list(found.rows) == expected
    assert 0 < expected[-1].j_and_f < 1
    assert [len(item.region) for item in found.objects] == [10, 10, 10]
    assert all(item.proposal is None and item.stability is not None for item in found.objects)


def test_davis16_merges_objects_on_both_sides(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    config = VosConfig("davis16", davis_tree(tmp_path / "set", synthetic_video, ("one",)))
    (config.root / "ImageSets" / "2017").rename(config.root / "ImageSets" / "2016")
    for number, mask in enumerate(synthetic_video.masks):
        save_mask(tmp_path / "results" / f"{number:05d}.png", np.where(mask > 0, 5, 0))
    (sequence,) = open_tree(config).sequences
    (only,) = score_sequence(sequence, tmp_path / "results", config)
    assert only.object_id == 1 and only.row.j_and_f == 1


def test_youtube_counts_an_object_after_its_first_frame(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    config = VosConfig("youtube19", youtube_tree(tmp_path / "set", synthetic_video))
    tree = open_tree(config)
    (sequence,) = tree.sequences
    later = ("00003", "00006", "00009")
    assert counted(sequence, config) == {1: later, 2: ("00009",), 3: later}
    for number in range(0, 12, 3):
        mask = synthetic_video.masks[number]
        save_mask(tmp_path / "results" / f"{number:05d}.png", np.where(mask == 2, 0, mask))
    found = summarize(score_sequence(sequence, tmp_path / "results", config), tree.seen)
    assert found.split is not None
    assert (found.split.region_seen, found.split.region_unseen) == (1, 0)
    assert found.split.overall == 0.5
    assert [item.category for item in found.objects] == ["dog", "kite", "dog"]
    assert all(item.stability is None for item in found.objects)
    assert summarize(found.objects, None).split is None


def test_proposals_are_matched_over_the_whole_sequence(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    """Other numbers, one object in two halves of time, one proposal that is nothing."""
    config = VosConfig("davis17", davis_tree(tmp_path / "set", synthetic_video, ("one",)), task="unsupervised")
    (sequence,) = open_tree(config).sequences
    for number, mask in enumerate(synthetic_video.masks):
        proposals = np.zeros_like(mask)
        proposals[mask == 1] = 9
        proposals[mask == 3] = 4 if number < 8 else 6
        proposals[:2, :2] = 2
        save_mask(tmp_path / "results" / f"{number:05d}.png", proposals)
    first, second, third = score_sequence(sequence, tmp_path / "results", config)
    assert (first.proposal, third.proposal) == (9, 4)
    assert len(first.stems) == 12 and first.row.j_and_f == 1
    assert second.row.j_and_f == 0  # what is left over is far from it
    assert third.region.tolist() == [1.0] * 8 + [0.0] * 4


def test_with_too_few_proposals_an_object_has_none(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    config = VosConfig("davis17", davis_tree(tmp_path / "set", synthetic_video, ("one",)), task="unsupervised")
    (sequence,) = open_tree(config).sequences
    for number, mask in enumerate(synthetic_video.masks):
        save_mask(tmp_path / "results" / f"{number:05d}.png", np.where(mask == 2, 7, 0))
    found = score_sequence(sequence, tmp_path / "results", config)
    assert [item.proposal for item in found] == [None, 7, None]
    assert [item.row.region.mean for item in found] == [0, 1, 0]
    crowd = np.zeros_like(synthetic_video.masks[0])
    crowd.flat[:21] = np.arange(1, 22)
    save_mask(tmp_path / "results" / "00000.png", crowd)
    with pytest.raises(AppError, match="more than 20"):
        score_sequence(sequence, tmp_path / "results", config)


def test_assignment_is_the_best_of_all() -> None:
    assert assign(np.array([[0.9, 0.8], [0.8, 0.1], [0.2, 0.2]])) == [1, 0]


def test_results_are_checked_before_scoring(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    config = VosConfig("davis17", davis_tree(tmp_path / "set", synthetic_video, ("gone", "one", "whole")))
    sequences = open_tree(config).sequences
    for name in ("one", "whole"):
        late_results(tmp_path / "results" / name, synthetic_video)
    (tmp_path / "results" / "one" / "00005.png").unlink()
    with pytest.raises(AppError) as caught:
        check_results(tmp_path / "results", sequences, config)
    text = str(caught.value)
    assert "gone: no results" in text and "one: 1 of 10 frames have no mask: 00005" in text and "whole" not in text
    (tmp_path / "results" / "one" / "00005.png").write_bytes(b"")
    save_mask(tmp_path / "results" / "whole" / "00005.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(AppError, match="is 4x4 pixels"):
        score_sequence(sequences[2], tmp_path / "results" / "whole", config)


def test_tables_are_those_of_the_davis_tool(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    config = VosConfig("davis17", davis_tree(tmp_path / "set", synthetic_video, ("one",)))
    (sequence,) = open_tree(config).sequences
    results = late_results(tmp_path / "results", synthetic_video)
    summary = summarize(score_sequence(sequence, results, config), None)
    lines = global_csv(summary.overall).splitlines()
    assert lines[0] == "J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay" and len(lines) == 2
    assert lines[1].split(",")[0] == f"{summary.overall.j_and_f:.3f}"
    rows = sequence_csv([item.row for item in summary.objects]).splitlines()
    assert rows[0] == "Sequence,J-Mean,F-Mean"
    assert [row.split(",")[0] for row in rows[1:]] == ["one_1", "one_2", "one_3"]
    (first, *_) = csv.DictReader(objects_csv(summary.objects).splitlines())
    mean = summary.objects[0].region.mean()
    assert first["object"] == "1" and float(first["J_mean"]) == pytest.approx(mean, abs=1e-6)
    assert first["proposal"] == first["category"] == ""
