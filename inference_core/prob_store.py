"""The soft results of earlier passes, which fusion compares with the new ones.

`CompactProbStore` keeps what fusion can use in a byte budget; `ExactProbStore` keeps every plane of every frame as the
published systems do.
"""
from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from util.types import IndexMask, Size

_PLANE_BYTES = 600
"""What a stored plane needs beside its data, roughly: itself, its tuples and its place in the dictionary."""


class ProbStore(Protocol):
    """Object probabilities per frame, at the engine's working size [Hp, Wp]."""

    def put(self, frame: int, prob: Tensor, object_ids: Sequence[int], mask: IndexMask) -> None:
        """Keep prob [len(object_ids)+1, Hp, Wp]; `mask` is the native index mask that was made of it."""

    def get(self, frame: int, object_id: int, mask: IndexMask) -> Tensor | None:
        """The plane [Hp, Wp] of one object if it still belongs to `mask`, else None."""

    def snapshot(self) -> object:
        """A value for `restore`; cheap, since stored planes never change."""

    def restore(self, state: object) -> None: ...


@dataclass(frozen=True)
class _Plane:
    """One object on one frame: its probability in 1/255, cropped to where it is not zero, compressed."""

    digest: int
    top_left: tuple[int, int]
    crop: tuple[int, int]
    size: Size
    data: bytes

    @property
    def nbytes(self) -> int:
        """An object that is nowhere needs memory, too."""
        return len(self.data) + _PLANE_BYTES


def object_digest(mask: IndexMask, object_id: int) -> int:
    """Checksum of the pixels of one object in an index mask."""
    return zlib.crc32(np.packbits(mask == object_id).tobytes())


class CompactProbStore:
    """8-bit planes, least recently written out first.

    A plane is handed out only while the stored mask still shows what was made of it. Undo, brush strokes and imports
    therefore need not tell this store anything: the core then falls back to the mask itself.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._planes: OrderedDict[tuple[int, int], _Plane] = OrderedDict()
        self._nbytes = 0

    def put(self, frame: int, prob: Tensor, object_ids: Sequence[int], mask: IndexMask) -> None:
        quantised = (prob[1:] * 255).round().to(torch.uint8).cpu().numpy()
        for object_id, plane in zip(object_ids, quantised, strict=True):
            self._insert((frame, object_id), _compress(plane, object_digest(mask, object_id)))

    def _insert(self, address: tuple[int, int], plane: _Plane) -> None:
        old = self._planes.pop(address, None)
        self._nbytes += plane.nbytes - (old.nbytes if old else 0)
        self._planes[address] = plane
        while self._nbytes > self._budget:
            _, oldest = self._planes.popitem(last=False)
            self._nbytes -= oldest.nbytes

    def get(self, frame: int, object_id: int, mask: IndexMask) -> Tensor | None:
        plane = self._planes.get((frame, object_id))
        if plane is None or plane.digest != object_digest(mask, object_id):
            return None
        return torch.from_numpy(_expand(plane)).float() / 255

    def snapshot(self) -> OrderedDict[tuple[int, int], _Plane]:
        return self._planes.copy()

    def restore(self, state: object) -> None:
        assert isinstance(state, OrderedDict)
        self._planes = state.copy()
        self._nbytes = sum(plane.nbytes for plane in self._planes.values())

    @property
    def nbytes(self) -> int:
        return self._nbytes


def _compress(plane: NDArray[np.uint8], digest: int) -> _Plane:
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    size = Size(*plane.shape)
    if not len(rows):
        return _Plane(digest, (0, 0), (0, 0), size, b"")
    crop = plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    data = zlib.compress(crop.tobytes(), 1)
    return _Plane(digest, (int(rows[0]), int(columns[0])), (crop.shape[0], crop.shape[1]), size, data)


def _expand(plane: _Plane) -> NDArray[np.uint8]:
    full = np.zeros(plane.size, np.uint8)
    if plane.data:
        (top, left), (height, width) = plane.top_left, plane.crop
        crop = np.frombuffer(zlib.decompress(plane.data), np.uint8).reshape(height, width)
        full[top : top + height, left : left + width] = crop
    return full


class ExactProbStore:
    """float32 [K+1, Hp, Wp] of all frames, padding included; frames never visited have background 1e-7, objects 0."""

    def __init__(self, size: Size, object_ids: Sequence[int]) -> None:
        self._initial = torch.zeros(len(object_ids) + 1, *size)
        self._initial[0] = 1e-7
        self._object_ids = tuple(object_ids)
        self._probs: dict[int, Tensor] = {}

    def put(self, frame: int, prob: Tensor, object_ids: Sequence[int], mask: IndexMask) -> None:
        if tuple(object_ids) != self._object_ids:
            raise ValueError(f"all objects {self._object_ids} change together, got {tuple(object_ids)}")
        self._probs[frame] = prob.float().cpu()

    def get(self, frame: int, object_id: int, mask: IndexMask) -> Tensor | None:
        return self.full(frame)[1 + self._object_ids.index(object_id)]

    def full(self, frame: int) -> Tensor:
        """[K+1, Hp, Wp]"""
        return self._probs.get(frame, self._initial)

    def snapshot(self) -> dict[int, Tensor]:
        return dict(self._probs)

    def restore(self, state: object) -> None:
        assert isinstance(state, dict)
        self._probs = dict(state)
