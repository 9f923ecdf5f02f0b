"""Files of samples that trainings read: the arrays of one dataclass in an `.npz` file, checked when they are read."""
from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from storage.atomic_file import write_atomic
from util.errors import AppError

SUFFIX = ".npz"

Kinds = dict[str, tuple[str, tuple[int, ...]]]
"""By field: the start of the dtype's name without byte order, and the shape."""


class Samples(Protocol):
    """A dataclass of arrays."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def kinds(self) -> Kinds:
        """What the arrays should be, as far as some of them tell it of the others."""


Kind = TypeVar("Kind", bound=Samples)


def save_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Raises AppError if the file cannot be written."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    write_atomic(path, file.getvalue())


def load_arrays(path: Path, kind: type[Kind], hint: str) -> Kind:
    """The samples of a file. AppError with this hint: it is damaged, something else or made for another network."""
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not a complete .npz file")
        with np.load(path) as arrays:
            wanted = {field.name for field in fields(kind)}
            if set(arrays.files) != wanted:
                raise ValueError(f"its arrays are {', '.join(sorted(arrays.files))}, not {', '.join(sorted(wanted))}")
            samples = kind(**{name: arrays[name] for name in wanted})
        for name, (dtype, shape) in samples.kinds().items():
            array = getattr(samples, name)
            if array.dtype.str[1:] != dtype or array.shape != shape:
                raise ValueError(f"{name} is {array.dtype} {array.shape}")
    except (OSError, ValueError, KeyError, IndexError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise AppError(f"{path} holds no samples for this network: {error}", hint) from error
    return samples
