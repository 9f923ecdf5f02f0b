"""The interactive track without the official package: a stand-in gives scribbles and takes masks."""
from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.davis_interactive import ScribblePath
from evaluation.davis_official import SequenceInfo
from evaluation.davis_track import DavisTrack, Helpers, curve_table, read_scribbles
from evaluation.next_frame import ChoiceByQuality, RandomChoice, SpacedChoice, true_quality
from evaluation.session_player import SessionPlayer
from inference_core.confidence import expected_overlap
from inference_core.factory import build_core
from inference_core.frame_choice import WorstFirst
from interact.interaction import Interaction
from interact.prompts import Stroke
from storage.workspace import Workspace
from tests.evaluation.vos_trees import davis_tree, save_mask
from tests.synthetic import SyntheticVideo
from util.config import AppConfig
from util.davis_config import DavisConfig, parse_davis_config
from util.errors import AppError
from util.jobs import CancelToken
from util.types import ImageU8

ENGINE = AppConfig(engine="static", device="cpu")


class TruthPredictor:
    """Answers every positive stroke with the object of the truth, a negative one with nothing; notes the strokes."""

    def __init__(self, video: SyntheticVideo) -> None:
        self._video = video
        self.asked: list[tuple[int, Stroke]] = []

    def predict(self, image: ImageU8, interaction: Interaction, token: CancelToken) -> NDArray[np.bool_]:
        stroke = interaction.prompts[-1]
        assert isinstance(stroke, Stroke)
        self.asked.append((interaction.object_id, stroke))
        if not stroke.positive:
            return np.zeros(image.shape[:2], bool)
        return np.asarray(self._video.masks[interaction.frame] == interaction.object_id, bool)


def line(object_id: int, *points: tuple[float, float]) -> dict[str, Any]:
    return {"path": [list(point) for point in points], "object_id": object_id}


class FakeSession:
    """Two samples of the one sequence; the robot's frames are 3, 4, 5, ..., a chosen frame is honoured."""

    def __init__(self, info: SequenceInfo, rounds: int) -> None:
        self._info, self._rounds = info, rounds
        self._sample, self._round = 0, 0
        self.frame = 3
        self.submitted: list[NDArray[np.int64]] = []
        self.candidates: list[list[int] | None] = []

    def next(self) -> bool:
        if self._round == self._rounds:
            self._sample, self._round, self.frame = self._sample + 1, 0, 3
        return self._sample < 2

    def get_scribbles(self, *, only_last: bool) -> tuple[str, dict[str, Any], bool]:
        assert only_last
        lines: list[list[dict[str, Any]]] = [[] for _ in range(self._info.num_frames)]
        lines[self.frame] = [line(1, (0.35, 0.4), (0.4, 0.5))]
        return self._info.name, {"scribbles": lines, "sequence": self._info.name}, self._round == 0

    def submit_masks(self, masks: NDArray[np.int64], candidates: list[int] | None) -> None:
        self.submitted.append(masks)
        self.candidates.append(candidates)
        self.frame = self.frame + 1 if candidates is None else candidates[0]
        self._round += 1

    def get_global_summary(self) -> dict[str, Any]:
        return {"auc": 0.5, "curve": {"time": [0, 1, 2, 2], "J_AND_F": [0, 0.25, 0.5, 0.5]}}


class FakeOfficial:
    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.known = [SequenceInfo("elsewhere", 7, 1, 854, 480, 3)]
        self.drawn: list[NDArray[np.uint8]] = []

    def benchmark(self, subset: str) -> list[SequenceInfo]:
        return self.known

    def first_scribbles(self, truth: NDArray[np.uint8], num_objects: int) -> list[dict[str, Any]]:
        self.drawn.append(truth)
        return [line(1, (0.5, 0.5))]

    @contextmanager
    def session(
        self, root: Path, subset: str, infos: Sequence[SequenceInfo], output: Path, rounds: int, seconds: int | None
    ) -> Iterator[FakeSession]:
        self.root = root
        self.sessions.append(FakeSession(infos[0], rounds))
        yield self.sessions[-1]


def make_track(
    tmp_path: Path, video: SyntheticVideo, helpers: Helpers | None = None, **more: str | int
) -> tuple[DavisTrack, FakeOfficial]:
    root = tmp_path / "set"
    if not root.exists():
        davis_tree(root, video, ("clip",))
    official = FakeOfficial()
    config = DavisConfig(tmp_path / "out", root, **{"max_nb_interactions": 3, **more})  # type: ignore[arg-type]
    helpers = helpers or Helpers(TruthPredictor(video), build_core, None, None, is_oracle=True)
    return DavisTrack(config, ENGINE, official, helpers), official  # type: ignore[arg-type]


def test_every_round_reaches_all_frames(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    track, official = make_track(tmp_path, synthetic_video)
    rounds = [(step.sample, step.number, step.frame) for step in track.play()]
    assert rounds == [(1, 1, 3), (1, 2, 4), (1, 3, 5), (2, 1, 3), (2, 2, 4), (2, 3, 5)]
    (session,) = official.sessions
    assert session.candidates == [None] * 6
    masks = session.submitted[0]
    assert masks.shape == (12, 65, 97) and masks.dtype == np.int64
    assert all(np.array_equal(mask == 1, synthetic_video.masks[3] == 1) for mask in masks)
    # A frame that was corrected stays; the second sample begins with nothing.
    third = session.submitted[2]
    assert all(np.array_equal(third[f] == 1, synthetic_video.masks[f] == 1) for f in (3, 4, 5))
    assert np.array_equal(session.submitted[3], session.submitted[0])

    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["auc"] == 0.5 and summary["engine"] == "static" and "not the figures" in summary["note"]
    assert curve_table(track.summary).split() == ["round", "seconds", "J&F", "1", "1.0", "25.0", "2", "2.0", "50.0"]
    with pytest.raises(AppError, match="earlier run"):
        make_track(tmp_path, synthetic_video)


def test_the_windows_own_workspace_is_left_behind(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    track, _ = make_track(tmp_path, synthetic_video, max_nb_interactions=1)
    assert len(list(track.play())) == 2
    from storage.frame_source import open_source

    source = open_source(tmp_path / "set" / "JPEGImages" / "480p" / "clip")
    workspace = Workspace.open(source, tmp_path / "out" / "sessions" / "clip-1")
    assert workspace.project.key_frames == {3: {1}} and len(workspace.project.objects) == 3
    workspace.close()


class Margin:
    """Stands for a network that looks at masks."""

    name = "a fake"

    def quality(self, image: ImageU8, objects: np.ndarray) -> float:
        return float(np.mean([expected_overlap(prob) for prob in objects]))


@pytest.mark.parametrize("selection", ["linspace", "worst", "recommend", "left", "random"])
def test_frames_are_chosen_as_told(tmp_path: Path, synthetic_video: SyntheticVideo, selection: str) -> None:
    """By the true quality, by a network that looks at masks, and by what the propagations left."""
    ranker = WorstFirst() if selection in ("worst", "recommend", "left") else None
    assessor = Margin() if selection == "recommend" else None
    helpers = Helpers(TruthPredictor(synthetic_video), build_core, ranker, assessor, is_oracle=selection == "worst")
    selection = "worst" if selection == "left" else selection
    track, official = make_track(tmp_path, synthetic_video, helpers, frame_selection=selection)
    frames = [step.frame for step in track.play()]
    assert len(set(frames[:3])) == 3 and frames[0] == 3
    chosen = [candidates[0] for candidates in official.sessions[0].candidates if candidates is not None]
    assert len(chosen) == 6 and chosen[:2] == frames[1:3]
    if selection == "linspace":
        assert chosen == [0, 7, 0] * 2  # of 12 frames in three steps from frame 3: 0, 3 and 7
    if helpers.is_oracle and ranker is not None:
        masks = official.sessions[0].submitted[0].astype(np.uint8)
        quality = true_quality(synthetic_video.masks, masks, (1, 2, 3))
        assert quality[chosen[0]] == min(quality[frame] for frame in range(12) if frame != 3)


def test_choosers() -> None:
    spaced = SpacedChoice(40, 4)
    annotated = [13]
    while len(annotated) < 4:
        annotated.append(spaced.choose(annotated) or 0)
    assert sorted(annotated) == sorted({*annotated}) and np.ptp(np.diff(sorted(annotated))) <= 1
    first = RandomChoice(5, random.Random(1))
    assert {first.choose([0, 1, 2]) for _ in range(20)} == {3, 4}
    assert first.choose([0, 1, 2, 3, 4]) in range(5)
    assert ChoiceByQuality(WorstFirst(), lambda: [0.5, 0.1, 0.3]).choose([1]) == 2


def test_masks_are_made_as_the_package_wants_them(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    """Ids 1 to K, names by number, first scribbles where the smallest object is largest; scribbles that exist stay."""
    root = davis_tree(tmp_path / "set", synthetic_video, ("clip",))
    for number, mask in enumerate(synthetic_video.masks):
        shown = np.where(mask == 3, 9, np.where(mask == 1, 4, 0))
        save_mask(root / "Annotations" / "480p" / "clip" / f"{number:05d}.png", shown if number > 1 else shown // 4 * 4)
    track, official = make_track(tmp_path, synthetic_video)
    (info,) = track.tree.sequences
    assert (info.num_frames, info.num_objects, info.width, info.height, info.num_scribbles) == (12, 3, 97, 65, 1)
    assert set(np.unique(track.tree.truth("clip")[5])) == {0, 1, 3}
    scribbles = json.loads((tmp_path / "out" / "tree" / "Scribbles" / "clip" / "001.json").read_text(encoding="utf-8"))
    assert sum(map(bool, scribbles["scribbles"])) == 1 and len(scribbles["scribbles"]) == 12
    assert len(official.drawn) == 1


def test_a_data_set_without_all_masks_is_refused(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    root = davis_tree(tmp_path / "set", synthetic_video, ("clip",))
    (root / "Annotations" / "480p" / "clip" / "00007.png").unlink()
    with pytest.raises(AppError, match="1 frames have no mask: 00007"):
        make_track(tmp_path, synthetic_video)


def test_the_whole_benchmark_is_played_where_it_lies(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    root = davis_tree(tmp_path / "set", synthetic_video, ("clip",))
    official = FakeOfficial()
    official.known = [SequenceInfo("clip", 12, 3, 97, 65, 1)]
    (root / "Scribbles" / "clip").mkdir(parents=True)
    (root / "Scribbles" / "clip" / "001.json").write_text("{}", encoding="utf-8")
    config = DavisConfig(tmp_path / "out", root)
    helpers = Helpers(TruthPredictor(synthetic_video), build_core, None, None, is_oracle=True)
    track = DavisTrack(config, ENGINE, official, helpers)  # type: ignore[arg-type]
    assert track.tree.root == root and track.tree.note == ""
    assert not (tmp_path / "out" / "tree").exists()


def test_strokes_say_whose_pixels_they_are(tmp_path: Path, synthetic_video: SyntheticVideo) -> None:
    """The object that has them wrongly is told by the right button, the right one by the left."""
    predictor = TruthPredictor(synthetic_video)
    images = synthetic_video.write_frames(tmp_path / "images")
    player = SessionPlayer(images, tmp_path / "work", 3, predictor, ENGINE, build_core)
    curve = [(0.30 + 0.0001 * i, 0.45) for i in range(1000)]  # inside the disc of frame 3, ten pixels long
    player.answer(3, [ScribblePath(tuple(curve), 1)])
    ((object_id, stroke),) = predictor.asked
    assert object_id == 1 and stroke.positive and stroke.width == 3
    assert len(stroke.points) == 6 and stroke.points[0].x == pytest.approx(0.30 * 97 + 0.5)
    assert stroke.points[-1].x == pytest.approx(curve[-1][0] * 97 + 0.5)

    predictor.asked.clear()
    player.answer(3, [ScribblePath(tuple(curve), 2)])
    assert [(object_id, stroke.positive) for object_id, stroke in predictor.asked] == [(1, False), (2, True)]
    predictor.asked.clear()
    player.answer(3, [ScribblePath(((0.02, 0.02),), 0)])  # the background is background already
    assert predictor.asked == []
    player.close()


def test_scribbles_of_one_frame_only() -> None:
    given = line(2, (0.1, 0.2))
    assert read_scribbles({"scribbles": [[], [given], []]}) == (1, [ScribblePath(((0.1, 0.2),), 2)])
    assert read_scribbles({"scribbles": [[], []]}) == (0, [])
    with pytest.raises(ValueError, match="2 frames"):
        read_scribbles({"scribbles": [[given], [given]]})


def test_flags() -> None:
    command = parse_davis_config(["--output", "o", "--frame_selection", "worst", "--setting", "oracle"], ["static"])
    assert command.davis == DavisConfig(Path("o"), frame_selection="worst", setting="oracle")
    assert command.engine == AppConfig()
    for wrong in (["--setting", "oracle"], ["--max_nb_interactions", "17"], ["--frame_selection", "best"]):
        with pytest.raises(SystemExit) as stop:
            parse_davis_config(["--output", "o", *wrong], ["static"])
        assert stop.value.code == 2
