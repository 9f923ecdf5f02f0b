"""The DAVIS interactive track: `python eval_interactive_davis.py --output DIR [--davis ROOT] [flags]`.

The official package gives the scribbles, plays the robot and counts (requirements-eval.txt says how to install it); the
window's own session answers. Exit codes: 0 done; 2 wrong input; 130 stopped with Ctrl-C.
"""
from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from evaluation.davis_official import load
from evaluation.davis_track import SUMMARY, DavisTrack, Helpers, curve_table
from evaluation.session_player import BuildCore
from inference_core import registry
from inference_core.frame_choice import WorstFirst
from inference_core.registry import carried_basis
from interact.method_choice import MethodChoice
from interact.method_setup import make_choice
from util.config import AppConfig
from util.davis_config import BY_QUALITY, DavisConfig, parse_davis_config
from util.errors import AppError
from util.threads import calm_openmp

EXIT_INPUT = 2
EXIT_STOPPED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    command = parse_davis_config(sys.argv[1:] if argv is None else argv, registry.available())
    try:
        return run(command.davis, command.engine)
    except AppError as error:
        print(f"eval_interactive_davis.py: {error}", file=sys.stderr)
        return EXIT_INPUT
    except KeyboardInterrupt:
        print("eval_interactive_davis.py: stopped; there is no summary.", file=sys.stderr)
        return EXIT_STOPPED


def run(config: DavisConfig, engine: AppConfig) -> int:
    """Play everything and print the summary. Raises AppError."""
    official = load(config.seed)
    if not config.davis.is_dir():
        raise AppError(f"--davis {config.davis}: no such folder.", "Name the folder of the data set.")
    track = DavisTrack(config, engine, official, make_helpers(config, engine))
    if track.tree.note:
        print(track.tree.note)
    for step in track.play():
        head = f"{step.sequence} sample {step.sample}"
        print(f"{head}: round {step.number} of {config.max_nb_interactions}, frame {step.frame}", file=sys.stderr)
    print(curve_table(track.summary))
    threshold = track.summary["metric_at_threshold"]
    print(f"AUC {track.summary['auc']:.3f}  J&F at {threshold['threshold']} s {threshold['J_AND_F']:.3f}")
    print(f"{config.output / SUMMARY}", file=sys.stderr)
    return 0


def make_helpers(config: DavisConfig, engine: AppConfig) -> Helpers:
    """The networks besides the engine. Imports torch, so that loading it is not counted. AppError: weights missing."""
    from inference_core.factory import build_core

    build: BuildCore = build_core
    choice = make_choice(engine, {})
    check_scribbles(choice, engine)
    if config.frame_selection not in BY_QUALITY:
        return Helpers(choice, build, None, None, is_oracle=True)
    from inference_core.advice import build_advice

    advice = build_advice(engine.device, mixed_precision=not engine.no_amp)
    ranker = advice.ranker if config.frame_selection == "recommend" else WorstFirst()
    is_oracle = config.setting == "oracle"
    by = carried_basis().name if advice.assessor is None else advice.assessor.name
    print(f"Next frame: {ranker.name}, by {'the true J&F' if is_oracle else by}.")
    return Helpers(choice, build, ranker, advice.assessor, is_oracle)


def check_scribbles(choice: MethodChoice, engine: AppConfig) -> None:
    """AppError when the method that was asked for does not answer scribbles. Says which one does."""
    method = choice.answering("scribble")
    if engine.interaction not in ("auto", method.name):
        raise AppError(f"--interaction {engine.interaction}: does not answer scribbles.", f"{method.name} does.")
    print(f"Scribbles are answered by {method.title}.")


if __name__ == "__main__":
    sys.exit(main())
