"""How long a click takes in the window, from the press of the button to the mask on the screen.

    tools/with_xvfb.sh .venv/bin/python -m benchmarks.click_latency [--clips DAVIS] [--frames 3] [--clicks 5]

A robot that knows the true masks (`evaluation.click_robot`) clicks as a person does: the pointer comes near, rests, and
presses. Every object of some frames gets a first click and further ones that correct it; the window does everything it
does for a person (engine loaded, looking ahead, undo, journal, painting). Prints median, 95th percentile and worst of
first and further clicks, and how much of each was the predictor's, by the clock and in processor time of all threads,
which other programs beside it change less. Exit code 1 if a median misses its target. Clicks on the example video
(720x480), or on the clips of a data set in the DAVIS layout.
"""
from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QEvent, QObject, QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from benchmarks.window_stage import WindowStage, measured_application
from evaluation.click_robot import next_click
from evaluation.correction import find_clips
from interact.annotations import load_annotations
from interact.interaction import Interaction
from interact.method_choice import MethodChoice
from interact.prompts import Click
from interact.windows import Region
from util.errors import AppError
from util.jobs import CancelToken
from util.types import IGNORE, ImageU8, Rect

_EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
EXAMPLE = _EXAMPLES / "example.mp4", _EXAMPLES / "masks"
TARGETS = {"first": 300.0, "further": 150.0}
"""Milliseconds."""
REST = 0.3
"""Seconds the pointer rests before it presses."""
APPROACH = QPoint(9, 9)


class _Watch(QObject):
    """Sees when the canvas paints a mask that has changed since `arm`."""

    def __init__(self, stage: WindowStage) -> None:
        super().__init__()
        self.is_changed = self.is_painted = False
        stage.session.mask_changed.connect(self._on_changed)
        stage.window.canvas.installEventFilter(self)

    def arm(self) -> None:
        self.is_changed = self.is_painted = False

    def _on_changed(self, frame: int, rect: Rect) -> None:
        self.is_changed = True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.is_painted |= self.is_changed and event.type() == QEvent.Paint
        return False


@dataclass
class Times:
    """Milliseconds per click: all of it by the clock, what the window's own thread worked in that time, and the
    predictor's part by the clock and of the processor."""

    whole: list[float] = field(default_factory=list)
    window: list[float] = field(default_factory=list)
    predictor: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


@contextmanager
def timing(choice: MethodChoice) -> Iterator[list[tuple[float, float]]]:
    """The seconds of every answer, by the clock and of the processor, are added to the list while the body runs."""
    predict = choice.predict
    spent: list[tuple[float, float]] = []

    def timed(image: ImageU8, interaction: Interaction, token: CancelToken) -> Region:
        start, worked = time.perf_counter(), time.process_time()
        try:
            return predict(image, interaction, token)
        finally:
            spent.append((time.perf_counter() - start, time.process_time() - worked))

    choice.predict = timed  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        del choice.predict


class Clicker:
    """Clicks on a video's objects and takes the time. Args: spent: as `timing` yields it. times: are added to."""

    def __init__(self, stage: WindowStage, spent: list[tuple[float, float]], times: Mapping[str, Times]) -> None:
        self._stage, self._spent, self._times = stage, spent, times
        self._watch = _Watch(stage)
        stage.wait(lambda: (video := stage.window.controller.video) is not None and video.is_engine_loaded)
        stage.act("tool.click")

    def on_object(self, gt: NDArray[np.bool_], count: int) -> None:
        """A new object, and up to `count` clicks on it; `gt` bool [H, W]."""
        self._stage.act("object.add")
        session, given = self._stage.session, list[Click]()
        for _ in range(count):
            mask = np.asarray(session.mask == session.objects.selected, np.bool_)
            click = next_click(gt, mask, given)
            if click is None:
                return
            self._click(click, self._times["further" if given else "first"])
            given.append(click)

    def _click(self, click: Click, times: Times) -> None:
        """A click that changes nothing paints nothing, and is not counted."""
        stage, canvas = self._stage, self._stage.window.canvas
        at = canvas.image_to_widget(click.x, click.y).toPoint()
        for place in (at - APPROACH, at):
            QTest.mouseMove(canvas, place)
            stage.pause(REST / 2)
        self._watch.arm()
        self._spent.clear()
        start, worked = time.perf_counter(), time.thread_time()
        QTest.mouseClick(canvas, Qt.LeftButton if click.positive else Qt.RightButton, Qt.NoModifier, at)
        runner = stage.window.controller.runner
        stage.wait(lambda: self._watch.is_painted or not (self._watch.is_changed or runner.is_busy()))
        taken, worked = time.perf_counter() - start, time.thread_time() - worked
        stage.rest()
        if self._watch.is_painted and len(self._spent) == 1:
            times.whole.append(1000 * taken)
            times.window.append(1000 * worked)
            times.predictor.append(1000 * self._spent[0][0])
            times.processor.append(1000 * self._spent[0][1])


def report(name: str, times: Times) -> bool:
    """Print a line for each kind of time. Returns: whether the median by the clock meets its target."""
    is_met = bool(np.median(times.whole) <= TARGETS[name])
    verdict = f"target {TARGETS[name]:.0f}  {'ok' if is_met else 'MISSED'}"
    for what, values, end in (
        (f"{name} clicks ({len(times.whole)}), press to paint", times.whole, verdict),
        ("    the window's thread, processor time", times.window, ""),
        ("    the predictor, by the clock", times.predictor, ""),
        ("    the predictor, processor time", times.processor, ""),
    ):
        median, high, worst = np.percentile(values, [50, 95, 100])
        print(f"{what:42} median {median:6.0f}  95 % {high:6.0f}  worst {worst:6.0f} ms   {end}".rstrip())
    return is_met


def click_on(
    app: QApplication, video: Path, masks: Path, frames: int, clicks: int, times: Mapping[str, Times]
) -> None:
    """Click on every object of some frames, spread over the annotated ones. AppError: no masks there."""
    flag = "--images" if video.is_dir() else "--video"
    with tempfile.TemporaryDirectory() as folder:
        stage = WindowStage(app, [flag, str(video), "--workspace", f"{folder}/workspace", "--engine", "light"])
        source = stage.session.frames
        known = load_annotations(masks, source, range(len(source)))
        chosen = sorted(known)[:: max(1, len(known) // frames)][:frames]
        with timing(stage.window.controller.methods.choice) as spent:
            clicker = Clicker(stage, spent, times)
            for frame in chosen:
                stage.seek(frame)
                for object_id in np.unique(known[frame]):
                    if 0 < object_id < IGNORE:
                        clicker.on_object(known[frame] == object_id, clicks)
        stage.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how long a click takes in the window.")
    parser.add_argument("--clips", type=Path, metavar="DIR", help="data set in the DAVIS layout (the example video)")
    parser.add_argument("--frames", type=int, default=3, metavar="N", help="frames of every video")
    parser.add_argument("--clicks", type=int, default=5, metavar="N", help="clicks on every object")
    given = parser.parse_args()
    app = measured_application()
    times = {name: Times() for name in TARGETS}
    try:
        videos = [("example", *EXAMPLE)] if given.clips is None else find_clips(given.clips)
        for _, video, masks in videos:
            click_on(app, video, masks, given.frames, given.clicks, times)
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if all([report(name, found) for name, found in times.items()]) else 1


if __name__ == "__main__":
    sys.exit(main())
