"""What the training loop needs to know about a network: how to build it, what to show it and how to score it."""
from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import nn


class Task(Protocol):
    """One kind of training.

    `batch` is a pure function of its number, so that a resumed training sees what it would have seen. `loss_module`
    wraps the network in a module whose `forward(batch, progress, gen)` returns the parts of the loss by name.
    """

    @property
    def name(self) -> str: ...

    def build(self) -> nn.Module: ...

    def loss_module(self, network: nn.Module) -> nn.Module: ...

    def batch(self, number: int, size: int, side: int) -> Any: ...  # noqa: ANN401

    def score(self, network: nn.Module) -> dict[str, float]: ...


@runtime_checkable
class FollowsAverage(Protocol):
    """A task whose loss needs the moving average of the weights as well."""

    def follow(self, average: nn.Module) -> None:
        """Told once, before `loss_module`; the average goes on changing."""
