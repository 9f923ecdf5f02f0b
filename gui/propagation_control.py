"""Starts, watches and cancels propagations, and lets the canvas follow them. GUI thread."""
from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from gui.engine import Engine, EngineInfo
from gui.file_jobs import as_app_error
from gui.forecast import Pace, disk_bytes, foretell
from gui.job_bar import format_bytes
from inference_core.api import Direction, FrameResult, MemoryExhausted, MemoryReport
from interact.session import VideoSession
from storage.disk_space import free_bytes, will_fill
from util.jobs import CancelToken, Job, Outcome
from util.process_memory import resident_bytes

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo

# Milliseconds between two frames shown while following, however fast the engine is.
FOLLOW = 33
# Seconds after which a paused propagation looks whether it was cancelled.
PAUSE_POLL = 0.05
# Seconds between two looks at the memory.
MEMORY_EVERY = 0.25


@dataclass(frozen=True)
class _Watched:
    """A result; now and then what the engine held when it was made; with the first one, which engine that is."""

    result: FrameResult
    memory: MemoryReport | None
    engine: EngineInfo | None


def _watch(
    inner: Generator[FrameResult, None, None], engine: Engine, go: threading.Event, token: CancelToken
) -> Generator[_Watched, None, None]:
    """Worker thread: the results of `inner` with memory reports in between. Holds while `go` is not set."""
    due = 0.0
    try:
        info: EngineInfo | None = engine.info()
        for result in inner:
            now = time.monotonic()
            report = engine.get().memory() if now >= due or result.done == result.total else None
            due = now + MEMORY_EVERY if report is not None else due
            yield _Watched(result, report, info)
            info = None
            while not go.wait(PAUSE_POLL):
                token.check()
    finally:
        inner.close()


class PropagationControl(QObject):
    """At most one propagation runs. `changed` is emitted when one starts, is asked to stop, and ends."""

    changed = pyqtSignal()

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._bar = controller.window.job_bar
        self._job_id: int | None = None
        self._is_cancelled = False
        self._is_following = False
        self._go = threading.Event()
        self._held: MemoryReport | None = None
        self._reached: tuple[int, int] = (0, 0)
        self._next_shown: int | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(FOLLOW)
        self._timer.timeout.connect(self._follow)

    @property
    def is_running(self) -> bool:
        return self._job_id is not None

    @property
    def can_cancel(self) -> bool:
        """Whether one runs that was not yet told to stop."""
        return self.is_running and not self._is_cancelled

    def start(self, direction: Direction) -> None:
        """Propagate from the current frame, after a question where the disk has no room for it. AppError when there is
        nothing to carry."""
        video = self._controller.video
        if video is None or self.is_running:
            return
        folder, needed = video.session.workspace.folder, disk_bytes(video.session.reach(direction), video.session.masks)
        if not will_fill(folder, needed):
            self._start(video, direction)
            return
        self._controller.window.dialogs.confirm(
            "The disk is nearly full", f"This propagation writes about {format_bytes(needed)} to {folder}, where "
            f"{format_bytes(free_bytes(folder) or 0)} are free.",
            "What cannot be saved stays in memory and is lost when the program ends. Make room first, or go on.",
            "Propagate anyway", lambda: self._controller.perform(lambda: self._start(video, direction)),
        )

    def _start(self, video: OpenVideo, direction: Direction) -> None:
        if video is not self._controller.video or self.is_running:
            return
        video.view.player.stop()
        job = self._watched(video.session.propagate_job(video.engine.get, direction), video.engine, video.session)
        self._is_following = self._controller.window.actions_by_id["propagate.follow"].isChecked()
        self._is_cancelled = False
        self._go.set()
        anchor = video.session.frame
        self._reached = (anchor, anchor)
        cost = self._foretold(direction)
        self._bar.begin("Reading the key frames…" if video.is_engine_loaded else "Loading the engine…", None, note=cost)
        self._job_id = self._controller.runner.submit(job)
        self._timer.start()
        self.changed.emit()
        self._controller.show_hint()

    def foretell(self) -> None:
        """Say in the tooltips how far a propagation from here would go, and what it would cost."""
        actions = self._controller.window.actions_by_id
        for direction in get_args(Direction):
            action_id, cost = f"propagate.{direction}", self._foretold(direction)
            sentence = actions.specs[action_id].tooltip
            actions.set_text(action_id, tooltip=f"{sentence}: {cost}" if cost else None)

    def _foretold(self, direction: Direction) -> str:
        video = self._controller.video
        if video is None or video.session.is_locked:
            return ""
        pace = self._controller.window.settings.pace(self._pace_key(video))
        frames, mem_every = video.session.reach(direction), self._controller.engine.config.mem_every
        return foretell(frames, pace, mem_every, disk_bytes(frames, video.session.masks)) if frames else ""

    def _pace_key(self, video: OpenVideo) -> str:
        config = self._controller.engine.config
        parts = (config.engine, config.size, config.device, video.session.frames.size, len(video.session.objects))
        return "-".join(map(str, parts))

    def _keep_pace(self) -> None:
        video, held, pace = self._controller.video, self._held, self._bar.pace
        if video is not None and held is not None and pace is not None:
            frames = max(1, held.key_frames + held.rolling_frames)
            self._controller.window.settings.keep_pace(self._pace_key(video), Pace(pace, held.nbytes / frames))

    def cancel(self) -> None:
        """Stop after the frame in hand; says so at once."""
        if self._job_id is not None and not self._is_cancelled:
            self._is_cancelled = True
            self._controller.runner.cancel(self._job_id)
            self._bar.acknowledge_cancel()
            self.changed.emit()

    def toggle_pause(self) -> None:
        """Hold after the frame in hand, or go on. Editing waits for the end all the same."""
        if not self.can_cancel:
            return
        if self._go.is_set():
            self._go.clear()
            self._bar.hold()
            self._controller.show_message("Paused after the frame in hand. The same key goes on, Esc ends it.")
        else:
            self._bar.go_on()
            self._go.set()
        self.changed.emit()

    def stop_following(self) -> None:
        """The user looks elsewhere: leave the canvas alone for the rest of this run."""
        if self.is_running and self._is_following:
            self._is_following = False
            self._controller.show_message("The propagation goes on; the view no longer follows it.")

    def _watched(self, job: Job[FrameResult], engine: Engine, session: VideoSession) -> Job[_Watched]:
        anchor = session.frame

        def run(token: CancelToken) -> Generator[_Watched, None, None]:
            return _watch(job.run(token), engine, self._go, token)

        def apply(watched: _Watched) -> None:
            job.apply(watched.result)
            self._advance(watched)

        def finish(outcome: Outcome) -> None:
            job.finish(outcome)
            self._end(outcome, session, anchor)

        return Job(job.name, job.total, run, apply, finish)

    def _advance(self, watched: _Watched) -> None:
        result = watched.result
        self._bar.advance(result.done, result.total)
        if result.notice:
            self._controller.show_message(f"Frame {result.frame}: {result.notice}")
        if watched.engine is not None:
            self._controller.engine.show(watched.engine)
        self._reached = (min(self._reached[0], result.frame), max(self._reached[1], result.frame))
        self._next_shown = result.frame
        if watched.memory is not None:
            self._held = watched.memory
            self._bar.set_memory(watched.memory)
            self._bar.set_ram(resident_bytes())

    def _follow(self) -> None:
        frame, self._next_shown = self._next_shown, None
        video = self._controller.video
        if frame is None or video is None:
            return
        self._controller.window.timeline.set_progress(*self._reached)
        if self._is_following:
            video.session.seek(frame)

    def _end(self, outcome: Outcome, session: VideoSession, anchor: int) -> None:
        self._timer.stop()
        self._follow()
        self._job_id = None
        self._bar.go_on()
        self._keep_pace()
        if self._reached != (anchor, anchor):
            self._controller.engine.keep(session)
        self._controller.window.actions_by_id["propagate.pause"].setChecked(False)
        self._controller.window.timeline.set_progress(None)
        if outcome.kind == "failed":
            is_kept = isinstance(outcome.error, MemoryExhausted)
            self._bar.end("The memory ran out." if is_kept else "Failed; the masks are as before.")
            error = as_app_error(outcome.error, "The propagation failed")
            self._controller.window.dialogs.show_error("Propagation failed", error)
        elif outcome.kind == "cancelled":
            # What made the user stop is on the screen: stay there.
            self._bar.end(f"Stopped: {self._bar.summary()}")
        else:
            self._bar.end(self._bar.summary())
            if self._is_following:
                session.seek(anchor)
        self._is_following = False
        self.changed.emit()
