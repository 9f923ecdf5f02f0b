"""Tiny trainings of the real light network, and a program that runs one: `python trainings.py PACKS OUT UNTIL`."""
from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from inference_core.device import ComputeDevice
from tests.generation.pictures import tiny_pack
from training import distributed
from training.distributed import Crew
from training.loop import Trainer
from training.preset import Preset, Stage
from training.propagation import PropagationTask

CPU = ComputeDevice(torch.device("cpu"), None)
PRESET = Preset(
    samples=12, batch=2, stages=(Stage(0.5, 32), Stage(1.0, 48)), rate=1e-3, warm_up=3, width=0.125, score_every=100
)


class TinyTask(PropagationTask):
    """The real task; its score, over many large clips, is replaced by one number."""

    def score(self, network: torch.nn.Module) -> dict[str, float]:
        return {"weight": float(network.key_proj.weight.mean())}


def make_packs(folder: Path) -> Path:
    for split in ("train", "heldout"):
        tiny_pack(folder, split, shapes=2).save(folder / f"{split}.npz")
    return folder


def make_trainer(
    packs: Path,
    out: Path,
    *,
    preset: Preset = PRESET,
    crew: Crew | None = None,
    report: Callable[[str], None] = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
) -> Trainer:
    out.mkdir(exist_ok=True)
    task = TinyTask(preset, packs / "train.npz", packs / "heldout.npz", CPU.device)
    return Trainer(task, preset, out, CPU, crew or Crew(), report, stop)


def main() -> None:
    packs, out, until = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    crew = distributed.join(CPU.device)
    try:
        # A rank must not write: the second process gets a folder of its own, which has to stay as it is.
        trainer = make_trainer(packs, out, preset=replace(PRESET, samples=16), crew=crew)
        trainer.resume()
        trainer.run(until)
        weights = torch.cat([p.detach().flatten() for p in trainer.state.network.parameters()])
        torch.save(weights, out / f"weights-{crew.rank}.pt")
    finally:
        distributed.leave(crew)


if __name__ == "__main__":
    main()
