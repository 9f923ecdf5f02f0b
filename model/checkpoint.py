"""Reading weight files of unknown origin, and putting them into a network.

A file may be truncated, a web page saved under the wrong name, another network's weights or made to attack: all of
these end in an `AppError` that names the file. Nothing in a file is ever executed. `model.checkpoint_file` reads the
bytes; here the wrappers that training programs put around a state dict come off, and the tensors go into a network.

`python -m model.checkpoint inspect|convert FILE` looks at a file, or rewrites it as safetensors.
"""
from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from torch import Tensor, nn

from model import checksums
from model.checkpoint_file import Plain, read_tensors
from model.signatures import Shapes, recognise
from util.errors import AppError

State: TypeAlias = dict[str, Tensor]

_WRAPPERS = ("state_dict", "model", "network", "model_state", "model_state_dict", "net")
"""What training programs call the state dict among the other things they save."""
_PARALLEL_PREFIX = "module."
_MAX_DEPTH = 4
_MAX_PLAIN = 10_000
"""Values in what lies beside a network; RITM's configuration has about a hundred."""
_COUNTER = "num_batches_tracked"
"""Kept by batch norms since PyTorch 0.4, of no use to a trained network: older files lack it."""


@dataclass(frozen=True)
class StoredNetwork:
    """One network's tensors, as they lay in a file.

    Args:
        state: key -> tensor on the CPU, as stored.
        wrapping: what was taken off, outermost first, for instance `("model", "module.")`.
        extras: what lay beside the tensors and is plain data: configuration, epoch, losses. Never executed or looked
            up: a class that a configuration names is a text here.
    """

    state: State
    wrapping: tuple[str, ...]
    extras: Mapping[str, Plain]

    @property
    def config(self) -> Mapping[str, Plain]:
        """The entry `config` of files that describe their network (RITM); empty where there is none."""
        config = self.extras.get("config")
        return config if isinstance(config, dict) else {}


def load_checkpoint(path: Path) -> tuple[StoredNetwork, ...]:
    """Read a checkpoint (PyTorch's zip, pickle and tar formats or safetensors, told apart by content).

    Returns:
        The networks in it: one, or several for a file that holds a list (RITM: the i-th is for the i-th click).

    Raises:
        AppError: the file cannot be read, is damaged, holds something else than networks, or lies in `saves/` and has
            changed since it was first used.
    """
    checksums.verify(path)
    return open_checkpoint(path)


def open_checkpoint(path: Path) -> tuple[StoredNetwork, ...]:
    """`load_checkpoint` without comparing a file in `saves/` with the checksum recorded for it."""
    stored = read_tensors(path)
    parts = stored if isinstance(stored, list | tuple) else [stored]
    networks = tuple(network for part in parts if (network := _unwrap(part)) is not None)
    if not networks or len(networks) != len(parts):
        raise AppError(f"{path} holds no weights of a network.", "Choose another file.")
    return networks


def load_state(path: Path) -> State:
    """Read the tensors of a checkpoint with one network.

    Raises:
        AppError: as `load_checkpoint`; the file holds several networks.
    """
    networks = load_checkpoint(path)
    if len(networks) > 1:
        raise AppError(f"{path} holds {len(networks)} networks; one is needed here.", "Choose another file.")
    return networks[0].state


def load_into(
    module: nn.Module, state: Mapping[str, Tensor], path: Path, *, may_have: Sequence[str] | None = ()
) -> None:
    """Copy a state dict into a network that has its tensors; dtype and device are the network's.

    The counters of batch norms may be missing. The first time a file in `saves/` loads, its checksum is recorded.

    Args:
        path: where the tensors are from.
        may_have: keys that the file may have and the network has not; None for any (files of programs that load
            without checking).

    Raises:
        AppError: the tensors are another network's; says which one's, where it is known.
    """
    own = module.state_dict()
    wanted, given = shapes_of(own), shapes_of(state)
    spare = {key for key in given if key not in wanted and (may_have is None or key in may_have)}
    counters = {key for key in wanted if key not in given and key.rpartition(".")[2] == _COUNTER}
    compared = {key: shape for key, shape in given.items() if key not in spare}
    if {key: shape for key, shape in wanted.items() if key not in counters} != compared:
        raise _mismatch(module, {key: wanted[key] for key in wanted if key not in counters}, compared, path)
    for key in compared:
        if state[key].is_floating_point() != own[key].is_floating_point():
            raise AppError(f"{path}: {key} holds {state[key].dtype}, not {own[key].dtype}.", "Choose another file.")
    module.load_state_dict({key: state[key] for key in compared}, strict=not counters)
    checksums.remember(path)


def shapes_of(state: Mapping[str, Tensor]) -> Shapes:
    """Key -> shape."""
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def _unwrap(stored: object) -> StoredNetwork | None:
    """The network in what a file holds; None if that is something else."""
    wrapping: list[str] = []
    extras: dict[str, Plain] = {}
    while isinstance(stored, dict) and len(wrapping) < _MAX_DEPTH:
        inner = next((key for key in _WRAPPERS if isinstance(stored.get(key), dict)), None)
        if inner is None:
            break
        extras |= {key: value for key, value in stored.items() if isinstance(key, str) and is_plain(value)}
        wrapping.append(inner)
        stored = stored[inner]
    if not isinstance(stored, dict) or not stored:
        return None
    if not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in stored.items()):
        return None
    if all(key.startswith(_PARALLEL_PREFIX) for key in stored):
        wrapping.append(_PARALLEL_PREFIX)
        stored = {key.removeprefix(_PARALLEL_PREFIX): value for key, value in stored.items()}
    return StoredNetwork(dict(stored), tuple(wrapping), extras)


def is_plain(value: object) -> bool:
    """Whether a value is made of not too many numbers, texts, lists and dicts with texts as keys only."""
    waiting = [value]
    for _ in range(_MAX_PLAIN):  # lists that hold themselves, or each other many times over, never end
        if not waiting:
            return True
        item = waiting.pop()
        if isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                return False
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif not (item is None or isinstance(item, bool | int | float | str)):
            return False
    return False


def _mismatch(module: nn.Module, wanted: Shapes, given: Shapes, path: Path) -> AppError:
    row, found = recognise(wanted), recognise(given)
    target = type(module).__name__ if row is None else row.title
    differences = [
        *_some("missing", [key for key in wanted if key not in given]),
        *_some("unexpected", [key for key in given if key not in wanted]),
        *_some(
            "of another shape",
            [f"{key} {_by(given[key])} instead of {_by(wanted[key])}" for key in wanted
             if key in given and given[key] != wanted[key]],
        ),
    ]
    guess = f" It looks like {found.title}." if found is not None and found.title != target else ""
    return AppError(
        f"{path} does not hold the weights of {target}: {'; '.join(differences)}.{guess}",
        f"Choose a file with the weights of {target}.",
    )


def _some(label: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    more = f" and {len(items) - 2} more" if len(items) > 2 else ""
    return [f"{label} {', '.join(items[:2])}{more}"]


def _by(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


if __name__ == "__main__":
    from model.checkpoint_cli import main

    sys.exit(main(sys.argv[1:]))
