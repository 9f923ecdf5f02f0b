"""Finds the frame to correct next, on the worker thread, and goes there. GUI thread, except where said.

By the published quality network and frame agent where their weights are here, which judge every frame when asked; else
by the quality that the propagations left, predicted by the light network beside them, which takes no time and is
therefore looked at again by itself.
"""
from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from PyQt5.QtCore import QObject, pyqtSignal

from gui.engine import preload_libraries
from gui.file_jobs import as_app_error
from gui.thumbnails import small_picture
from inference_core.api import FrameRanker, QualityAssessor
from inference_core.registry import Basis, WeightFile, advice_file, carried_basis
from interact.advice import (
    NextFrame,
    choose,
    is_anything_known,
    is_anything_open,
    is_open,
    known_confidence,
    open_objects,
)
from interact.review import ObjectReview
from util.config import AppConfig
from util.jobs import CancelToken, Job, Outcome
from util.palette import OwnColors
from util.types import ImageU8

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo

NOTHING = "Every mask that was propagated is verified, locked or a key frame."
UNKNOWN = "Propagate first: there is nothing to judge yet."


class Judge(Protocol):
    """What estimates and what decides; `inference_core.advice.Advice` is one."""

    @property
    def assessor(self) -> QualityAssessor | None: ...
    @property
    def ranker(self) -> FrameRanker: ...


BuildJudge = Callable[[AppConfig], Judge]


def build_judge(config: AppConfig) -> Judge:
    """The real one, by the weights in their usual place. Imports torch: call it on the worker thread."""
    preload_libraries()
    from inference_core import advice

    return advice.build_advice(config.device, mixed_precision=not config.no_amp)


@dataclass
class _Search:
    """One run over the frames. Each frame is a job of its own, so that a click is answered in between.

    Args:
        reviews: as they were at the start.
        width: of the small picture, in pixels. own: colours for it.
        file: weights of the network that judges, which were there at the start; None: there was none.
        todo: frame -> objects to be judged by the network. total: how many frames that were at first.
    """

    video: OpenVideo
    reviews: Sequence[ObjectReview]
    within: range
    width: int
    own: OwnColors
    file: WeightFile | None
    judge: Judge | None = None
    todo: dict[int, tuple[int, ...]] = field(default_factory=dict)
    total: int = 0
    found: dict[int, dict[int, float]] = field(default_factory=dict)
    job_id: int | None = None


class AdviceControl(QObject):
    """Attributes:

    build: makes the networks; tests put another one there.
    advice: what was found; None when nothing was, or it no longer holds.
    changed: a search began or ended, or the advice is another.
    """

    changed = pyqtSignal()

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.build: BuildJudge = build_judge
        self.advice: NextFrame | None = None
        self._controller = controller
        self._panel = controller.window.advice_panel
        self._judge: tuple[WeightFile | None, Judge] | None = None
        """What was built, with the file that was there then."""
        self._search: _Search | None = None
        self._is_stopped = False
        """Whether the user ended the last search, or it failed: no other begins by itself."""
        self._panel.chosen.connect(self.go)
        controller.propagation.changed.connect(self._on_propagation)

    @property
    def has_network(self) -> bool:
        """Whether masks are looked at to judge them, which takes time."""
        return advice_file().is_present

    @property
    def can_cancel(self) -> bool:
        return self._search is not None

    def start(self) -> None:
        """Look for the frame anew."""
        video = self._controller.video
        if video is None:
            return
        self.cancel()
        self.advice, self._is_stopped = None, False
        reviews, within = list(video.panels.review().values()), video.session.in_out.frames
        if not is_anything_open(reviews, within):
            self._panel.show_nothing(NOTHING if any(review.present.any() for review in reviews) else UNKNOWN)
            self.changed.emit()
            return
        width, own = self._panel.thumbnail_width, video.session.objects.own_colors
        self._search = _Search(video, reviews, within, width, own, advice_file() if self.has_network else None)
        self._panel.show_running(0, 0, "Getting ready")
        self._submit(self._search, "Getting ready to judge masks", self._prepare)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop after the frame in hand; what was judged until then counts for nothing."""
        search, self._search = self._search, None
        if search is not None:
            self._is_stopped = True
            if search.job_id is not None:
                self._controller.runner.cancel(search.job_id)
            self._panel.show_nothing("Stopped.")
            self.changed.emit()

    def forget(self) -> None:
        """The video is closed."""
        self.cancel()
        self.advice = None
        self._judge = None
        self._panel.show_nothing("")

    def go(self) -> None:
        """To the frame, with its object selected."""
        advice, video = self.advice, self._controller.video
        if advice is not None and video is not None:
            self._controller.edit.step(advice.frame - video.session.frame)
            self._controller.edit.select_object(advice.object_id)

    def refresh(self) -> None:
        """What is drawn has changed: is the advice still one?"""
        video = self._controller.video
        if video is None:
            return
        self._panel.set_done(video.panels.progress)
        if self._search is not None or video.session.is_locked:
            return
        if self.advice is None:
            if self.has_network or self._is_stopped:
                return
            if is_anything_known(list(video.panels.reviews.values()), video.session.in_out.frames):
                self.start()
        elif not self._holds(video, self.advice):
            self.advice = None
            if self.has_network:
                self._panel.show_nothing("The frame was corrected.")
                self.changed.emit()
            else:
                self.start()

    def _holds(self, video: OpenVideo, advice: NextFrame) -> bool:
        """Whether the mask is still the one that was judged, as far as the marks tell, and between the in and out
        marks."""
        review = video.panels.reviews.get(advice.object_id)
        if review is None or advice.frame not in video.session.in_out.frames or not is_open(review)[advice.frame]:
            return False
        return not advice.is_carried or abs(float(review.confidence[advice.frame]) - advice.quality) < 1e-6

    def _on_propagation(self) -> None:
        """What was judged is about to change; `refresh` looks anew where that takes no time."""
        if self._controller.propagation.is_running:
            self.cancel()

    # -- the jobs

    def _submit(
        self, search: _Search, name: str, run: Callable[[_Search, CancelToken], Generator[object, None, None]]
    ) -> None:
        """One step. What it yields is applied by `_apply`; when it is done the next one follows."""

        def finish(outcome: Outcome) -> None:
            if self._search is not search:
                return
            if outcome.kind == "done":
                self._go_on(search)
                return
            self._search, self._is_stopped = None, True
            self._panel.show_nothing("Stopped.")
            if outcome.kind == "failed":
                error = as_app_error(outcome.error, "The masks cannot be judged")
                self._controller.window.dialogs.show_error("No advice", error)
            self.changed.emit()

        job = Job(name, None, partial(run, search), partial(self._apply, search), finish)
        search.job_id = self._controller.runner.submit(job)

    def _go_on(self, search: _Search) -> None:
        assert search.judge is not None
        if search.todo:
            done = search.total - len(search.todo)
            self._panel.show_running(done, search.total, "Judging masks")
            self._submit(search, "Judging masks", self._judge_one)
        elif self.advice is None and search.found:
            self._submit(search, "Choosing a frame", self._decide)
        else:
            self._search = None
            if self.advice is None:
                self._panel.show_nothing(UNKNOWN)
            self.changed.emit()

    def _prepare(self, search: _Search, token: CancelToken) -> Generator[object, None, None]:
        """Worker thread: the networks, or what is known without them."""
        token.check()
        if self._judge is None or self._judge[0] != search.file:
            self._judge = search.file, self.build(self._controller.engine.config)
        search.judge = self._judge[1]
        if search.judge.assessor is not None:
            search.todo = open_objects(search.reviews, search.within)
            search.total = len(search.todo)
        else:
            search.found = known_confidence(search.reviews, search.within)
        yield from ()

    def _judge_one(self, search: _Search, token: CancelToken) -> Generator[object, None, None]:
        """Worker thread: one frame."""
        token.check()
        assert search.judge is not None and search.judge.assessor is not None
        frame = next(iter(search.todo))
        object_ids = search.todo.pop(frame)
        image = search.video.session.frames.get(frame)
        probs = search.video.engine.get().object_probs(frame, object_ids)
        search.found[frame] = {
            object_id: search.judge.assessor.quality(image, probs[place : place + 1])
            for place, object_id in enumerate(object_ids)
        }
        yield from ()

    def _decide(self, search: _Search, token: CancelToken) -> Generator[object, None, None]:
        """Worker thread: the frame, with a small picture of it."""
        assert search.judge is not None
        assessor, ranker = search.judge.assessor, search.judge.ranker
        basis = carried_basis() if assessor is None else Basis(assessor.name, is_trained=True)
        found = choose(search.found, search.reviews, ranker, basis, is_carried=assessor is None)
        assert found is not None
        session = search.video.session
        image, mask = session.frames.get(found.frame), session.masks.get(found.frame)
        yield found, small_picture(image, mask, found.object_id, search.own, search.width)

    def _apply(self, search: _Search, result: tuple[NextFrame, ImageU8]) -> None:
        if self._search is search and search.video is self._controller.video:
            self.advice, picture = result
            objects = search.video.session.objects
            name = objects.name(self.advice.object_id) if self.advice.object_id in objects else ""
            self._panel.show_advice(self.advice, name, picture)
