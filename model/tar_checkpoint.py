"""Checkpoints of PyTorch before 0.1.10: a tar file with a list of storages, a list of tensors and a pickle of names.

`torch.load` reads these with full trust only. Here an unpickler that knows a few harmless names reads the parts, and
the tensors are cut out of the bytes that are in the file, whatever it claims to have.
"""
from __future__ import annotations

import pickle
import struct
import tarfile
from collections import OrderedDict
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor

_MAGIC = slice(257, 262)
_DTYPES: Mapping[str, torch.dtype] = {
    "Float": torch.float32, "Double": torch.float64, "Half": torch.float16, "Byte": torch.uint8, "Char": torch.int8,
    "Short": torch.int16, "Int": torch.int32, "Long": torch.int64,
}
_MAX_DIMENSIONS = 8


class RefusedError(pickle.UnpicklingError):
    """A pickle asks for something that is neither a tensor nor plain data."""


# pickle's version in Python: the one in C reserves memory for whatever number a file gives its first memo entry.
SafeUnpickler: type[pickle.Unpickler] = pickle._Unpickler  # type: ignore[attr-defined]


class _Unpickler(SafeUnpickler):
    """Knows the types of storages (as dtypes), ordered dicts, and tensors by their number."""

    def __init__(self, file: BytesIO, tensors: Mapping[int, Tensor]) -> None:
        super().__init__(file)
        self._tensors = tensors

    def find_class(self, module: str, name: str) -> object:
        kind = name.removesuffix("Storage").removesuffix("Tensor")
        if module in ("torch", "torch.cuda") and kind != name and kind in _DTYPES:
            return _DTYPES[kind]
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise RefusedError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: str) -> Tensor:
        return self._tensors[int(pid)]


def is_tar(path: Path) -> bool:
    """Whether a file that exists is a tar archive."""
    with path.open("rb") as file:
        return file.read(_MAGIC.stop)[_MAGIC] == b"ustar"


def read_tar(path: Path) -> object:
    """What was saved. Damaged bytes raise whatever they lead to, foreign objects `RefusedError`."""
    with tarfile.open(path, "r:") as tar:
        storages, tensors, names = (_part(tar, name, path) for name in ("storages", "tensors", "pickle"))
    return _Unpickler(names, _read_tensors(tensors, _read_storages(storages))).load()


def _part(tar: tarfile.TarFile, name: str, path: Path) -> BytesIO:
    member = tar.getmember(name)
    if member.issparse() or member.size > path.stat().st_size:
        raise ValueError(f"{name} is larger than the file")
    file = tar.extractfile(member)
    if file is None:
        raise ValueError(f"{name} is no file")
    return BytesIO(file.read())


def _read_storages(part: BytesIO) -> dict[int, Tensor]:
    """Number -> flat tensor. Storages that are parts of others follow as a list of views."""
    storages: dict[int, Tensor] = {}
    for _ in range(_Unpickler(part, {}).load()):
        number, _, dtype = _Unpickler(part, {}).load()
        (count,) = struct.unpack("<q", part.read(8))
        data = bytearray(part.read(count * dtype.itemsize))
        if count < 0 or len(data) != count * dtype.itemsize:
            raise ValueError("a storage is cut off")
        storages[int(number)] = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
    for number, root, offset, count in _Unpickler(part, {}).load():
        storages[int(number)] = storages[int(root)].narrow(0, offset, count)
    return storages


def _read_tensors(part: BytesIO, storages: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """Number -> tensor."""
    tensors: dict[int, Tensor] = {}
    for _ in range(_Unpickler(part, {}).load()):
        number, storage, _ = _Unpickler(part, {}).load()
        (dimensions,) = struct.unpack("<i4x", part.read(8))
        if not 0 <= dimensions <= _MAX_DIMENSIONS:
            raise ValueError(f"a tensor has {dimensions} dimensions")
        shape = struct.unpack(f"<{dimensions}q", part.read(8 * dimensions))
        stride = struct.unpack(f"<{dimensions}q", part.read(8 * dimensions))
        (offset,) = struct.unpack("<q", part.read(8))
        flat = storages[int(storage)]
        tensors[int(number)] = flat.as_strided(shape, stride, flat.storage_offset() + offset)
    return tensors
