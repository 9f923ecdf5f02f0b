"""Suggests objects on the frame shown, and does what the user decides about each. GUI thread.

The network runs on the worker thread and is built when it is first asked; it goes with the video.
"""
from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject

from gui.engine import preload_libraries
from gui.file_jobs import as_app_error
from gui.markers import Marker
from gui.suggest_panel import SuggestionRow
from inference_core.api import ObjectProposer
from inference_core.registry import proposal_file
from interact.suggestions import Suggestion, SuggestionList, outlines, worth_showing
from util.config import AUTO, AppConfig
from util.jobs import CancelToken, Job, Outcome
from util.palette import object_color
from util.types import MAX_OBJECT_ID, Size

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo

ACTION = "object.suggest"
_KEY = "suggest"
BuildProposer = Callable[[AppConfig, Size], ObjectProposer]


def build_proposer(config: AppConfig, size: Size) -> ObjectProposer:
    """The real one, by the weights in their usual place: the flags for engine and size are about propagation."""
    preload_libraries()
    from inference_core import proposals

    # One processor core stays free for the window.
    return proposals.build_proposer(replace(config, engine=AUTO, size=None), size, None, spare_cores=1)


class _Network:
    """The proposer of one video. Everything but the making is the worker thread's."""

    def __init__(self, config: AppConfig, size: Size, build: BuildProposer) -> None:
        self._make = partial(build, config, size)
        self._proposer: ObjectProposer | None = None

    def get(self) -> ObjectProposer:
        """Built now if it is not yet there. Raises AppError."""
        if self._proposer is None:
            self._proposer = self._make()
        return self._proposer

    def close_job(self) -> Job[None]:
        def run(token: CancelToken) -> Generator[None, None, None]:
            proposer, self._proposer = self._proposer, None
            if proposer is not None:
                proposer.close()
            yield from ()

        return Job("Unloading the suggestions' network", None, run, lambda result: None, lambda outcome: None)


class SuggestControl(QObject):
    """Attributes:

    build: makes the network; tests put another one there.
    suggestions: what the user has not decided about yet.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.build: BuildProposer = build_proposer
        self.suggestions = SuggestionList()
        self._controller = controller
        self._window = controller.window
        self._network: _Network | None = None
        panel = self._window.suggest_panel
        panel.selected.connect(self._select)
        panel.renamed.connect(self.suggestions.rename)
        panel.accepted.connect(lambda number: self._perform([number]))
        panel.all_accepted.connect(lambda: self._perform([item.number for item in self.suggestions.items]))
        panel.dropped.connect(self.suggestions.drop)
        panel.all_dropped.connect(self.suggestions.clear)
        self.suggestions.changed.connect(self.refresh)

    @property
    def missing(self) -> str:
        """Why nothing can be suggested, with what to do; empty when the weights are here."""
        row = proposal_file()
        if row.is_present:
            return ""
        return f"The weights of {row.title} are not here. Fetch them with Tools, Networks and weights"

    def show_state(self) -> None:
        """Say in the menu why the action is grey."""
        missing = self.missing
        text = "Suggest objects (weights missing)" if missing else None
        self._window.actions_by_id.set_text(ACTION, text, missing or None)
        video = self._controller.video
        self._window.suggest_panel.set_editable(video is not None and not video.session.is_locked)

    def start(self) -> None:
        """Ask the network about the frame shown."""
        video = self._controller.video
        if video is None:
            return
        video.view.player.stop()
        session, frame = video.session, video.session.frame
        if self._network is None:
            self._network = _Network(self._controller.config, session.frames.size, self.build)
        network = self._network

        def run(token: CancelToken) -> Generator[tuple[Suggestion, ...], None, None]:
            proposer = network.get()
            token.check()
            proposer.start()
            yield worth_showing(proposer.propose(session.frames.get(frame)), session.masks.get(frame))

        def finish(outcome: Outcome) -> None:
            if outcome.kind == "failed":
                error = as_app_error(outcome.error, "No objects can be suggested")
                self._window.dialogs.show_error("No suggestions", error)
                self._controller.show_hint()

        self._controller.show_message("Looking for objects…")
        apply = partial(self._show, video, frame)
        self._controller.runner.submit(Job("Looking for objects", None, run, apply, finish), replace=_KEY)

    def forget(self) -> None:
        """The video is closed: its suggestions and its network go."""
        self.suggestions.clear()
        if self._network is not None:
            self._controller.runner.submit(self._network.close_job())
            self._network = None

    def _show(self, video: OpenVideo, frame: int, found: Sequence[Suggestion]) -> None:
        if self._controller.video is not video:
            return
        self.suggestions.show(frame, found)
        if not found:
            self._controller.show_message("The network finds no further object on this frame.")
            return
        count = f"{len(found)} suggestion{'' if len(found) == 1 else 's'}"
        self._controller.show_message(f"{count} on frame {frame}: accept, rename or drop them in the panel.")

    def refresh(self) -> None:
        """Show panel and outlines as the list is now."""
        listed, video = self.suggestions, self._controller.video
        # The colours that they would have if they were accepted in this order: no object has them yet.
        first = 1 if video is None else video.session.objects.next_id
        colors = {item.number: object_color(min(first + i, MAX_OBJECT_ID)) for i, item in enumerate(listed.items)}
        rows = [
            SuggestionRow(item.number, item.name or f"suggestion {item.number}", item.score, colors[item.number])
            for item in listed.items
        ]
        place = "" if listed.frame is None else f"on frame {listed.frame}"
        self._window.suggest_panel.set_rows(rows, listed.selected, place)
        if video is not None:
            video.view.set_suggested(listed.frame, self._markers(colors))

    def _markers(self, colors: Mapping[int, tuple[int, int, int]]) -> list[Marker]:
        """Outlines, the selected suggestion's solid and on top. Args: colors: number -> RGB."""
        markers = []
        for item in sorted(self.suggestions.items, key=lambda one: one.number == self.suggestions.selected):
            kind = "outline" if item.number == self.suggestions.selected else "frame"
            markers += [Marker(kind, line, tint=colors[item.number]) for line in outlines(item.region)]
        return markers

    def _select(self, number: int) -> None:
        """The user looks at one: go where it is."""
        self._go()
        self.suggestions.select(number)

    def _go(self) -> None:
        if self.suggestions.frame is not None:
            self._controller.edit.seek(self.suggestions.frame)

    def _perform(self, numbers: Sequence[int]) -> None:
        self._controller.perform(partial(self._accept, numbers))

    def _accept(self, numbers: Sequence[int]) -> None:
        """Make objects of these, one step each. Raises AppError when one has no pixels left."""
        video = self._controller.video
        if video is None:
            return
        self._go()
        for number in numbers:
            if video.session.accept_suggestion(self.suggestions.find(number)):
                self.suggestions.drop(number)
