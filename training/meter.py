"""Losses, speed and the data engine's share of the time, measured without holding up the device."""
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

_TIMED_EVERY = 10


@dataclass(frozen=True)
class Reading:
    """Since the reading before: mean of each loss, samples per second, share of the time spent on making batches."""

    losses: dict[str, float]
    speed: float
    data_share: float


class Meter:
    """Call `begin`, `got_data` and `end` once in every step.

    The sums of the losses stay on the device until they are asked for. A GPU works through a queue, so the time a call
    takes says nothing there: in every tenth step the queue is run empty around the two parts of the step, and the
    data engine's share is that of these steps. A CPU has no queue, and every step counts.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}
        self._steps = self._samples = self._calls = 0
        self._started = time.perf_counter()
        self._moment = self._in_data = self._timed = 0.0

    def begin(self) -> None:
        self._moment = self._now()

    def got_data(self) -> None:
        self._in_data += self._now() - self._moment

    def end(self, parts: Mapping[str, Tensor], samples: int) -> None:
        for name, value in parts.items():
            self._sums[name] = self._sums[name] + value.detach() if name in self._sums else value.detach().clone()
        self._timed += self._now() - self._moment
        self._steps, self._samples, self._calls = self._steps + 1, self._samples + samples, self._calls + 1

    def leave_out(self, seconds: float) -> None:
        """Time that went into something else, such as scoring."""
        self._started += seconds

    def losses(self) -> dict[str, float]:
        """Means since the last reading, empty if there was no step; waits for the device."""
        if not self._sums:
            return {}
        values = (torch.stack(list(self._sums.values())) / self._steps).tolist()
        return dict(zip(self._sums, values, strict=True))

    def read(self) -> Reading:
        """What happened since the last reading; at least one step did."""
        losses = self.losses()
        seconds = time.perf_counter() - self._started
        reading = Reading(losses, self._samples / seconds, self._in_data / self._timed if self._timed else 0.0)
        self._sums, self._steps, self._samples = {}, 0, 0
        self._started, self._in_data, self._timed = time.perf_counter(), 0.0, 0.0
        return reading

    def _now(self) -> float:
        if self._device.type == "cuda":
            if self._calls % _TIMED_EVERY:
                return 0.0  # both ends of a span are 0: this step is not timed
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
