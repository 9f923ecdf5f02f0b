"""Sets up the device, the processes and the folder, and runs a training."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from inference_core.device import ComputeDevice, open_device
from storage.atomic_file import disk_error, remove_partials
from storage.lock import FolderLock
from training import distributed
from training.distributed import Crew
from training.loop import Trainer
from training.preset import PresetName
from training.presets import preset_of
from training.stopping import StopRequest
from training.tasks import TASKS


@dataclass(frozen=True)
class Order:
    """What train.py was asked for; see its flags."""

    network: str
    preset: PresetName
    train: Path
    heldout: Path
    out: Path
    light: Path
    init: Path | None
    samples: int | None
    seed: int | None
    until: int | None
    threads: int | None
    device: str


def train(order: Order, report: Callable[[str], None]) -> int:
    """Train, or go on training, until done or told to stop by a signal; returns the exit code. Raises AppError."""
    compute = _open(order.device)
    if order.threads:
        torch.set_num_threads(order.threads)
    crew = distributed.join(compute.device)
    try:
        lock = _open_folder(order.out) if crew.leads else None
        try:
            with StopRequest() as stop:
                _run(order, compute, crew, report, stop)
        finally:
            if lock is not None:
                lock.release()
    finally:
        distributed.leave(crew)
    return 0 if stop.signal is None else 128 + stop.signal


def _run(order: Order, compute: ComputeDevice, crew: Crew, report: Callable[[str], None], stop: StopRequest) -> None:
    row, preset = TASKS[order.network], preset_of(order.network, order.preset)
    if order.samples is not None:
        preset = replace(preset, samples=order.samples)
    if order.seed is not None:
        preset = replace(preset, seed=order.seed)
    extra = (order.light,) if row.needs_light else ()
    task = row.load()(preset, order.train, order.heldout, compute.device, *extra)
    trainer = Trainer(task, preset, order.out, compute, crew, report, stop)
    is_resumed = trainer.resume()
    if not is_resumed and order.init is not None:
        trainer.start_from(order.init)
    if crew.leads:
        origin = "resumed" if is_resumed else f"from {order.init}" if order.init is not None else "from scratch"
        number = sum(p.numel() for p in trainer.state.network.parameters()) / 1e6
        report(
            f"{order.network}, {number:.2f} M parameters, preset {order.preset}, {origin}, on {compute}; "
            f"processes {crew.size}, threads {torch.get_num_threads()} each"
        )
    trainer.run(order.until)


def _open(name: str) -> ComputeDevice:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    compute = open_device(name, mixed_precision=True)
    if compute.half is torch.float16:
        # Gradients vanish in float16 without scaling, and GPUs that lack bfloat16 are too old to be worth it.
        compute = replace(compute, half=None)
    if name == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
    torch.set_flush_denormal(True)
    return compute


def _open_folder(folder: Path) -> FolderLock:
    """Make the folder and keep other trainings out of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder) from error
    lock = FolderLock(folder, what="training", hint="Wait for it, or choose another folder with --out.")
    remove_partials(folder)
    return lock
