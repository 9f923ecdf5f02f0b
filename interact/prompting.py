"""Clicks and scribbles on their way from the pointer to the mask. GUI thread, except where said.

A prompt is shown at once and answered later. An answer is taken only if it is still the one that is waited for and
the frame's mask has not changed since; closing the interaction (seeking away, another tool) does not lose it.
"""
from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray

from interact.interaction import Interaction
from interact.local_region import predict_within
from interact.predictor import MaskPredictor
from interact.prompts import Hint
from storage.frame_store import FrameStore
from storage.mask_store import MaskStore
from util.jobs import CancelToken, Job, Outcome
from util.observer import Signal
from util.types import Rect

Region = NDArray[np.bool_]
"""bool [H, W]: what a predictor answers."""


class Prompting:
    """Owns the interaction: `shown` may be one or more prompts ahead of `settled`, the last one with an answer."""

    def __init__(self, frames: FrameStore, masks: MaskStore) -> None:
        self.changed: Signal[[]] = Signal()
        self.message: Signal[[str]] = Signal()
        self.shown: Interaction | None = None
        self.settled: Interaction | None = None
        self._awaited: Interaction | None = None
        self._revision = 0
        self._frames = frames
        self._masks = masks

    @property
    def is_waiting(self) -> bool:
        return self._awaited is not None

    def set(self, interaction: Interaction | None) -> None:
        """Show an interaction whose answer is in the mask, or none."""
        if self.shown is not interaction or self.settled is not interaction:
            self.shown = self.settled = interaction
            self.changed.emit()

    def drop_awaited(self) -> Interaction | None:
        """Forget the prompts that have no answer yet; returns the interaction that had them."""
        awaited, self._awaited = self._awaited, None
        if awaited is not None and self.shown is awaited:
            self.set(self.settled)
        return awaited

    def ask(
        self,
        frame: int,
        object_id: int,
        prompt: Hint,
        predictor: MaskPredictor,
        land: Callable[[Interaction, Region], None],
        region: Rect | None = None,
    ) -> Job[Region]:
        """Add a prompt and make the job that answers it; `land` gets the answer if it is still wanted."""
        mask = self._masks.get(frame)
        if self.shown is not None and self.shown.accepts(frame, object_id, prompt, region):
            interaction = self.shown.add(prompt, mask)
        else:
            self.settled = None
            interaction = Interaction.start(frame, object_id, prompt, mask, region)
        self.shown = self._awaited = interaction
        self._revision = self._masks.revision(frame)
        self.changed.emit()
        return self._job(interaction, predictor, land)

    def _job(
        self, interaction: Interaction, predictor: MaskPredictor, land: Callable[[Interaction, Region], None]
    ) -> Job[Region]:
        def run(token: CancelToken) -> Generator[Region, None, None]:
            token.check()
            yield predict_within(predictor, self._frames.get(interaction.frame), interaction, token)

        def apply(region: Region) -> None:
            if self._awaited is interaction and self._masks.revision(interaction.frame) == self._revision:
                self._awaited = None
                land(interaction, region)

        def finish(outcome: Outcome) -> None:
            if outcome.kind == "failed" or not self._is_continued(interaction):
                self._report_lost(interaction, outcome)
            if self._awaited is interaction:
                self.drop_awaited()

        return Job(f"{interaction.kind} on frame {interaction.frame}", None, run, apply, finish)

    def _is_continued(self, interaction: Interaction) -> bool:
        """Whether a later prompt of the same interaction is on its way and will bring this one's effect too."""
        later = self._awaited
        count = len(interaction.prompts)
        return later is not None and later is not interaction and later.prompts[:count] == interaction.prompts

    def _report_lost(self, interaction: Interaction, outcome: Outcome) -> None:
        what = f"The {interaction.kind} on frame {interaction.frame}"
        if outcome.kind == "failed":
            self.message.emit(f"{what} failed: {outcome.error}")
        elif outcome.kind == "cancelled":
            self.message.emit(f"{what} was stopped before it had a result.")
        elif self._awaited is interaction:
            self.message.emit(f"{what} had no effect: the mask changed in the meantime.")
