"""The training loop: the same for every network, on a CPU, a GPU or several."""
from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from inference_core.device import ComputeDevice
from model.checkpoint import load_into
from model.checkpoint import load_state as load_weights
from training.distributed import Crew
from training.events import EventLog
from training.history import HELD_OUT, History
from training.meter import Meter
from training.optimiser import make_optimiser
from training.preset import Preset
from training.state import STATE, Position, TrainingState, load_state, save_state
from training.task import FollowsAverage, Task
from util.errors import AppError

_LOG_EVERY = 50
_SAVE_EVERY = 500
_CLIP_NORM = 3.0
_GRADIENT = "gradient norm"


class Trainer:
    """Trains one network in a folder, and goes on from what lies there.

    A step depends on the state and the samples seen alone: a training that was interrupted and resumed ends with the
    same bits as one that was not. With several processes only the first writes and scores.

    Args:
        folder: exists; gets the state, the history and its pictures.
        report: receives a line for a person now and then.
        stop: asked between two steps; once it says yes, the state is saved and `run` returns.
    """

    def __init__(
        self,
        task: Task,
        preset: Preset,
        folder: Path,
        compute: ComputeDevice,
        crew: Crew,
        report: Callable[[str], None],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._task, self._preset, self._folder = task, preset, folder
        self._compute, self._crew, self._report, self._stop = compute, crew, report, stop
        torch.manual_seed(preset.seed)
        network = crew.prepare(task.build(), compute.device)
        network = network.to(compute.device, memory_format=torch.channels_last)
        average = copy.deepcopy(network).requires_grad_(False)
        optimiser = make_optimiser(network, preset, compute.half)
        self.state = TrainingState(network, average, optimiser, Position(task.name))
        if isinstance(task, FollowsAverage):
            task.follow(average)
        self._loss = crew.wrap(task.loss_module(network))
        self._history = History(folder)
        self._events: EventLog | None = None
        self._meter = Meter(compute.device)

    def resume(self) -> bool:
        """Go on from the folder's state if there is one; returns whether there was.

        Raises AppError: it is damaged, of another training, or has seen more samples than this one is to see.
        """
        path = self._folder / STATE
        if not path.is_file():
            return False
        load_state(self.state, path)
        if self.state.seen > self._preset.samples:
            raise AppError(
                f"{path} has seen {self.state.seen} samples, more than the {self._preset.samples} it is to see in all.",
                "Give a larger number with --samples.",
            )
        if self._crew.leads:
            self._history.cut(self.state.seen)
        return True

    def start_from(self, path: Path) -> None:
        """Begin with the weights in a file instead of random ones. Raises AppError: another network's, or damaged."""
        weights = load_weights(path)
        for module in (self.state.network, self.state.average):
            load_into(module, weights, path)

    def run(self, until: int | None = None) -> None:
        """Train to the end of the preset, or until `until` samples were seen, or until told to stop.

        Raises AppError: the losses are no longer numbers (the state on disk is from before), or the disk is full.
        """
        end = self._preset.samples if until is None else min(until, self._preset.samples)
        if self.state.seen >= end:
            self._say(f"{self.state.seen:8d} seen  nothing to do: this is to see {end}")
            return
        if self._crew.leads:
            self._events = EventLog(self._folder, self._report, self.state.seen if self.state.step else None)
        try:
            self._train(end)
        finally:
            if self._events is not None:
                self._events.close()

    def _train(self, end: int) -> None:
        preset = self._preset
        self._meter = Meter(self._compute.device)
        while self.state.seen < end and not self._crew.agree(self._stop(), self.state.step):
            moment, before = time.perf_counter(), self.state.position
            self._one_step(before)
            position = self.state.position
            is_scored = before.seen // preset.score_every != position.seen // preset.score_every
            if position.step % _LOG_EVERY == 0:
                self._log()
            if is_scored or position.seen >= preset.samples:
                self._score()
            self.state.position = replace(position, seconds=before.seconds + time.perf_counter() - moment)
            if position.step % _SAVE_EVERY == 0:
                self.save()
        self.save()
        rest = "" if self.state.seen >= preset.samples else f" of {preset.samples}; the same command goes on"
        self._say(f"{self.state.seen:8d} seen{rest}")

    def save(self) -> None:
        """Write the state and draw the curves. Raises AppError if the losses are not numbers, or on a full disk."""
        self._check(self._meter.losses())
        if self._crew.leads:
            save_state(self.state, self._folder / STATE)
            self._history.draw()

    def _one_step(self, position: Position) -> None:
        preset, crew = self._preset, self._crew
        progress = position.seen / preset.samples
        # Batches are numbered over all processes, so that the numbers go on when their count changes.
        number = position.seen // preset.batch + crew.rank
        self._meter.begin()
        batch = self._task.batch(number, preset.batch, preset.side_at(progress))
        self._meter.got_data()
        gen = torch.Generator(self._compute.device).manual_seed(number)
        parts = self._step(batch, progress, gen)
        self.state.position = replace(
            position, step=position.step + 1, seen=position.seen + preset.batch * crew.size
        )
        self._meter.end(parts, preset.batch * crew.size)

    def _step(self, batch: object, progress: float, gen: torch.Generator) -> dict[str, Tensor]:
        """One step of the optimiser; returns the losses and the norm of the gradient before it was clipped."""
        state = self.state
        for group in state.optimiser.param_groups:
            group["lr"] = self._preset.rate_at(state.step, progress)
        state.network.train()
        with self._compute.autocast():
            parts: dict[str, Tensor] = self._loss(batch, progress, gen)
        total = torch.stack(list(parts.values())).sum()
        state.optimiser.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(state.network.parameters(), _CLIP_NORM)
        state.optimiser.step()
        self._average()
        return parts | {_GRADIENT: norm}

    @torch.no_grad()
    def _average(self) -> None:
        # Young averages forget faster, so that the random start does not linger in them.
        keep = min(self._preset.average, self.state.step / (self.state.step + 10))
        own, average = self.state.network, self.state.average
        torch._foreach_lerp_(list(average.parameters()), list(own.parameters()), 1 - keep)
        for target, source in zip(average.buffers(), own.buffers(), strict=True):
            target.copy_(source)

    def _check(self, losses: Mapping[str, float]) -> None:
        wrong = [name for name, value in losses.items() if not math.isfinite(value)]
        if wrong:
            raise AppError(
                f"The training broke down before {self.state.seen} samples: no longer a number: {', '.join(wrong)}.",
                f"{self._folder / STATE} is from before. A lower rate (training/presets.py) may help.",
            )

    def _log(self) -> None:
        reading = self._meter.read()
        self._check(reading.losses)
        rate, seen = self.state.optimiser.param_groups[0]["lr"], self.state.seen
        self._note(
            reading.losses
            | {"rate": rate, "samples/s": reading.speed, "data share": reading.data_share}
            | {"hours": self.state.position.seconds / 3600}
        )
        text = "  ".join(f"{name} {value:.3f}" for name, value in reading.losses.items())
        self._say(f"{seen:8d} seen  {text}  rate {rate:.1e}  {reading.speed:.1f}/s  data {reading.data_share:.0%}")

    def _score(self) -> None:
        if not self._crew.leads:
            return
        moment = time.perf_counter()
        self.state.average.eval()
        with self._compute.autocast():
            scores = self._task.score(self.state.average)
        self._note({HELD_OUT + name: value for name, value in scores.items()})
        text = "  ".join(f"{name} {value:.2f}" for name, value in scores.items())
        self._say(f"{self.state.seen:8d} seen  held out: {text}")
        self._meter.leave_out(time.perf_counter() - moment)

    def _note(self, values: Mapping[str, float]) -> None:
        if not self._crew.leads:
            return
        self._history.add(self.state.seen, values)
        if self._events is not None:
            self._events.add(self.state.seen, values)

    def _say(self, line: str) -> None:
        if self._crew.leads:
            self._report(line)
