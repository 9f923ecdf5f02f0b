"""From settings to a running core. Imports torch; to be called on the thread that will run the networks."""
from __future__ import annotations

import importlib
import os
from pathlib import Path

import torch

from inference_core import registry
from inference_core.api import WEIGHTS_SETTING, ExistingMask, FrameReader
from inference_core.core import InferenceCore
from inference_core.device import ComputeDevice, open_device
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import Fuser, LinearFuser, NetworkFuser, NewestFuser
from inference_core.light_judge import build_judge
from inference_core.policy import CompatPolicy
from inference_core.propagator import SupportsBudget
from inference_core.registry import Engine, FusionChoice
from model import checksums, zoo
from model.fusion_file import load_fusion
from util.allocator import keep_freed_memory
from util.config import AppConfig
from util.errors import AppError


def build_core(
    config: AppConfig,
    frames: FrameReader,
    existing: ExistingMask,
    *,
    spare_cores: int = 0,
    fusion: FusionChoice = "auto",
    quality: Path | None = None,
) -> InferenceCore:
    """An engine for one video.

    Args:
        existing: the masks as stored at this moment.
        spare_cores: processor cores to leave to others (1 for the window, which draws while networks run).
        fusion: how to merge with older results; anything but `auto` is for comparisons.
        quality: weights of the light quality network; None: those in their place.

    Raises:
        AppError: weights missing or wrong, device not there.
    """
    keep_freed_memory()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - spare_cores))
    compute = open_device(config.device, mixed_precision=not config.no_amp)
    engine = registry.choose(config.engine, has_gpu=compute.device.type != "cpu")
    if config.weights is not None and engine.weights is None:
        raise AppError(f"--weights {config.weights}: the engine {engine.name} has no network.", "Leave the flag out.")
    weights = None if engine.weights is None else zoo.resolve(engine.weights, config.weights)
    setup = EngineSetup(
        native=frames.size,
        weights=weights,
        compute=compute,
        mem_every=config.mem_every,
        top_k=config.top_k,
        short_side=config.size,
        max_memory_frames=config.max_memory_frames,
        budget=config.budget,
        update_rate=config.update_rate,
    )
    propagator = importlib.import_module(engine.module).build(setup)
    for name, value in (("--budget", config.budget), ("--update_rate", config.update_rate)):
        if value is not None and not isinstance(propagator, SupportsBudget):
            raise AppError(f"{name} {value}: the engine {engine.name} has no memory with a budget.", "Leave it out.")
    if config.max_memory_frames is not None and "max_rolling" not in propagator.settings:
        raise AppError(
            f"--max_memory_frames {config.max_memory_frames}: the engine {engine.name} keeps no memory of frames.",
            "Leave it out.",
        )
    fuser = _fuser(engine, config, compute, fusion)
    return InferenceCore(
        frames,
        propagator,
        fuser,
        existing,
        policy=CompatPolicy.product(),
        device=str(compute),
        settings={
            "weights": "" if weights is None else str(weights),
            WEIGHTS_SETTING: "" if weights is None else checksums.weights_sha256(weights),
            "mem_every": config.mem_every,
            "working_size": str(propagator.working_size()),
            "fusion": fuser.name,
            **propagator.settings,
        },
        feature_bytes=config.budgets.features,
        judge=build_judge(quality),
        may_zoom=not config.no_zoom,
    )


def describe_device(name: str, *, mixed_precision: bool) -> str:
    """The device that `name` means on this machine, and its precision. AppError where there is none."""
    return str(open_device(name, mixed_precision=mixed_precision))


def _fuser(engine: Engine, config: AppConfig, compute: ComputeDevice, choice: FusionChoice) -> Fuser:
    """As `choice` says; by default the network that is named, else this engine's if its file is there, else linear."""
    if choice == "none":
        return NewestFuser()
    is_there = config.fusion_model is not None or (engine.fusion is not None and zoo.is_available(engine.fusion))
    if choice == "linear" or (choice == "auto" and not is_there):
        return LinearFuser()
    if engine.fusion is None and config.fusion_model is None:
        raise AppError(f"The engine {engine.name} has no fusion network.", "Name one by --fusion_model.")
    path = zoo.resolve(engine.fusion or "fusion_stcn", config.fusion_model)
    return NetworkFuser(compute.place(load_fusion(path)), compute)
