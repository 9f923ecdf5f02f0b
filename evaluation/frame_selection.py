"""Which frames are worth correcting? Ways to choose the next one, compared by J&F against rounds of correction.

    python -m evaluation.frame_selection --clips DIR --out FILE.svg [--rounds N] [--seeds N] [--agent FILE]

`DIR` is a data set in the DAVIS layout with all masks. Every sequence begins with the true mask of its first frame;
in each round one more frame gets its true mask, which the program's own engine carries both ways. Random and linspace
look at nothing; `worst` takes the frame with the lowest quality, `recommend` what the frame agent says (Yin et al.,
"Learning to Recommend Frame for Interactive Video Object Segmentation in the Wild", CVPR 2021). The quality is the true
one (oracle), what the propagations left (`ObjectMeasure.quality`: what the light quality network predicts), and, where
its weights are here, what IVOS-W's network says. J&F is the mean over all frames, corrected ones included, then over
the sequences. Beside the chart FILE.csv has every round of every sequence.
"""
from __future__ import annotations

import argparse
import csv
import io
import math
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.corrected_video import CorrectedVideo
from evaluation.correction import find_clips
from evaluation.next_frame import ChoiceByQuality, FrameChooser, RandomChoice, SpacedChoice, estimated_quality
from evaluation.svg import Line, chart_file
from inference_core.frame_choice import WorstFirst
from inference_core.registry import carried_basis
from storage.atomic_file import write_atomic
from util.config import AppConfig, short_side
from util.errors import AppError
from util.flags import integer
from util.threads import calm_openmp

if TYPE_CHECKING:
    from inference_core.api import FrameRanker, QualityAssessor

Make = Callable[[CorrectedVideo, int, str], FrameChooser]
"""(video, rounds, what the random numbers hang on) -> who chooses in it."""

Source = Callable[[CorrectedVideo], Sequence[float]]
"""The quality of every frame at this moment."""


@dataclass(frozen=True)
class Method:
    """One line of the chart. Args: is_oracle: it knows the truth. is_random: it is played with every seed."""

    name: str
    make: Make
    is_oracle: bool = False
    is_random: bool = False


def methods(carried: str, published: QualityAssessor | None, agent: FrameRanker | None) -> list[Method]:
    """All that can be played; `recommend` only with an agent, and `published` only with that network.

    Args:
        carried: what to call the quality that propagations leave.
    """

    def by(ranker: FrameRanker, source: Source) -> Make:
        return lambda video, rounds, seed: ChoiceByQuality(ranker, lambda: source(video))

    def looked_at(video: CorrectedVideo) -> Sequence[float]:
        assert published is not None
        return estimated_quality(published, video.frames, video.core, video.object_ids, len(video))

    rankers: list[tuple[str, FrameRanker]] = [("worst", WorstFirst())]
    rankers += [] if agent is None else [("recommend", agent)]
    sources: list[tuple[str, Source]] = [(carried, lambda video: video.carried_quality)]
    sources += [] if published is None else [("published network", looked_at)]
    found = [
        Method("random", lambda video, rounds, seed: RandomChoice(len(video), random.Random(seed)), is_random=True),
        Method("linspace", lambda video, rounds, seed: SpacedChoice(len(video), rounds + 1)),
    ]
    for name, ranker in rankers:
        found.append(Method(f"{name}, true quality", by(ranker, lambda video: video.quality), is_oracle=True))
        found += [Method(f"{name}, {title}", by(ranker, source)) for title, source in sources]
    return found


@dataclass(frozen=True)
class Played:
    """One sequence with one method. Args: j_and_f: 0..1 before the first round and after each. frames: corrected."""

    sequence: str
    method: str
    seed: int
    frames: tuple[int, ...]
    j_and_f: tuple[float, ...]


def play(video: CorrectedVideo, name: str, wanted: Sequence[Method], rounds: int, seeds: int) -> Iterator[Played]:
    """Every method on one video, which is new."""
    start = video.moment()
    for method in wanted:
        for seed in range(seeds if method.is_random else 1):
            video.go_back(start)
            chooser = method.make(video, rounds, f"{seed} {name}")
            annotated, curve = [0], [float(np.mean(video.quality))]
            for _ in range(rounds):
                frame = chooser.choose(annotated)
                assert frame is not None
                video.correct(frame)
                annotated.append(frame)
                curve.append(float(np.mean(video.quality)))
            yield Played(name, method.name, seed, tuple(annotated[1:]), tuple(curve))


@dataclass(frozen=True)
class Curve:
    """Of one method. Args: mean: J&F by round over the sequences. error: standard error of their mean, by round."""

    method: str
    mean: tuple[float, ...]
    error: tuple[float, ...]


def curves(played: Sequence[Played], wanted: Sequence[Method]) -> list[Curve]:
    """The seeds of a sequence count as one; the error is how much the difference from no correction varies."""
    found = []
    sequences = list(dict.fromkeys(one.sequence for one in played))
    for method in wanted:
        rows = np.array([
            np.mean([one.j_and_f for one in played if (one.sequence, one.method) == (name, method.name)], axis=0)
            for name in sequences
        ])
        gains = rows - rows[:, :1]
        error = gains.std(axis=0, ddof=1) / len(rows) ** 0.5 if len(rows) > 1 else np.zeros(rows.shape[1])
        found.append(Curve(method.name, tuple(rows.mean(axis=0).tolist()), tuple(error.tolist())))
    return found


def as_table(found: Sequence[Curve]) -> str:
    """In Markdown and percent; what follows ± is the standard error of the mean gain."""
    rounds = len(found[0].mean)
    lines = ["| next frame | " + " | ".join(f"{n} corrected" for n in range(rounds)) + " |"]
    lines.append("|---" * (rounds + 1) + "|")
    for curve in found:
        cells = [f"{100 * curve.mean[0]:.1f}"]
        cells += [f"{100 * m:.1f} ± {100 * e:.1f}" for m, e in zip(curve.mean[1:], curve.error[1:], strict=True)]
        lines.append(f"| {curve.method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_csv(played: Sequence[Played]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("sequence", "method", "seed", "round", "frame", "j_and_f"))
    for one in played:
        for number, value in enumerate(one.j_and_f):
            frame = 0 if number == 0 else one.frames[number - 1]
            writer.writerow((one.sequence, one.method, one.seed, number, frame, f"{value:.6f}"))
    return text.getvalue()


def as_chart(found: Sequence[Curve], wanted: Sequence[Method]) -> str:
    """Those that know the truth are dashed."""
    values = [value for curve in found for value in curve.mean]
    low = math.floor(20 * min(values)) / 20
    high = low + 0.04 * max(1, math.ceil((max(values) - low) / 0.04))  # so that the four steps are whole percents
    lines = [
        Line(method.name, list(enumerate(curve.mean)), color, method.is_oracle)
        for color, (curve, method) in enumerate(zip(found, wanted, strict=True))
    ]
    return chart_file(lines, "frames corrected (mean J&F of all frames)", (low, high))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    given = _parser().parse_args(argv)
    config = AppConfig(engine=given.engine, weights=given.weights, size=given.size)
    played: list[Played] = []
    try:
        clips = find_clips(given.clips)[: given.count]
        from inference_core.advice import build_agent, build_assessor

        published = build_assessor(config.device, mixed_precision=True)
        is_predicted = given.quality is not None or carried_basis().is_trained
        wanted = methods("predicted" if is_predicted else "margin", published, build_agent(given.agent))
        for name, images, masks in clips:
            spare = (os.cpu_count() or 1) - given.threads
            with CorrectedVideo(images, masks, config, given.frames, spare, given.quality) as video:
                for one in play(video, name, wanted, given.rounds, given.seeds):
                    played.append(one)
                    ends = " ".join(f"{100 * value:.1f}" for value in one.j_and_f)
                    print(f"{name}, {one.method}, frames {one.frames}: {ends}", file=sys.stderr, flush=True)
        found = curves(played, wanted)
        write_atomic(given.out, as_chart(found, wanted).encode())
        write_atomic(given.out.with_suffix(".csv"), as_csv(played).encode())
    except AppError as error:
        print(f"evaluation.frame_selection: {error}", file=sys.stderr)
        return 2
    print(as_table(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation.frame_selection", description="Ways to choose frames.")
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout, with all masks")
    parser.add_argument("--out", type=Path, required=True, help="chart to write (.svg), with a .csv beside it")
    parser.add_argument("--rounds", type=integer(1), default=4, help="frames corrected after the first (default: 4)")
    parser.add_argument("--seeds", type=integer(1), default=3, help="of random, which is their mean (default: 3)")
    parser.add_argument("--count", type=integer(1), help="only the first sequences")
    parser.add_argument("--frames", type=integer(2), help="only the first frames of each sequence")
    parser.add_argument("--size", type=short_side, help="shorter side that the engine works at")
    parser.add_argument("--engine", default="light", help="default: light")
    parser.add_argument("--weights", type=Path, help="of the engine; default: those in their usual place")
    parser.add_argument("--quality", type=Path, help="weights of a light quality network; default: those in use")
    parser.add_argument("--agent", type=Path, help="weights of a frame agent; default: those in use, if any")
    parser.add_argument("--threads", type=integer(1), default=os.cpu_count() or 1, help="of the processor (all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
