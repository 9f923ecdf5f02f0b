"""One run shared by several processes, as torchrun starts them: which sequences are this one's, and which GPU."""
from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from util.errors import AppError

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """Process `rank` of `world_size`; `local_size` of them are on this machine, this one being number `local_rank`."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_size: int = 1

    def own(self, items: Sequence[T], weight: Callable[[T], int]) -> list[T]:
        """This process's items, in their order: the heaviest first, each to who has the least so far."""
        loads, chosen = [0] * self.world_size, []
        for index in sorted(range(len(items)), key=lambda i: -weight(items[i])):
            target = loads.index(min(loads))
            loads[target] += weight(items[index])
            if target == self.rank:
                chosen.append(index)
        return [items[index] for index in sorted(chosen)]


def read_shard(environ: Mapping[str, str]) -> Shard:
    """From RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE; without them one process does all. AppError: nonsense."""
    if "WORLD_SIZE" not in environ and "RANK" not in environ:
        return Shard()
    rank, size = _number(environ, "RANK"), _number(environ, "WORLD_SIZE")
    local = _number(environ, "LOCAL_RANK") if "LOCAL_RANK" in environ else 0
    local_size = _number(environ, "LOCAL_WORLD_SIZE") if "LOCAL_WORLD_SIZE" in environ else 1
    if not (0 <= rank < size and 0 <= local < local_size):
        raise AppError(f"RANK={rank} WORLD_SIZE={size}: a rank counts from 0 to below the size.", "See torchrun.")
    return Shard(rank, size, local, local_size)


def show_one_gpu(environ: MutableMapping[str, str], shard: Shard) -> None:
    """Let this process see only its own GPU. To be called before torch is imported."""
    if shard.local_size == 1:
        return
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        environ["CUDA_VISIBLE_DEVICES"] = str(shard.local_rank)
    elif names := [name for name in visible.split(",") if name]:
        environ["CUDA_VISIBLE_DEVICES"] = names[shard.local_rank % len(names)]


def _number(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name, "")
    if not text.isdecimal():
        raise AppError(f"{name}={text!r}: must be a whole number.", "torchrun sets RANK and WORLD_SIZE, both.")
    return int(text)
