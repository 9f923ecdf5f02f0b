"""The training loop: the same for every network, on a CPU, a GPU or several."""
from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from inference_core.device import ComputeDevice
from training.distributed import Crew
from training.history import History
from training.preset import Preset
from training.state import TrainingState, load_state, save_state
from training.task import Task

STATE = "state.safetensors"
_LOG_EVERY = 50
_SAVE_EVERY = 500
_CLIP_NORM = 3.0
_BETAS = (0.9, 0.98)


class Trainer:
    """Trains one network in a folder, and goes on from what lies there.

    Args:
        folder: gets the state, the history and its pictures.
        report: receives a line for a person now and then.
    """

    def __init__(
        self, task: Task, preset: Preset, folder: Path, compute: ComputeDevice, crew: Crew, report: Callable[[str], None]
    ) -> None:
        self._task, self._preset, self._folder = task, preset, folder
        self._compute, self._crew, self._report = compute, crew, report
        torch.manual_seed(preset.seed)
        network = task.build().to(compute.device, memory_format=torch.channels_last)
        average = copy.deepcopy(network).requires_grad_(False)
        self.state = TrainingState(network, average, _optimiser(network, preset))
        self._loss = crew.wrap(task.loss_module(network))
        self._history = History(folder)

    def resume(self) -> None:
        """Go on from the folder's state if there is one. Raises AppError if it is damaged."""
        if (self._folder / STATE).is_file():
            load_state(self.state, self._folder / STATE)
            self._history.cut(self.state.seen)

    def run(self, until: int | None = None) -> None:
        """Train to the end of the preset, or until `until` samples were seen."""
        state, preset = self.state, self._preset
        per_step = preset.batch * self._crew.size
        end = preset.samples if until is None else min(until, preset.samples)
        sums: dict[str, Tensor] = {}
        started, in_data, logged = time.perf_counter(), 0.0, state.seen
        while state.seen < end:
            moment = time.perf_counter()
            progress = state.seen / preset.samples
            batch = self._task.batch(
                state.step * self._crew.size + self._crew.rank, preset.batch, preset.side_at(progress)
            )
            in_data += time.perf_counter() - moment
            for name, value in self._step(batch, progress).items():
                sums[name] = sums.get(name, 0) + value.detach()
            state.step += 1
            before, state.seen = state.seen, state.seen + per_step
            if state.step % _LOG_EVERY == 0:
                seconds, seen = time.perf_counter() - started, state.seen - logged
                self._log({name: float(v) / _LOG_EVERY for name, v in sums.items()}, seen / seconds, in_data / seconds)
                sums, started, in_data, logged = {}, time.perf_counter(), 0.0, state.seen
            if before // preset.score_every != state.seen // preset.score_every or state.seen >= preset.samples:
                self._score()
                started, in_data, logged, sums = time.perf_counter(), 0.0, state.seen, {}
            if state.step % _SAVE_EVERY == 0:
                self.save()
        self.save()

    def save(self) -> None:
        if self._crew.leads:
            save_state(self.state, self._folder / STATE)
            self._history.draw()

    def _step(self, batch: object, progress: float) -> dict[str, Tensor]:
        state, preset = self.state, self._preset
        rate = preset.rate_at(state.step, progress)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        gen = torch.Generator(self._compute.device).manual_seed(state.step * self._crew.size + self._crew.rank)
        state.network.train()
        with self._compute.autocast():
            parts = self._loss(batch, progress, gen)
        total = torch.stack(list(parts.values())).sum()
        state.optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(state.network.parameters(), _CLIP_NORM)
        state.optimiser.step()
        self._average()
        return parts

    @torch.no_grad()
    def _average(self) -> None:
        # Young averages forget faster, so that the random start does not linger in them.
        keep = min(self._preset.average, self.state.step / (self.state.step + 10))
        own, average = self.state.network, self.state.average
        torch._foreach_lerp_(list(average.parameters()), list(own.parameters()), 1 - keep)
        for target, source in zip(average.buffers(), own.buffers(), strict=True):
            target.copy_(source)

    def _log(self, losses: dict[str, float], speed: float, in_data: float) -> None:
        if not self._crew.leads:
            return
        rate = self.state.optimiser.param_groups[0]["lr"]
        self._history.add(self.state.seen, losses | {"rate": rate, "samples/s": speed})
        text = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        self._report(f"{self.state.seen:8d} seen  {text}  rate {rate:.1e}  {speed:.1f}/s  data {in_data:.0%}")

    def _score(self) -> None:
        if not self._crew.leads:
            return
        self.state.average.eval()
        with self._compute.autocast():
            scores = self._task.score(self.state.average)
        self._history.add(self.state.seen, {f"held out {name}": value for name, value in scores.items()})
        text = "  ".join(f"{name} {value:.2f}" for name, value in scores.items())
        self._report(f"{self.state.seen:8d} seen  held out: {text}")


def _optimiser(network: nn.Module, preset: Preset) -> torch.optim.Optimizer:
    """AdamW; biases and normalisation do not decay."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": preset.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=preset.rate, betas=_BETAS)
