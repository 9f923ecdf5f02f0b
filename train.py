"""Train the networks whose weights this project ships.

    python train.py light-propagation --train train.npz --heldout heldout.npz --out FOLDER --preset cpu
    python train.py produce-rewards --clips CLIPS --out episodes.jsonl

Packs of pictures are made by `python -m generation.pack`, samples for the fusion network by `python -m
training.fusion_samples` and for quality networks by `python -m training.quality_samples`, episodes for the frame agent
by `produce-rewards`. A training that was stopped goes on when the same command is given again. Under torchrun every
process takes its share of the samples. docs/training.md has the rest.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from model.zoo import find
from training.tasks import TASKS
from util.config import AppConfig, short_side
from util.errors import AppError
from util.flags import integer, share
from util.threads import calm_openmp

_REWARDS = "produce-rewards"


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--out", type=Path, required=True, help="folder of this training; outside the repository")
    common.add_argument("--train", type=Path, help="pack of pictures, samples or episodes to train on")
    common.add_argument("--heldout", type=Path, help="the same to score on")
    common.add_argument("--preset", choices=["cpu", "gpu"], default="cpu", help="sizes and rates (default: cpu)")
    common.add_argument("--init", type=Path, help="weights to begin with instead of random ones")
    common.add_argument("--samples", type=integer(1), help="samples to see in all, instead of the preset's")
    common.add_argument("--seed", type=integer(0), help="of random start and samples, instead of the preset's")
    common.add_argument("--until", type=integer(1), help="stop when so many samples were seen")
    common.add_argument("--device", choices=["auto", "cuda", "cpu"], default="auto")
    common.add_argument("--threads", type=integer(1), help="processor threads (default: all)")
    instead = common.add_mutually_exclusive_group()
    instead.add_argument("--export-state", type=Path, metavar="DIR", help="only write the state in small files there")
    instead.add_argument("--import-state", type=Path, metavar="DIR", help="only put such files into the folder")
    instead.add_argument("--export-weights", type=Path, metavar="FILE", help="only write the weights (.safetensors)")

    parser = argparse.ArgumentParser(description="Train a network; give the same command again to go on.")
    networks = parser.add_subparsers(dest="network", required=True, metavar="NETWORK")
    for row in TASKS.values():
        sub = networks.add_parser(row.name, help=row.about, description=f"Trains the network that {row.about}.",
                                  parents=[common])
        sub.set_defaults(light=find("light").path)
        if row.needs_light:
            sub.add_argument("--light", type=Path, help="weights of the light propagation network it builds on")
    _add_rewards(networks.add_parser(
        _REWARDS, help="plays rounds of correction for the agent",
        description="Plays rounds of correction with true masks, for pretrain-agent and agent to learn from.",
    ))
    return parser


def _add_rewards(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout, with all masks")
    parser.add_argument("--out", type=Path, required=True, help="file of episodes (.jsonl); what is in it stays")
    parser.add_argument("--episodes", type=integer(1), default=8, help="per sequence (default: 8)")
    parser.add_argument("--rounds", type=integer(1), default=4, help="corrections in each (default: 4)")
    parser.add_argument("--count", type=integer(1), help="only the first sequences")
    parser.add_argument("--frames", type=integer(1), help="only the first frames of each sequence")
    parser.add_argument("--size", type=short_side, help="shorter side that the engine works at")
    parser.add_argument("--agent", type=Path, help="weights of the agent that recommends (default: at random)")
    parser.add_argument("--chance", type=share, default=0.25, help="of a random frame instead of the agent's (0.25)")
    parser.add_argument("--engine", default="light", help="that carries the masks (default: light)")
    parser.add_argument("--weights", type=Path, help="of the engine; default: those in their usual place")
    parser.add_argument("--seed", type=integer(0), default=0)
    parser.add_argument("--threads", type=integer(1), default=os.cpu_count() or 1, help="of the processor (all)")


def main(argv: Sequence[str] | None = None) -> int:
    calm_openmp(os.environ)
    parser = _parser()
    given = parser.parse_args(argv)
    if given.network == _REWARDS:
        return _guarded(_produce, given)
    moves = (given.export_state, given.import_state, given.export_weights)
    if moves == (None, None, None) and (given.train is None or given.heldout is None):
        parser.error("--train and --heldout are needed; what makes them is in docs/training.md")
    return _guarded(_train if moves == (None, None, None) else _move, given)


def _guarded(work: Callable[[argparse.Namespace], int], given: argparse.Namespace) -> int:
    try:
        return work(given)
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _train(given: argparse.Namespace) -> int:
    from training.start import Order, train

    order = Order(**{field.name: getattr(given, field.name) for field in fields(Order)})
    return train(order, lambda line: print(line, flush=True))


def _produce(given: argparse.Namespace) -> int:
    from inference_core.advice import build_agent
    from training.agent_episodes import EpisodeOrder, produce

    order = EpisodeOrder(
        given.clips, given.out, given.episodes, given.rounds, given.frames, given.count, given.seed,
        None if given.agent is None else build_agent(given.agent), given.chance,
    )
    config = AppConfig(engine=given.engine, weights=given.weights, size=given.size)
    produce(order, config, (os.cpu_count() or 1) - given.threads, lambda line: print(line, flush=True))
    return 0


def _move(given: argparse.Namespace) -> int:
    from training.travel import export_state, export_weights, import_state

    if given.export_state is not None:
        files = export_state(given.out, given.network, given.export_state)
        sizes = [file.stat().st_size for file in files]
        print(f"{len(files)} files, {sum(sizes) / 1e6:.1f} MB, the largest {max(sizes) / (1 << 20):.1f} MiB")
    elif given.import_state is not None:
        import_state(given.import_state, given.network, given.out)
        print(f"{given.out} is ready to go on")
    else:
        about = export_weights(given.out, given.network, given.export_weights)
        print("\n".join(f"{name}: {value}" for name, value in about.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
