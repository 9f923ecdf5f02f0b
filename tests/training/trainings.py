"""Tiny trainings of the real light network, and a program that runs one: `python trainings.py PACKS OUT`."""
from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

from inference_core.device import ComputeDevice
from tests.generation.pictures import tiny_pack
from training import distributed
from training.distributed import Crew
from training.loop import Trainer
from training.preset import Preset, Stage
from training.propagation import PropagationTask
from training.state import STATE, load_state

CPU = ComputeDevice(torch.device("cpu"), None)
NETWORK = "light-propagation"
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
    packs, out = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    crew = distributed.join(CPU.device)
    try:
        # Each process has a folder of its own, so that it shows when one writes that must not.
        trainer = make_trainer(packs, out / str(crew.rank), crew=crew)
        load_state(trainer.state, out / STATE)
        for seen in (8, 12):
            trainer.run(seen)
            save_file(trainer.state.tensors(), out / f"{seen}-of-{crew.rank}.safetensors")
    finally:
        distributed.leave(crew)


if __name__ == "__main__":
    main()
