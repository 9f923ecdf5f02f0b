"""Two processes under torchrun: gradients are averaged, and only the first one writes."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import distributed, nn

from tests.training.trainings import CPU, NETWORK, PRESET, make_trainer
from training.distributed import Crew
from training.loop import _CLIP_NORM
from training.optimiser import _BETAS
from training.state import STATE, read_state

PROGRAM = Path(__file__).with_name("trainings.py")


def run_two(repository: Path, packs: Path, out: Path) -> None:
    """`trainings.main` in two processes."""
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(PROGRAM),
         str(packs), str(out)],
        env={**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def mean_gradients(packs: Path, folder: Path) -> list[torch.Tensor]:
    """By one process, of the step that two take after `folder`'s state: mean over both batches, clipped."""
    shares = []
    for number in (2, 3):
        trainer = make_trainer(packs, folder)
        trainer.resume()
        network = trainer.state.network.train()
        batch = trainer._task.batch(number, PRESET.batch, 32)
        parts = trainer._loss(batch, 4 / PRESET.samples, torch.Generator().manual_seed(number))
        torch.stack(list(parts.values())).sum().backward()
        shares.append([torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters()])
    parameters = [p for group in trainer.state.optimiser.param_groups for p in group["params"]]
    for parameter, one, other in zip(network.parameters(), *shares, strict=True):
        parameter.grad = (one + other) / 2
    nn.utils.clip_grad_norm_(parameters, _CLIP_NORM)
    return [p.grad for p in parameters if p.grad is not None]


@pytest.mark.usefixtures("one_thread")
def test_two_processes_go_on_with_the_mean_gradient(packs: Path, tmp_path: Path, repository: Path) -> None:
    out = tmp_path / "out"
    make_trainer(packs, out).run(until=4)
    run_two(repository, packs, out)
    before, after = load_file(out / STATE), load_file(out / "8-of-0.safetensors")
    expected = mean_gradients(packs, out)
    keep = _BETAS[0]
    found = [
        (after[f"optimiser.{n}.exp_avg"] - keep * before[f"optimiser.{n}.exp_avg"]) / (1 - keep)
        for n in range(len(expected))
    ]
    apart = torch.cat([(f - e).flatten() for f, e in zip(found, expected, strict=True)]).norm()
    size = torch.cat([e.flatten() for e in expected]).norm()
    assert size > 0.1 and apart < 1e-3 * size
    for seen in (8, 12):
        one, other = (load_file(out / f"{seen}-of-{rank}.safetensors") for rank in range(2))
        # Running statistics are each process's own until the next step begins with the first one's.
        trained = [name for name in one if name.startswith("network.") and not re.search("running_|num_batches", name)]
        assert trained and all(torch.equal(one[name], other[name]) for name in trained)
    assert read_state(out / "0" / STATE, NETWORK)[1].seen == 12
    assert (out / "0" / "history.jsonl").exists()
    assert not list((out / "1").iterdir()), "only the first process writes"


def test_numbers_of_batches_go_on_when_the_processes_change(packs: Path, tmp_path: Path) -> None:
    """What one process has seen is not shown again when two go on, and the two see different things."""
    trainer = make_trainer(packs, tmp_path)
    trainer.run(until=4)
    shown = []
    for rank in range(2):
        crew = Crew(rank, 2)
        other = make_trainer(packs, tmp_path)
        other.resume()
        other._crew = crew
        other._task.batch = lambda number, size, side: shown.append(number) or trainer._task.batch(number, size, side)
        other._one_step(other.state.position)
        assert other.state.seen == 8
    assert shown == [2, 3]


def test_alone_every_wish_counts_at_once() -> None:
    assert Crew().agree(True, 3) and not Crew().agree(False, 0)
    module = nn.Conv2d(1, 1, 1)
    assert Crew().wrap(module) is module and Crew().prepare(module, CPU.device) is module


def test_several_processes_agree_now_and_then_on_gpus_and_always_on_cpus() -> None:
    """A step may take seconds on a CPU, and torchrun kills what has not ended after 30."""
    assert Crew(1, 2, ask_every=10).agree(True, 3) is False  # not asked at this step
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        assert Crew(0, 2).agree(True, 3) and not Crew(0, 2).agree(False, 3)
        assert Crew(0, 2, ask_every=10).agree(True, 20)
    finally:
        distributed.destroy_process_group()


def test_batch_statistics_are_shared_on_gpus_under_the_same_names() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    names = list(network.state_dict())
    shared = Crew(0, 2).prepare(network, torch.device("cuda"))
    assert isinstance(shared[1], nn.SyncBatchNorm) and list(shared.state_dict()) == names
