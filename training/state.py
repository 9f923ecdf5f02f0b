"""The state of a training on disk: weights, their average, the optimiser and the position, without pickling."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from util.errors import AppError

FILE_LIMIT = 15 << 20
"""Bytes of one part of a state or of weights that must travel."""


@dataclass
class TrainingState:
    """Everything that a training needs to go on; `step` counts optimiser steps, `seen` samples."""

    network: nn.Module
    average: nn.Module
    optimiser: torch.optim.Optimizer
    step: int = 0
    seen: int = 0

    def tensors(self) -> dict[str, Tensor]:
        result = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        result |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for index, entry in self.optimiser.state_dict()["state"].items():
            result |= {f"optimiser.{index}.{k}": v for k, v in entry.items()}
        return {k: v.detach().cpu().contiguous() for k, v in result.items()}

    def load(self, tensors: dict[str, Tensor], step: int, seen: int) -> None:
        for prefix, module in (("network.", self.network), ("average.", self.average)):
            module.load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})
        entries: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, index, key = name.split(".")
                entries.setdefault(int(index), {})[key] = value
        layout = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": entries, "param_groups": layout["param_groups"]})
        self.step, self.seen = step, seen


def save_state(state: TrainingState, path: Path) -> None:
    """Exact, in one file that replaces the one before only when complete."""
    draft = path.with_suffix(".new")
    save_file(state.tensors(), draft, metadata={"step": str(state.step), "seen": str(state.seen)})
    draft.replace(path)


def load_state(state: TrainingState, path: Path) -> None:
    """Raises AppError for a file that is damaged or of another training."""
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        state.load(tensors, int(about["step"]), int(about["seen"]))
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError, json.JSONDecodeError) as error:
        raise AppError(f"{path} is not a state of this training: {error}") from error
