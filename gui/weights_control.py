"""Fetches, takes in and verifies weights on a thread of its own, so that nothing else waits for a long download.

GUI thread. A download that is under way when the window closes ends with the program; the next one goes on with it.
"""
from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from gui import weights_jobs
from gui.file_jobs import as_app_error
from gui.job_runner import JobRunner
from gui.weights_dialog import WeightsDialog
from gui.weights_jobs import Step, Work, weights_job
from inference_core.registry import WeightFile, weight_files
from util.errors import AppError
from util.jobs import Outcome

if TYPE_CHECKING:
    from gui.controller import Controller

_MB = 1_000_000
_FETCHING, _TAKING, _VERIFYING = "Downloading", "Reading", "Verifying"
_DONE = {_FETCHING: "here", _TAKING: "here", _VERIFYING: "here, verified"}
# Milliseconds that the window waits for a transfer to notice that it is closing; a stalled one is left behind.
_PATIENCE = 1000


class WeightsControl(QObject):
    """At most one transfer runs. `fetcher` is what fetches an entry; tests put another one there."""

    _progressed = pyqtSignal(object, object)

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self.fetcher: Work = weights_jobs.fetch
        self.dialog: WeightsDialog | None = None
        self._runner: JobRunner | None = None
        self._errors: list[AppError] = []
        self._states: dict[str, str] = {}
        self._progressed.connect(self._show_progress)

    def show(self) -> None:
        """The table, as things are on the disk now."""
        if self.dialog is None:
            self.dialog = dialog = WeightsDialog(self._controller.window)
            dialog.fetch.connect(lambda name: self._start(_FETCHING, self._named(name), self.fetcher))
            dialog.fetch_all.connect(self._fetch_all)
            dialog.take.connect(self._ask_file)
            dialog.verify.connect(self._verify)
            dialog.cancel.connect(self._cancel)
        if not self.is_running:
            self.dialog.set_entries(weight_files())
        self.dialog.show()
        self.dialog.raise_()

    @property
    def is_running(self) -> bool:
        return self._runner is not None and self._runner.is_busy()

    def close(self) -> None:
        """End what runs; unfinished files stay and are continued later."""
        if self._runner is not None:
            self._runner.shutdown(_PATIENCE)

    def _named(self, name: str) -> list[WeightFile]:
        return [entry for entry in weight_files() if entry.name == name]

    def _fetch_all(self) -> None:
        missing = [entry for entry in weight_files() if entry.sources and not entry.is_present]
        self._start(_FETCHING, missing, self.fetcher)

    def _verify(self) -> None:
        self._start(_VERIFYING, [entry for entry in weight_files() if entry.is_present], weights_jobs.verify)

    def _ask_file(self, name: str) -> None:
        window = self._controller.window
        path = window.dialogs.ask_weights(window.settings.folder)
        if path is not None:
            self._start(_TAKING, self._named(name), weights_jobs.take(path))

    def _start(self, what: str, entries: Sequence[WeightFile], work: Work) -> None:
        if self.dialog is None or self.is_running or not entries:
            return
        if self._runner is None:
            self._runner = JobRunner("weights", self)
        self._errors, self._states = [], {}
        self.dialog.set_busy(True)
        self.dialog.bar.begin(f"{what}…", None, "MB")
        report = self._progressed.emit
        self._runner.submit(weights_job(what, entries, work, report, partial(self._apply, what), self._finish))

    def _apply(self, what: str, step: Step) -> None:
        assert self.dialog is not None
        if not (step.text or step.error):
            self.dialog.set_state(step.entry.name, f"{what.lower()}…")
            return
        if step.error is not None:
            self._errors.append(step.error)
        self._states[step.entry.name] = "failed" if step.error is not None else _DONE[what]
        self.dialog.set_state(step.entry.name, self._states[step.entry.name])

    def _show_progress(self, done: int, total: int | None) -> None:
        if self.dialog is not None and self.is_running and total is not None:
            self.dialog.bar.advance(done // _MB, max(1, total // _MB))

    def _cancel(self) -> None:
        if self._runner is not None and self.dialog is not None:
            self._runner.cancel()
            self.dialog.bar.acknowledge_cancel("stopping…")

    def _finish(self, outcome: Outcome) -> None:
        assert self.dialog is not None
        self.dialog.set_entries(weight_files())
        for name, text in self._states.items():
            self.dialog.set_state(name, text)
        self.dialog.set_busy(False)
        self._controller.methods.refresh()
        self._controller.update_actions()
        done = len(self._states) - len(self._errors)
        if outcome.kind == "failed":
            self._errors.append(as_app_error(outcome.error, "The weights cannot be handled"))
        if outcome.kind == "cancelled":
            self.dialog.bar.end("Stopped.", "What has come is kept; the next download goes on with it.")
        else:
            failures = f", {len(self._errors)} failed" if self._errors else ""
            use = "Clicks and scribbles use them at once, propagation from the next video on."
            self.dialog.bar.end(f"{done} done{failures}.", use)
        if self._errors:
            messages = "\n".join(error.message for error in self._errors)
            self._controller.window.dialogs.show_error("Weights", AppError(messages, self._errors[0].hint))
