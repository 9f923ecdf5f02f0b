"""eval_vos.py from the command line to the files, with the engine that needs no weights."""
from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Generator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import eval_vos
import evaluation.vos_run
from evaluation.vos_run import carry_given
from inference_core import registry
from inference_core.api import CoreApi, FrameResult, KeyFrame, PropagationRequest
from interact.headless import Masks
from model import zoo
from storage.mask_io import read_mask
from tests.evaluation.vos_trees import davis_tree, save_mask, youtube_tree
from tests.rvos_folders import shrink_base, write_rvos_folder
from tests.synthetic import SyntheticVideo
from util.errors import AppError
from util.jobs import Cancelled, CancelToken
from util.shards import Shard, read_shard, show_one_gpu
from util.types import IndexMask


def call(command: str, dataset: str, root: Path, output: Path, *more: str) -> int:
    return eval_vos.main([command, "--dataset", dataset, "--root", str(root), "--output", str(output), *more])


def test_run_score_and_pack(
    tmp_path: Path, synthetic_video: SyntheticVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    root, output = davis_tree(tmp_path / "set", synthetic_video), tmp_path / "out"
    assert call("run", "davis17", root, output, "--engine", "static") == 0
    assert np.array_equal(read_mask(output / "masks" / "first" / "00011.png"), synthetic_video.masks[0])
    record = json.loads((output / "runs" / "second.json").read_text(encoding="utf-8"))
    assert (record["engine"], record["objects"]) == ("static", [1, 2, 3])
    assert (record["frames"], record["predictions"]) == (12, 11)
    capsys.readouterr()

    assert call("score", "davis17", root, output) == 0
    table = capsys.readouterr().out
    value = re.search(r"^J&F ([\d.]+)  T ([\d.]+)$", table, re.M)
    assert value is not None and 0 < float(value[1]) < 100 and float(value[2]) == 0
    scores = output / "scores"
    names = {"global_results-val.csv", "per-sequence_results-val.csv", "objects.csv", "report.html"}
    assert {file.name for file in scores.iterdir()} == names
    text = (scores / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 2 and text.count("<polyline") == 12 and "Engine static" in text
    assert not re.search(r"(src|href)=|https?://", text)
    for drawing in re.findall(r"<svg.*?</svg>", text):
        ElementTree.fromstring(drawing)

    assert call("pack", "davis17", root, output) == 0
    with zipfile.ZipFile(output / "davis17-val.zip") as archive:
        names = set(archive.namelist())
        assert len(names) == 24 and "first/00000.png" in names
        with archive.open("second/00007.png") as member, Image.open(member) as image:
            assert image.mode == "P" and np.array_equal(np.asarray(image), synthetic_video.masks[0])
    before = (output / "davis17-val.zip").read_bytes()
    assert call("pack", "davis17", root, output) == 0
    assert (output / "davis17-val.zip").read_bytes() == before


def test_a_run_goes_on_where_it_was_stopped(
    tmp_path: Path, synthetic_video: SyntheticVideo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, output = davis_tree(tmp_path / "set", synthetic_video), tmp_path / "out"
    calls = 0

    def stopped(*args: object) -> Generator[int, None, None]:
        nonlocal calls
        calls += 1
        if calls == 2:
            yield 1
            raise Cancelled
        yield from carry_given(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluation.vos_run, "carry_given", stopped)
    assert call("run", "davis17", root, output, "--engine", "static") == 130
    assert "same command goes on" in capsys.readouterr().err
    assert [file.name for file in (output / "runs").iterdir()] == ["first.json"]
    assert call("run", "davis17", root, output, "--engine", "static") == 0
    told = capsys.readouterr().out
    assert "first (1 of 2): done before" in told and "second (2 of 2): done\n" in told
    assert calls == 3
    assert len(list((output / "masks" / "second").iterdir())) == 12

    assert call("run", "davis17", root, output, "--engine", "static", "--mem_every", "3") == 2
    assert "another --output" in capsys.readouterr().err


def test_nothing_is_written_when_the_tree_is_wrong(
    tmp_path: Path, synthetic_video: SyntheticVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    root, output = davis_tree(tmp_path / "set", synthetic_video), tmp_path / "out"
    (root / "Annotations" / "480p" / "second" / "00000.png").unlink()
    assert call("run", "davis17", root, output, "--engine", "static") == 2
    assert "second/00000.png" in capsys.readouterr().err
    assert call("score", "davis17", root, output) == 2
    assert call("run", "davis17", root / "x", output) == 2
    assert call("run", "davis17", root, output, "--engine", "stcn", "--weights", str(tmp_path / "no.pth")) == 2
    assert "no.pth" in capsys.readouterr().err
    assert not output.exists()
    (root / "Annotations" / "480p" / "second" / "00000.png").write_bytes(b"no picture")
    assert call("pack", "davis17", root, output) == 2


@pytest.mark.parametrize("engine", registry.available())
def test_every_engine_runs_or_says_which_weights_it_lacks(
    tmp_path: Path, synthetic_video: SyntheticVideo, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root, output = davis_tree(tmp_path / "set", synthetic_video, ("one",)), tmp_path / "out"
    code = call("run", "davis17", root, output, "--engine", engine, "--size", "32", "--device", "cpu")
    weights = registry.find(engine).weights
    if weights is None or zoo.is_available(weights):
        assert code == 0 and len(list((output / "masks" / "one").iterdir())) == 12
    else:
        assert code == 2 and "download_model.py" in capsys.readouterr().err
        assert not output.exists()


def test_unsupervised_objects_are_found_and_matched(
    tmp_path: Path, synthetic_video: SyntheticVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink_base(monkeypatch)
    write_rvos_folder(tmp_path / "rvos", takes_mask=False, gain=400)
    root, output = davis_tree(tmp_path / "set", synthetic_video, ("one",)), tmp_path / "out"
    task = ("--task", "unsupervised")
    network = ("--engine", "rvos", "--weights", str(tmp_path / "rvos"), "--size", "32", "--device", "cpu")
    assert call("run", "davis17", root, output, *task, *network) == 0
    found = json.loads((output / "runs" / "one.json").read_text(encoding="utf-8"))["objects"]
    assert found and call("score", "davis17", root, output, *task) == 0
    rows = list(csv.DictReader((output / "scores" / "objects.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["frames"] for row in rows] == ["12"] * 3
    matched = [int(row["proposal"]) for row in rows if row["proposal"]]
    assert set(matched) <= set(found) and len(matched) == len(set(matched)) == min(3, len(found))
    assert call("run", "davis17", root, tmp_path / "other", *task, "--engine", "static") == 2


def test_youtube_objects_appear_where_they_are_given(
    tmp_path: Path, synthetic_video: SyntheticVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    root, output = youtube_tree(tmp_path / "set", synthetic_video), tmp_path / "out"
    assert call("run", "youtube19", root, output, "--engine", "static", "--all_frames") == 0
    masks = [read_mask(output / "masks" / "clip" / f"{number:05d}.png") for number in range(12)]
    assert all(set(np.unique(mask)) == {0, 1, 3} for mask in masks[:6])
    assert all(set(np.unique(mask)) == {0, 1, 2, 3} for mask in masks[6:])
    assert np.array_equal(masks[11] == 2, synthetic_video.masks[6] == 2)
    assert call("score", "youtube19", root, output) == 0
    assert re.search(r"^G [\d.]+  J seen [\d.]+  J unseen", capsys.readouterr().out, re.M)
    assert call("pack", "youtube19", root, output) == 0
    with zipfile.ZipFile(output / "youtube19-valid.zip") as archive:
        assert archive.namelist() == [f"Annotations/clip/{number:05d}.png" for number in (0, 3, 6, 9)]


def test_masks_from_elsewhere_are_scored_and_packed(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    root, masks = davis_tree(tmp_path / "set", synthetic_video, ("one",)), tmp_path / "theirs"
    for number, mask in enumerate(synthetic_video.masks):
        file = masks / "one" / f"{number:05d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(file)  # grey
    assert call("score", "davis17", root, masks) == 0
    assert call("pack", "davis17", root, masks) == 0
    with (
        zipfile.ZipFile(masks / "davis17-val.zip") as archive,
        archive.open("one/00003.png") as member,
        Image.open(member) as image,
    ):
        assert image.mode == "P" and np.array_equal(np.asarray(image), synthetic_video.masks[3])
    save_mask(masks / "one" / "00003.png", np.zeros((5, 5), np.uint8))
    (masks / "davis17-val.zip").unlink()
    assert call("pack", "davis17", root, masks) == 2
    assert not (masks / "davis17-val.zip").exists()


@pytest.mark.parametrize(
    "more",
    [["--all_frames"], ["--task", "unsupervised", "--dataset", "long"], ["--sequences", "a,,b"], ["--dataset", "x"]],
)
def test_flags_that_make_no_sense(tmp_path: Path, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        call("run", "davis17", tmp_path, tmp_path, *more)
    assert stop.value.code == 2
    with pytest.raises(SystemExit):
        call("score", "davis17", tmp_path, tmp_path, "--engine", "static")
    with pytest.raises(SystemExit):
        eval_vos.main(["walk"])


def test_shards_cover_everything_once_and_evenly() -> None:
    items = [50, 1, 1, 40, 12, 1]
    shares = [Shard(rank, 3).own(items, int) for rank in range(3)]
    assert sorted(sum(shares, [])) == sorted(items)
    assert sorted(map(sum, shares)) == [15, 40, 50]
    assert Shard().own(items, int) == items


def test_shards_are_read_as_torchrun_sets_them() -> None:
    assert read_shard({}) == Shard(0, 1, 0, 1)
    environ = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    shard = read_shard(environ)
    assert shard == Shard(5, 8, 1, 4)
    show_one_gpu(environ, shard)
    assert environ["CUDA_VISIBLE_DEVICES"] == "1"
    environ["CUDA_VISIBLE_DEVICES"] = "4,6"
    show_one_gpu(environ, shard)
    assert environ["CUDA_VISIBLE_DEVICES"] == "6"
    for wrong in ({"RANK": "1"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "x", "WORLD_SIZE": "2"}):
        with pytest.raises(AppError):
            read_shard(wrong)


def test_two_processes_share_a_run(
    tmp_path: Path, synthetic_video: SyntheticVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, output = davis_tree(tmp_path / "set", synthetic_video), tmp_path / "out"
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, done in ((1, ["second"]), (0, ["first", "second"])):
        monkeypatch.setenv("RANK", str(rank))
        assert call("run", "davis17", root, output, "--engine", "static") == 0
        assert sorted(file.stem for file in (output / "runs").iterdir()) == done


class NotedCore:
    """Carries the masks of the key frame and notes what it was told."""

    def __init__(self, masks: Masks) -> None:
        self.masks = masks
        self.synced: list[list[tuple[int, frozenset[int]]]] = []
        self.requests: list[PropagationRequest] = []

    def sync(self, key_frames: list[KeyFrame]) -> None:
        self.synced.append([(key.frame, key.object_ids) for key in key_frames])
        self.mask = key_frames[-1].mask

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        self.requests.append(request)
        assert request.last is not None
        for frame in range(request.first, request.last + 1):
            yield FrameResult(frame, self.mask, 1, 1)


class ListMasks:
    def __init__(self, count: int) -> None:
        self.masks = [np.zeros((1, 4), np.uint8)] * count

    def get(self, frame: int) -> IndexMask:
        return self.masks[frame]

    def set(self, frame: int, mask: IndexMask) -> None:
        self.masks[frame] = mask


def test_later_objects_go_on_together_with_the_earlier_ones() -> None:
    masks = ListMasks(5)
    core: CoreApi = NotedCore(masks)  # type: ignore[assignment]
    given = {1: np.array([[1, 1, 0, 0]], np.uint8), 3: np.array([[0, 2, 2, 0]], np.uint8)}
    assert list(carry_given(core, given, masks, 5, CancelToken())) == [1, 2, 3]
    assert [mask.tolist()[0] for mask in masks.masks] == [
        [0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 2, 2, 0], [1, 2, 2, 0]
    ]
    assert isinstance(core, NotedCore)
    assert core.synced == [[(1, frozenset({1}))], [(1, frozenset({1})), (3, frozenset({1, 2}))]]
    assert [(r.anchor, r.first, r.last) for r in core.requests] == [(1, 2, 3), (3, 4, 4)]
    assert {r.direction for r in core.requests} == {"forward"}
