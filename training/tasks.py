"""Which networks can be trained. Their code is loaded when one is asked for; no torch here."""
from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.task import Task


@dataclass(frozen=True)
class TaskRow:
    """One network.

    Args:
        name: how the command line calls it. about: for its help.
        task: "module:class", made with (preset, pack to train on, pack to score on, torch device).
        needs_light: the class is given the weight file of a light propagation network too.
    """

    name: str
    about: str
    task: str
    needs_light: bool = False

    def load(self) -> Callable[..., Task]:
        module, _, name = self.task.partition(":")
        made: Callable[..., Task] = getattr(importlib.import_module(module), name)
        return made


TASKS = {
    row.name: row
    for row in (
        TaskRow("light-propagation", "follows objects through a video", "training.propagation:PropagationTask"),
        TaskRow(
            "light-interaction", "turns clicks and scribbles into masks", "training.interaction:InteractionTask", True
        ),
        TaskRow("light-fusion", "merges two propagations", "training.fusion:FusionTask"),
        TaskRow("light-quality", "predicts how good masks are", "training.light_quality:LightQualityTask"),
        TaskRow(
            "quality", "predicts how good masks are, IVOS-W's network", "training.quality:PublishedQualityTask"
        ),
        TaskRow("pretrain-agent", "recommends frames, on random recommendations", "training.agent:PretrainTask"),
        TaskRow("agent", "recommends frames, on all recommendations", "training.agent:AgentTask"),
    )
}
