"""What travels to another machine and back: a state in few, small files, and finished weights.

A state that travels is not exact. The network's weights stay float32, because small steps would be lost in anything
shorter; of the moving average, matrices become float16; of the optimiser, moments become bfloat16 (their range is what
matters: squared gradients would vanish in float16). 5.74 million parameters make 46 MB by Muon, 58 MB by AdamW.
"""
from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from storage.atomic_file import disk_error, write_atomic
from training.history import HELD_OUT, HISTORY, History
from training.state import AVERAGE, OPTIMISER, STATE, read_state
from util.errors import AppError

PART_LIMIT = 15 << 20
"""Bytes of tensors in one file: with its header it stays below 16 MiB."""
_PARTS = "state-*-of-*.safetensors"


def export_state(folder: Path, network: str, target: Path) -> list[Path]:
    """Write the state and history in `folder` as files of at most 16 MiB; returns these.

    Raises AppError: no state of this network there, or `target` cannot be written or holds another export.
    """
    tensors, position = read_state(folder / STATE, network)
    parts = _split({name: _shortened(name, tensor) for name, tensor in tensors.items()})
    _make(target)
    if list(target.glob(_PARTS)):
        raise AppError(f"{target} holds an exported state already.", "Choose another folder.")
    files = []
    for number, part in enumerate(parts, 1):
        file = target / f"state-{number:02d}-of-{len(parts):02d}.safetensors"
        write_atomic(file, save(part, metadata=position.metadata()))
        files.append(file)
    if (folder / HISTORY).is_file():
        write_atomic(target / HISTORY, (folder / HISTORY).read_bytes())
        files.append(target / HISTORY)
    return files


def import_state(source: Path, network: str, folder: Path) -> None:
    """Put what `export_state` wrote to `source` into `folder`, ready to go on from.

    Raises AppError: parts are missing, damaged, of another network or of different states, or the folder holds a
    training already.
    """
    files = sorted(source.glob(_PARTS))
    total = int(files[0].stem.split("-of-")[1]) if files and files[0].stem.split("-of-")[1].isdigit() else 0
    if [file.stem for file in files] != [f"state-{n:02d}-of-{total:02d}" for n in range(1, total + 1)] or not files:
        raise AppError(f"{source}: an exported state is not here, or some of its files are missing.")
    if (folder / STATE).exists():
        raise AppError(f"{folder} holds a training already.", "Choose another folder with --out.")
    tensors: dict[str, Tensor] = {}
    positions = set()
    for file in files:
        part, position = read_state(file, network)
        tensors |= {k: v.float() if v.is_floating_point() else v for k, v in part.items()}
        positions.add(position)
    if len(positions) > 1:
        raise AppError(f"{source}: these files are parts of different states.", "Copy all of one export again.")
    _make(folder)
    if (source / HISTORY).is_file():
        shutil.copyfile(source / HISTORY, folder / HISTORY)
    write_atomic(folder / STATE, save(tensors, metadata=positions.pop().metadata()), durable=True)


def export_weights(folder: Path, network: str, file: Path) -> dict[str, str]:
    """Write the moving average in half precision, as the programs load it; returns what the file says about itself.

    Raises AppError: no state of this network there, a weight is too large for float16, or the file cannot be written.
    """
    tensors, position = read_state(folder / STATE, network)
    weights = {k.removeprefix(AVERAGE): _half(v) for k, v in tensors.items() if k.startswith(AVERAGE)}
    broken = [k for k, v in weights.items() if v.is_floating_point() and not v.isfinite().all()]
    if broken:
        raise AppError(f"{folder / STATE}: {broken[0]} has values that half precision cannot hold.")
    about = {
        "network": network,
        "samples": str(position.seen),
        "steps": str(position.step),
        "exported": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    if position.seconds:  # not noted by the first version of this program
        about["hours"] = f"{position.seconds / 3600:.2f}"
    scores = [line for line in History(folder).read() if any(name.startswith(HELD_OUT) for name in line)]
    if scores:
        about |= {k: f"{v:.2f}" for k, v in scores[-1].items() if k.startswith(HELD_OUT)}
        about["scored at samples"] = str(scores[-1]["seen"])
    write_atomic(file, save(weights, metadata=about))
    return about


def _shortened(name: str, tensor: Tensor) -> Tensor:
    # Biases, normalisation and step counts weigh nothing, so they stay as they are.
    if tensor.ndim < 2:
        return tensor
    if name.startswith(AVERAGE):
        return tensor.half()
    return tensor.bfloat16() if name.startswith(OPTIMISER) else tensor


def _half(tensor: Tensor) -> Tensor:
    return tensor.to(torch.float16) if tensor.is_floating_point() else tensor


def _split(tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Parts of at most `PART_LIMIT` bytes, in the given order."""
    parts: list[dict[str, Tensor]] = [{}]
    room = PART_LIMIT
    for name, tensor in tensors.items():
        if tensor.nbytes > PART_LIMIT:
            raise AppError(f"{name} alone is larger than a file that travels may be.")
        if tensor.nbytes > room:
            parts.append({})
            room = PART_LIMIT
        parts[-1][name] = tensor
        room -= tensor.nbytes
    return parts


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder) from error
