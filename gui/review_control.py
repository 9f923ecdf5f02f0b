"""Going through what is not yet right: previous and next frame of a kind, suspects as pictures, what is missing.

GUI thread.
"""
from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject

from gui.advice_control import AdviceControl
from gui.done_dialog import DoneDialog
from gui.flicker_scan import FlickerScan
from gui.sheet_dialog import SheetDialog
from interact.review import STATE_KINDS, StateKind, missing, progress, worst_first
from util.errors import AppError

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo

MAX_PICTURES = 200


class ReviewControl(QObject):
    """Acts on the open video; its actions are grey without one. `advice` finds the frame to correct."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.advice = AdviceControl(controller)
        self._controller = controller
        self._window = controller.window
        self._scan: FlickerScan | None = None

    def commands(self) -> dict[str, Callable[[], object]]:
        """What the actions of this part do, by their ids."""
        commands: dict[str, Callable[[], object]] = {
            "review.advise": self.advice.start,
            "review.go": self.advice.go,
            "review.sheet": self.show_sheet,
            "review.check": self.show_missing,
            "review.verify_range": lambda: self.toggle_verified([self._selected]),
            "review.verify_range_all": lambda: self.toggle_verified(self._video.session.objects.order),
            "object.absent": lambda: self._video.session.mark_absent(self._selected),
        }
        for kind in STATE_KINDS:
            commands[f"review.previous_{kind}"] = partial(self.seek, kind, -1)
            commands[f"review.next_{kind}"] = partial(self.seek, kind, 1)
        return commands

    def begin(self, video: OpenVideo) -> None:
        """A video was opened."""
        video.panels.refreshed.connect(self.advice.refresh)
        self._scan = FlickerScan(video.session, self._controller.files, self)

    def forget(self) -> None:
        """The video is closed."""
        if self._scan is not None:
            self._scan.close()
            self._scan = None
        self.advice.forget()
        for dialog in self._window.findChildren((SheetDialog, DoneDialog)):
            dialog.close()

    @property
    def _video(self) -> OpenVideo:
        assert self._controller.video is not None
        return self._controller.video

    @property
    def _selected(self) -> int:
        object_id = self._video.session.objects.selected
        assert object_id is not None
        return object_id

    def seek(self, kind: StateKind, direction: int) -> None:
        """To the next (1) or previous (-1) frame on which the selected object is in a state."""
        session = self._video.session
        review = self._video.panels.review()[self._selected]
        frame = review.beside(kind, session.frame, direction)
        if frame is not None:
            self._controller.edit.step(frame - session.frame)
            if kind == "suspect":
                self._controller.show_message(f"Frame {frame} is suspect: {review.doubt(frame).reason}.")
            return
        side = "after" if direction > 0 else "before"
        self._controller.show_message(f"There is no {kind} frame of {review.name} {side} this one.")

    def toggle_verified(self, object_ids: Collection[int]) -> None:
        """Between the in and out marks: verified, unless they all are; one step."""
        session, ids = self._video.session, frozenset(object_ids)
        frames, verified = session.in_out.frames, session.marks["verified"]
        is_on = all(ids <= verified.on(frame) for frame in frames)
        reviews = self._video.panels.review()
        absent = sum(int((~reviews[i].present[frames.start : frames.stop]).sum()) for i in ids)
        session.set_marks("verified", ids, frames, on=not is_on)
        who = session.objects.name(min(ids)) if len(ids) == 1 else f"{len(ids)} objects"
        where = f"frames {frames.start} to {frames.stop - 1}"
        text = f"{who} no longer verified on {where}." if is_on else f"Verified {who} on {where}."
        if absent and not is_on:
            text += f" {absent} masks are empty there: the object counts as absent."
        self._controller.show_message(text)

    def go(self, frame: int, object_id: int) -> None:
        """To a frame, with an object selected."""
        video = self._controller.video
        if video is not None:
            self._controller.edit.step(frame - video.session.frame)
            self._controller.edit.select_object(object_id)

    def show_sheet(self) -> None:
        """Suspects of all objects as small pictures. AppError when there are none."""
        video = self._video
        reviews, within = video.panels.review(), video.session.in_out.frames
        suspects = worst_first(reviews.values(), within, MAX_PICTURES)
        if not suspects:
            raise AppError("No frame is suspect.", "Frames become suspect where a propagation was "
                           "not sure of them, or where a mask flickers.")
        total = sum(int(review.suspect[within.start : within.stop].sum()) for review in reviews.values())
        SheetDialog(self._window, video.session, suspects, total, self.go).open_and_load(self._controller.files)

    def show_missing(self) -> None:
        """What each object lacks for being done."""
        video = self._video
        reviews, within = list(video.panels.review().values()), video.session.in_out.frames
        DoneDialog(self._window, missing(reviews, within), progress(reviews, within), within, self.go).show()
