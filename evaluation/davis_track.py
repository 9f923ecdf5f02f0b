"""One run of the DAVIS interactive track: every sample played through the window's session, the official way to count.

    OUTPUT/sessions/NAME-1        the session's workspace, which the window can open
    OUTPUT/tree                   a smaller tree for the package, where the data set is not DAVIS 2017 itself
    OUTPUT/result_DATE.csv        the package's own report
    OUTPUT/summary.json           its summary, and what was run
"""
from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.davis_interactive import ScribblePath
from evaluation.davis_official import Official
from evaluation.davis_tree import InteractiveTree, prepare
from evaluation.next_frame import (
    ChoiceByQuality,
    FrameChooser,
    RandomChoice,
    RobotsChoice,
    SpacedChoice,
    estimated_quality,
    true_quality,
)
from evaluation.session_player import BuildCore, SessionPlayer
from inference_core.api import FrameRanker, QualityAssessor
from interact.predictor import MaskPredictor
from storage.atomic_file import disk_error, write_atomic
from util.config import AppConfig
from util.davis_config import DavisConfig
from util.errors import AppError

_SESSIONS, _TREE, SUMMARY = "sessions", "tree", "summary.json"


@dataclass(frozen=True)
class Helpers:
    """What is built once for all samples.

    Args:
        build: makes the engine of a video.
        ranker, assessor: for `--frame_selection` worst and recommend. is_oracle: by the true quality; else by the
            assessor's, and without one by the quality that the propagations leave.
    """

    predictor: MaskPredictor
    build: BuildCore
    ranker: FrameRanker | None
    assessor: QualityAssessor | None
    is_oracle: bool


@dataclass(frozen=True)
class Round:
    """One answer, for whoever watches. `number` counts from 1 within a sample."""

    sequence: str
    sample: int
    number: int
    frame: int


class DavisTrack:
    """May be run once.

    Raises:
        AppError: the output folder holds a run already, or cannot be written; the data set is not right.
    """

    def __init__(self, config: DavisConfig, engine: AppConfig, official: Official, helpers: Helpers) -> None:
        self._config, self._engine, self._official, self._helpers = config, engine, official, helpers
        self._output = config.output
        for name in (_SESSIONS, _TREE, SUMMARY):
            if (self._output / name).exists():
                raise AppError(f"{self._output / name}: from an earlier run.", "Choose another --output.")
        try:
            (self._output / _SESSIONS).mkdir(parents=True)
        except OSError as error:
            raise disk_error(error, self._output) from error
        self.tree: InteractiveTree = prepare(config.davis, config.subset, self._output / _TREE, official)
        self.summary: Mapping[str, Any] = {}
        """Of the package, once all samples are played."""
        self._about: dict[str, object] = {}

    def play(self) -> Iterator[Round]:
        """Play all samples, yielding after every round; then the summary is written."""
        config, tree = self._config, self.tree
        with self._official.session(
            tree.root, config.subset, tree.sequences, self._output, config.max_nb_interactions, config.max_time
        ) as session:
            yield from self._play(session)
            self.summary = session.get_global_summary()
        content = {
            **self.summary,
            "frame_selection": config.frame_selection,
            "setting": config.setting,
            "max_nb_interactions": config.max_nb_interactions,
            "max_time": config.max_time,
            "note": tree.note,
            **self._about,
        }
        write_atomic(self._output / SUMMARY, (json.dumps(content, indent=1) + "\n").encode())

    def _play(self, session: Any) -> Iterator[Round]:  # noqa: ANN401 - the package has no types
        player: SessionPlayer | None = None
        sample, annotated = 0, list[int]()
        chooser: FrameChooser = RobotsChoice()
        try:
            while session.next():
                name, scribbles, is_new = session.get_scribbles(only_last=True)
                frame, paths = read_scribbles(scribbles)
                if is_new:
                    if player is not None:
                        player.close()
                    sample, annotated = sample + 1, []
                    player = self._open(name, sample)
                    chooser = self._chooser(name, player)
                assert player is not None
                annotated.append(frame)
                masks = player.answer(frame, paths)
                following = chooser.choose(annotated)
                session.submit_masks(masks.astype(int), None if following is None else [following])
                yield Round(name, sample, len(annotated), frame)
        finally:
            if player is not None:
                player.close()

    def _open(self, name: str, sample: int) -> SessionPlayer:
        info = next(info for info in self.tree.sequences if info.name == name)
        folder = self._output / _SESSIONS / f"{name}-{sample}"
        player = SessionPlayer(
            self.tree.images[name], folder, info.num_objects, self._helpers.predictor, self._engine, self._helpers.build
        )
        core = player.core
        self._about = {"engine": core.engine, "device": core.device, "settings": dict(core.settings)}
        return player

    def _chooser(self, name: str, player: SessionPlayer) -> FrameChooser:
        config, helpers = self._config, self._helpers
        num_frames = len(player.frames)
        if config.frame_selection == "random":
            return RandomChoice(num_frames, random.Random(f"{config.seed} {name}"))
        if config.frame_selection == "linspace":
            return SpacedChoice(num_frames, config.max_nb_interactions)
        if helpers.ranker is None:
            return RobotsChoice()
        return ChoiceByQuality(helpers.ranker, self._quality(name, player))

    def _quality(self, name: str, player: SessionPlayer) -> Callable[[], Sequence[float]]:
        assessor = self._helpers.assessor
        if self._helpers.is_oracle:
            truth = self.tree.truth(name)
            return lambda: true_quality(truth, player.masks(), player.object_ids)
        if assessor is not None:
            return lambda: estimated_quality(
                assessor, player.frames, player.core, player.object_ids, len(player.frames)
            )
        return player.carried_quality


def read_scribbles(content: Mapping[str, Any]) -> tuple[int, list[ScribblePath]]:
    """The one frame that has lines, and these; ValueError when several frames have some.

    Args:
        content: as the package gives it. Without a line anywhere (nothing is wrong any more) it is frame 0.
    """
    drawn = [(frame, lines) for frame, lines in enumerate(content["scribbles"]) if lines]
    if len(drawn) > 1:
        raise ValueError(f"scribbles on {len(drawn)} frames at once")
    frame, lines = drawn[0] if drawn else (0, [])
    paths = [ScribblePath(tuple((x, y) for x, y in line["path"]), line["object_id"]) for line in lines if line["path"]]
    return frame, paths


def curve_table(summary: Mapping[str, Any]) -> str:
    """J&F by round, in percent, with the mean seconds that were needed up to there; ends with a newline.

    The curve begins with 0 before the first round and repeats the last value at the end of the time.
    """
    curve = summary["curve"]
    rows = list(zip(curve["time"], curve["J_AND_F"], strict=True))[1:-1]
    lines = [f"{'round':>5}{'seconds':>10}{'J&F':>8}"]
    lines += [f"{number:>5}{seconds:>10.1f}{100 * value:>8.1f}" for number, (seconds, value) in enumerate(rows, 1)]
    return "\n".join(lines) + "\n"
