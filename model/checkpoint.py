"""Reading weight files of unknown origin, and putting them into a network.

A file may be truncated, a web page saved under the wrong name, another network's weights or made to attack: all of
these end in an `AppError` that names the file. Nothing in a file is ever executed.
"""
from __future__ import annotations

import hashlib
import importlib
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from model.zoo import KNOWN_NETWORKS, KnownNetwork
from util.errors import AppError

State: TypeAlias = dict[str, Tensor]
_Shapes: TypeAlias = Mapping[str, tuple[int, ...]]

_WRAPPERS = ("state_dict", "model", "network")
_PARALLEL_PREFIX = "module."
_LOOKS_LIKE = 0.9
"""Share of tensors in common from which a file is called some network's, though it differs."""


def sha256(path: Path) -> str:
    """Hexadecimal checksum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def load_state(path: Path) -> State:
    """Read the tensors of a checkpoint (PyTorch or safetensors, told apart by content) onto the CPU.

    The wrappers that training programs put around a state dict are taken off.

    Raises:
        AppError: the file cannot be read, is damaged, or holds something else than tensors.
    """
    head = _head(path)
    stored = _read_safetensors(path) if _is_safetensors(head) else _read_pytorch(path, head)
    return _unwrap(stored, path)


def load_into(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Copy a state dict into a network that has exactly its tensors; dtype and device are the network's.

    Raises:
        AppError: the tensors are another network's; says which one's, where it is known.
    """
    wanted, given = _shapes_of(module.state_dict()), _shapes_of(state)
    if wanted != given:
        raise _mismatch(module, wanted, given, path)
    module.load_state_dict(dict(state))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise AppError(f"The weight file {path} cannot be read: {error.strerror}.", "Check the path.") from error


def _is_safetensors(head: bytes) -> bool:
    return head[8:9] == b"{"  # eight bytes of header length, then the header as JSON


def _read_safetensors(path: Path) -> State:
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (no mapping)
    except SafetensorError as error:
        raise _damaged(path, error) from error


def _read_pytorch(path: Path, head: bytes) -> object:
    if head.lstrip()[:1] == b"<":
        raise AppError(f"{path} is a web page, not a weight file.", "Its download failed: download it again.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not zipfile.is_zipfile(path):
            raise _damaged(path, error) from error
        raise AppError(
            f"{path} holds more than tensors. It was not loaded, because such a file can run any program.",
            "Get the weights from their author, saved as a plain state dict.",
        ) from error
    except Exception as error:  # a malformed pickle raises whatever its bytes lead to, IndexError for one
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> AppError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return AppError(f"{path} is no weight file or is incomplete ({reason[:120]}).", "Copy or download it again.")


def _unwrap(stored: object, path: Path) -> State:
    for _ in _WRAPPERS:
        inner = [key for key in _WRAPPERS if isinstance(stored, dict) and isinstance(stored.get(key), dict)]
        if inner:
            stored = stored[inner[0]]
    is_state = isinstance(stored, dict) and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in stored.items()
    )
    if not is_state or not stored:
        raise AppError(f"{path} holds no weights of a network.", "Choose another file.")
    if all(key.startswith(_PARALLEL_PREFIX) for key in stored):
        return {key.removeprefix(_PARALLEL_PREFIX): value for key, value in stored.items()}
    return dict(stored)


def _shapes_of(state: Mapping[str, Tensor]) -> _Shapes:
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def known_shapes(known: KnownNetwork) -> _Shapes:
    """Name and shape of every tensor in this kind of checkpoint, found without allocating one."""
    module, _, name = known.network.partition(":")
    with torch.device("meta"):
        network = getattr(importlib.import_module(module), name)(**known.options)
    return {**_shapes_of(network.state_dict()), **known.shapes}


def _identify(shapes: _Shapes) -> str | None:
    """Title of the known network that most of these tensors fit."""
    best, title = _LOOKS_LIKE, None
    for known in KNOWN_NETWORKS:
        reference = known_shapes(known)
        common = len(shapes.items() & reference.items()) / max(len(shapes), len(reference))
        if common >= best:
            best, title = common, known.title
    return title


def _mismatch(module: nn.Module, wanted: _Shapes, given: _Shapes, path: Path) -> AppError:
    target, found = _identify(wanted) or type(module).__name__, _identify(given)
    differences = [
        *_some("missing", [key for key in wanted if key not in given]),
        *_some("unexpected", [key for key in given if key not in wanted]),
        *_some(
            "of another shape",
            [f"{key} {_by(given[key])} instead of {_by(wanted[key])}" for key in wanted
             if key in given and given[key] != wanted[key]],
        ),
    ]
    guess = f" It looks like {found}." if found not in (None, target) else ""
    return AppError(
        f"{path} does not hold the weights of {target}: {'; '.join(differences)}.{guess}",
        f"Choose a file with the weights of {target}.",
    )


def _some(label: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    more = f" and {len(items) - 2} more" if len(items) > 2 else ""
    return [f"{label} {', '.join(items[:2])}{more}"]


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"
