"""The processes of one run that torchrun started meet at its end."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from torch import distributed

T = TypeVar("T")

_PATIENCE = timedelta(days=30)
"""How long the first process waits for the last one. torchrun ends them all when one of them dies."""


def gather(own: Sequence[T]) -> list[T]:
    """What every process has, on every process. Returns when all have called it.

    torchrun ends all processes as soon as one ends with an error, so that none may say that its share failed before
    the others are through.
    """
    distributed.init_process_group("gloo", timeout=_PATIENCE)
    try:
        shares: list[list[T]] = [[] for _ in range(distributed.get_world_size())]
        distributed.all_gather_object(shares, list(own))
    finally:
        distributed.destroy_process_group()
    return [item for share in shares for item in share]
