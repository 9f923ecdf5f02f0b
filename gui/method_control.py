"""What answers clicks and scribbles, chosen in the tool panel and remembered. GUI thread."""
from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, cast, get_args

from gui.engine import preload_libraries
from gui.settings import Settings
from gui.tool_panel import TOOL_HELP
from interact.interaction import InteractionKind
from interact.method_choice import AUTO, MethodChoice
from interact.method_setup import make_choice, weight_row
from interact.methods import Method
from util.config import AppConfig
from util.jobs import CancelToken, Job

if TYPE_CHECKING:
    from gui.controller import Controller


def make_methods(config: AppConfig, settings: Settings) -> MethodChoice:
    """The choice as it was remembered, overruled by the flags."""
    wanted: dict[InteractionKind, str] = {kind: settings.method(kind) for kind in get_args(InteractionKind)}
    return make_choice(config, wanted, preload_libraries)


def _fetching(method: Method) -> str:
    """What has to be done before a method can be used."""
    row = weight_row(method)
    if row.is_embedded:
        return f"The weights of the {row.title} are not part of this version."
    return f"Its weights are not here. Fetch {row.title} with Tools, Networks and weights."


class MethodControl:
    """Fills the tool panel's list of models and does what the user chooses there."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._panel = controller.window.tool_panel
        self._settings = controller.window.settings
        self.choice = make_methods(controller.config, self._settings)
        self._panel.tool_shown.connect(self.refresh)
        self._panel.tool_shown.connect(self.prepare)
        self._panel.model.about_to_open.connect(self.refresh)
        self._panel.model.chosen.connect(self._choose)
        self.refresh()

    @property
    def _kind(self) -> InteractionKind | None:
        """The kind of prompt that the shown tool gives; None for a tool without."""
        tool = self._panel.tool
        return cast(InteractionKind, tool) if TOOL_HELP[tool].has_model else None

    def refresh(self) -> None:
        """Show what is chosen for the tool, and what is here now."""
        kind = self._kind
        if kind is None:
            return
        best = next(offer.method for offer in self.choice.offers(kind) if offer.is_ready)
        entries = [(AUTO, f"Best: {best.title}", "The best one whose weights are here")]
        entries += [(offer.method.name, offer.method.title, "") for offer in self.choice.offers(kind)]
        missing = {o.method.name: _fetching(o.method) for o in self.choice.offers(kind) if not o.is_ready}
        self._panel.model.set_entries(entries, missing, self.choice.wanted(kind))

    def prepare(self) -> None:
        """Build what answers the shown tool while nobody waits for it, so that the first prompt is answered at once."""
        kind, video = self._kind, self._controller.video
        if kind is None or video is None or not video.is_engine_loaded:
            return
        method = self.choice.answering(kind)

        def run(token: CancelToken) -> Generator[None, None, None]:
            self.choice.prepare(method)
            yield from ()

        if method.weights and not self.choice.is_prepared(method):
            # A failure is told by the first prompt, which tries again.
            job = Job("Loading what answers", None, run, lambda result: None, lambda outcome: None)
            self._controller.runner.submit(job, replace="prepare")

    def open_list(self) -> None:
        """The list of models, to be chosen from with the keys."""
        if self._kind is None:
            self._controller.show_message("Only Click and Scribble are answered by a model: press C or S first.")
        else:
            self._panel.model.showPopup()

    def _choose(self, name: str) -> None:
        kind = self._kind
        if kind is None:
            return
        self.choice.choose(kind, name)
        self._settings.keep_method(kind, name)
        prompts = "Clicks" if kind == "click" else "Scribbles"
        self.prepare()
        self._controller.show_message(f"{prompts} are answered by {self.choice.answering(kind).title} now.")
