"""Rounds of correction that the frame agent is taught by: `python train.py produce-rewards`.

Yin, Zheng, Xia, Lu, Xu, Huang: "Learning to Recommend Frame for Interactive Video Object Segmentation in the Wild",
CVPR 2021: frames are recommended at random at first, later by the agent with some chance of any other frame; how much
better a recommendation was than random ones is its reward. Here the user gives true masks
(`evaluation.corrected_video`) and the state is the true J&F, as in the paper's training.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from evaluation.corrected_video import CorrectedVideo
from evaluation.correction import find_clips
from inference_core.api import FrameRanker
from storage.atomic_file import write_atomic
from util.config import AppConfig
from util.errors import AppError

Leader = Literal["random", "agent"]


@dataclass(frozen=True)
class Episode:
    """One sequence corrected frame by frame; frame 0 is given before.

    Args:
        leader: who recommended. number: of the episode among those of this sequence and leader.
        frames: recommended, R of them.
        quality: R + 1 rows of T: J&F of every frame, 0..1, before the first correction and after each.
    """

    clip: str
    leader: Leader
    number: int
    frames: tuple[int, ...]
    quality: tuple[tuple[float, ...], ...]

    def counts(self, rounds: int) -> list[int]:
        """How many times each frame was annotated after so many rounds."""
        given = (0, *self.frames[:rounds])
        return [given.count(frame) for frame in range(len(self.quality[0]))]


@dataclass(frozen=True)
class EpisodeOrder:
    """What is to be played.

    Args:
        clips: data set in the DAVIS layout with all masks. out: file of episodes, one JSON object per line; what is in
            it is not played again.
        episodes: per sequence. rounds: of each. limit: only the first frames of a sequence.
        ranker: the agent; None: frames are recommended at random.
        chance: of any frame instead of the agent's.
    """

    clips: Path
    out: Path
    episodes: int
    rounds: int
    limit: int | None
    count: int | None
    seed: int
    ranker: FrameRanker | None = None
    chance: float = 0.25

    @property
    def leader(self) -> Leader:
        return "random" if self.ranker is None else "agent"


def produce(order: EpisodeOrder, config: AppConfig, spare_cores: int, report: Callable[[str], None]) -> None:
    """Play what is missing in the file; it grows sequence by sequence. Raises AppError."""
    episodes = load_episodes(order.out) if order.out.exists() else []
    for place, (name, images, masks) in enumerate(find_clips(order.clips)[: order.count]):
        there = sum(1 for episode in episodes if episode.clip == name and episode.leader == order.leader)
        if there >= order.episodes:
            continue
        with CorrectedVideo(images, masks, config, order.limit, spare_cores) as video:
            start = video.moment()
            for number in range(there, order.episodes):
                video.go_back(start)
                rng = np.random.default_rng([order.seed, place, number, order.ranker is not None])
                episodes.append(_played(video, name, number, order, rng))
        lines = [json.dumps(asdict(episode)) for episode in episodes]
        write_atomic(order.out, ("\n".join(lines) + "\n").encode())
        ends = [float(np.mean(e.quality[-1])) for e in episodes if e.clip == name and e.leader == order.leader]
        report(f"{name}: J&F {100 * np.mean(start.quality):.1f}, after {order.rounds} rounds {100 * np.mean(ends):.1f}")


def _played(
    video: CorrectedVideo, name: str, number: int, order: EpisodeOrder, rng: np.random.Generator
) -> Episode:
    frames: list[int] = []
    quality = [video.quality]
    for _ in range(order.rounds):
        counts = [(0, *frames).count(frame) for frame in range(len(video))]
        if order.ranker is None or rng.random() < order.chance:
            frames.append(int(rng.integers(len(video))))
        else:
            frames.append(order.ranker.rank(video.quality, counts)[0])
        video.correct(frames[-1])
        quality.append(video.quality)
    return Episode(name, order.leader, number, tuple(frames), tuple(_rounded(row) for row in quality))


def _rounded(row: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in row)


def load_episodes(path: Path) -> list[Episode]:
    """Raises AppError if the file is missing or something else."""
    try:
        found = [_read(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AppError(
            f"{path} holds no episodes of correction: {error}", "Make some: python train.py produce-rewards"
        ) from error
    return found


def _read(content: dict[str, object]) -> Episode:
    """Raises ValueError, TypeError or KeyError unless it is an episode."""
    rows, frames = content["quality"], content["frames"]
    if not isinstance(rows, list) or not isinstance(frames, list) or content["leader"] not in ("random", "agent"):
        raise ValueError("not an episode")
    quality = tuple(tuple(float(value) for value in row) for row in rows)
    lengths = {len(row) for row in quality}
    if len(lengths) != 1 or len(quality) != len(frames) + 1 or not frames:
        raise ValueError("rounds that do not fit each other")
    chosen = tuple(int(frame) for frame in frames)
    if min(chosen) < 0 or max(chosen) >= lengths.pop():
        raise ValueError("a frame that is not there")
    leader: Leader = "agent" if content["leader"] == "agent" else "random"
    return Episode(str(content["clip"]), leader, int(str(content["number"])), chosen, quality)
