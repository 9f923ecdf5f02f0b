"""Train the networks whose weights this project ships.

    python train.py light-propagation --train train.npz --heldout heldout.npz --out FOLDER --preset cpu

Packs of pictures are made by `python -m generation.pack`. A training that was stopped goes on when the same command is
given again. Under torchrun every process takes its share of the samples.
"""
from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from util.errors import AppError
from util.threads import calm_openmp


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a network; give the same command again to go on.")
    parser.add_argument("network", choices=["light-propagation"])
    parser.add_argument("--preset", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--train", type=Path, required=True, help="pack of pictures to train on")
    parser.add_argument("--heldout", type=Path, required=True, help="pack of pictures to score on")
    parser.add_argument("--out", type=Path, required=True, help="folder of this training; outside the repository")
    parser.add_argument("--samples", type=int, help="samples to see in all; may be raised while the rate is constant")
    parser.add_argument("--until", type=int, help="stop when so many samples were seen")
    parser.add_argument("--threads", type=int, help="processor threads; all by default")
    parser.add_argument("--device", choices=["auto", "cuda", "cpu"], default="auto")
    return parser.parse_args()


def main() -> int:
    calm_openmp(__import__("os").environ)
    given = _arguments()
    try:
        _train(given)
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _train(given: argparse.Namespace) -> None:
    import torch

    from inference_core.device import open_device
    from training import distributed
    from training.loop import Trainer
    from training.presets import preset_of
    from training.propagation import PropagationTask

    if given.threads:
        torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)
    crew = distributed.join()
    compute = open_device(given.device, mixed_precision=True)
    preset = preset_of(given.network, given.preset)
    if given.samples:
        preset = replace(preset, samples=given.samples)
    given.out.mkdir(parents=True, exist_ok=True)
    task = PropagationTask(preset, given.train, given.heldout, compute.device)
    trainer = Trainer(task, preset, given.out, compute, crew, lambda line: print(line, flush=True))
    trainer.resume()
    try:
        trainer.run(given.until)
    finally:
        distributed.leave(crew)


if __name__ == "__main__":
    sys.exit(main())
