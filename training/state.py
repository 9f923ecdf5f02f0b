"""The state of a training on disk: weights, their average, the optimiser and the position, without pickling."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from storage.atomic_file import write_atomic
from util.errors import AppError

STATE = "state.safetensors"
"""Name of the state in a training's folder."""

NETWORK, AVERAGE, OPTIMISER = "network.", "average.", "optimiser."
"""What tensor names begin with: `network.<name>`, `average.<name>`, `optimiser.<number of the parameter>.<key>`."""


@dataclass(frozen=True)
class Position:
    """Where a training is.

    Args:
        network: what is trained; empty in states of a program that did not note it.
        step: optimiser steps. seen: samples. seconds: time spent, measuring included.
    """

    network: str
    step: int = 0
    seen: int = 0
    seconds: float = 0.0

    def metadata(self) -> dict[str, str]:
        return {k: str(v) for k, v in vars(self).items()}

    @classmethod
    def of(cls, about: Mapping[str, str]) -> Position:
        """From a file's metadata. Raises KeyError or ValueError if it is not that of a state."""
        position = cls(about.get("network", ""), int(about["step"]), int(about["seen"]), float(about.get("seconds", 0)))
        if min(position.step, position.seen, position.seconds) < 0:
            raise ValueError("a negative position")
        return position


@dataclass
class TrainingState:
    """Everything that a training needs to go on."""

    network: nn.Module
    average: nn.Module
    optimiser: torch.optim.Optimizer
    position: Position

    @property
    def step(self) -> int:
        return self.position.step

    @property
    def seen(self) -> int:
        return self.position.seen

    def tensors(self) -> dict[str, Tensor]:
        result = {NETWORK + k: v for k, v in self.network.state_dict().items()}
        result |= {AVERAGE + k: v for k, v in self.average.state_dict().items()}
        for index, entry in self.optimiser.state_dict()["state"].items():
            result |= {f"{OPTIMISER}{index}.{k}": v for k, v in entry.items()}
        return {k: v.detach().cpu().contiguous() for k, v in result.items()}

    def load(self, tensors: Mapping[str, Tensor], position: Position) -> None:
        """Raises ValueError or RuntimeError if the tensors are not those of this network and its optimiser."""
        if unknown := [k for k in tensors if not k.startswith((NETWORK, AVERAGE, OPTIMISER))]:
            raise ValueError(f"unknown tensor {unknown[0]}")
        entries = self._optimiser_entries(tensors)
        for prefix, module in ((NETWORK, self.network), (AVERAGE, self.average)):
            module.load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})
        layout = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": entries, "param_groups": layout["param_groups"]})
        self.position = position

    def _optimiser_entries(self, tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        entries: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if not name.startswith(OPTIMISER):
                continue
            number, key = name.removeprefix(OPTIMISER).split(".")
            if not int(number) < len(parameters):
                raise ValueError(f"{name}: there are {len(parameters)} parameters")
            if value.ndim:
                parameter = parameters[int(number)]
                if value.shape != parameter.shape:
                    raise ValueError(f"{name} is of another shape")
                # Fused AdamW wants moments to lie in memory as their parameters do.
                value = torch.empty_like(parameter, requires_grad=False).copy_(value)
            entries.setdefault(int(number), {})[key] = value
        return entries


def save_state(state: TrainingState, path: Path) -> None:
    """Exact, in one file that replaces the one before only when complete. Raises AppError (disk full, ...)."""
    write_atomic(path, save(state.tensors(), metadata=state.position.metadata()), durable=True)


def load_state(state: TrainingState, path: Path) -> None:
    """Raises AppError for a file that is damaged or of another training."""
    tensors, position = read_state(path, state.position.network)
    try:
        state.load(tensors, position)
    except (ValueError, RuntimeError) as error:
        raise AppError(f"{path} is not a state of this training: {error}", "Choose another folder.") from error


def read_state(path: Path, network: str) -> tuple[dict[str, Tensor], Position]:
    """Tensors, on the CPU, and position of a state of `network`'s training, or of a part of one. Raises AppError."""
    try:
        with safe_open(path, "pt") as file:
            position = Position.of(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (no mapping)
    except FileNotFoundError as error:
        raise AppError(f"{path} is not there.", "Has this training run?") from error
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise AppError(f"{path} is no state of a training, or is damaged: {error}") from error
    if position.network not in ("", network):
        raise AppError(f"{path} is the state of a training of {position.network}, not of {network}.")
    return tensors, replace(position, network=network)
