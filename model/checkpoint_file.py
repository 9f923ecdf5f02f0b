"""The bytes of a checkpoint, read without trusting them: tensors and plain data come out, or an `AppError`.

PyTorch files are read with `weights_only=True`, which refuses everything but tensors and plain data. That alone leaves
files whose packed contents or declared sizes are far larger than the file: these are refused here.
"""
from __future__ import annotations

import argparse
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.tar_checkpoint import RefusedError, SafeUnpickler, is_tar, read_tar
from util.errors import AppError

Plain: TypeAlias = "None | bool | int | float | str | list[Plain] | tuple[Plain, ...] | dict[str, Plain]"

_MAX_TENSOR_BYTES = 16 << 30
"""No network here is a tenth of this; a file that declares more is made to fill the memory."""
_MAX_SETTINGS_BYTES = 1 << 20


def read_tensors(path: Path) -> object:
    """What a checkpoint holds: tensors on the CPU in dicts and lists, with plain data between them.

    Raises:
        AppError: the file cannot be read, is damaged, or holds something else.
    """
    head = _head(path)
    if head.lstrip()[:1] == b"<":
        raise AppError(f"{path} is a web page, not a weight file.", "Its download failed: download it again.")
    stored = _read_safetensors(path) if head[8:9] == b"{" else _read_pytorch(path)
    _check_sizes(stored, path)
    return stored


def read_settings(path: Path) -> Mapping[str, object]:
    """The settings that a training program saved as a pickled `argparse.Namespace` (RVOS: `args.pkl`).

    Raises:
        AppError: the file cannot be read or holds anything else than a namespace or dict of plain data.
    """
    _head(path)
    if path.stat().st_size > _MAX_SETTINGS_BYTES:
        raise AppError(f"{path} is too large for a file of settings.", "Choose another file.")
    try:
        stored = _NamespaceUnpickler(BytesIO(path.read_bytes())).load()
    except RefusedError as error:
        raise AppError(f"{path} was not read: {error}, and a file of settings needs no more than texts and numbers.",
                       "Get the file from its author.") from error
    except Exception as error:  # a malformed pickle raises whatever its bytes lead to
        raise damaged(path, error) from error
    settings = vars(stored) if isinstance(stored, argparse.Namespace) else stored
    if not isinstance(settings, dict) or not all(isinstance(key, str) for key in settings):
        raise AppError(f"{path} holds no settings of a training program.", "Choose another file.")
    return settings


class _NamespaceUnpickler(SafeUnpickler):
    """Knows one class, whose objects do nothing."""

    def find_class(self, module: str, name: str) -> type[argparse.Namespace]:
        if (module, name) == ("argparse", "Namespace"):
            return argparse.Namespace
        raise RefusedError(f"it asks for {module}.{name}")


def damaged(path: Path, error: Exception) -> AppError:
    """A file that is no checkpoint, or half of one."""
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return AppError(f"{path} is no weight file or is incomplete ({reason[:120]}).", "Copy or download it again.")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise AppError(f"The weight file {path} cannot be read: {error.strerror}.", "Check the path.") from error


def _read_safetensors(path: Path) -> object:
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (no mapping)
    except SafetensorError as error:
        raise damaged(path, error) from error


def _read_pytorch(path: Path) -> object:
    is_whole = False
    try:
        if is_tar(path):
            return read_tar(path)
        is_whole = zipfile.is_zipfile(path)
        if is_whole:
            _check_zip(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except AppError:
        raise
    except RefusedError as error:
        raise _refused(path) from error
    except pickle.UnpicklingError as error:
        # A zip file is read from its end, so it is whole. Of a bare pickle nobody can tell a class from half a name.
        reason = pickle.UnpicklingError("it is cut off or holds more than tensors")
        raise (_refused(path) if is_whole else damaged(path, reason)) from error
    except Exception as error:  # malformed bytes raise whatever they lead to, IndexError for one
        raise damaged(path, error) from error


def _refused(path: Path) -> AppError:
    return AppError(
        f"{path} holds more than tensors. It was not loaded, because such a file can run any program.",
        "Get the weights from their author, saved as a plain state dict.",
    )


def _check_zip(path: Path) -> None:
    """PyTorch stores its zip entries as they are: packed ones, or ones that overlap, are not its own."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries) or (
        sum(entry.file_size for entry in entries) > path.stat().st_size
    ):
        raise AppError(
            f"{path} is no weight file: what is packed in it is larger than the file itself.", "Choose another file."
        )


def _check_sizes(stored: object, path: Path) -> None:
    """Tensors may share memory and repeat it, but none may claim what the file does not hold."""
    tensors = list(_tensors_of(stored))
    if any(t.layout is not torch.strided or t.is_quantized or t.device.type != "cpu" for t in tensors):
        raise AppError(f"{path} holds sparse, quantized or empty tensors; no network has them.", "Choose another file.")
    held = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if sum(held.values()) > path.stat().st_size or claimed > _MAX_TENSOR_BYTES:
        raise AppError(f"{path} claims tensors that are larger than the file.", "Choose another file.")


def _tensors_of(stored: object) -> Iterator[Tensor]:
    waiting, seen = [stored], set[int]()
    while waiting:
        item = waiting.pop()
        if isinstance(item, Tensor):
            yield item
        elif isinstance(item, dict | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            waiting.extend(item.values() if isinstance(item, dict) else item)
