"""How far the running job is: bar, speed, time left, memory, and the button that cancels it. GUI thread."""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QAction, QProgressBar, QVBoxLayout, QWidget

from gui.widgets import ActionButton, FactRow, heading, muted, panel_layout, step_of
from inference_core.api import MemoryReport
from util.progress import format_duration

# Milliseconds between two repaints while a job runs.
REPAINT = 33
# Steps after which a job's speed says something.
MIN_DONE = 5
# Seconds of the recent past that the shown speed is measured over.
SPEED_WINDOW = 5.0


def format_bytes(nbytes: int) -> str:
    """`512 kB`, `90 MB`, `1.1 GB`; powers of 1024."""
    if nbytes >= 1 << 30:
        return f"{nbytes / (1 << 30):.1f} GB"
    if nbytes >= 1 << 20:
        return f"{nbytes / (1 << 20):.0f} MB"
    return f"{nbytes / (1 << 10):.0f} kB"


@dataclass
class Speed:
    """Frames per second over the last few seconds, so that the estimate follows a slower second pass."""

    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.started = self.clock()
        self._marks = [(self.started, 0)]

    def mark(self, done: int) -> None:
        now = self.clock()
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > SPEED_WINDOW:
            del self._marks[0]

    def skip(self, since: float) -> None:
        """Leave out the time since then, in which nothing was to be done."""
        now = self.clock()
        self.started += now - since
        self._marks = [(now, self._marks[-1][1])]

    @property
    def per_second(self) -> float | None:
        """None before there is anything to measure."""
        (start, first), (end, last) = self._marks[0], self._marks[-1]
        return (last - first) / (end - start) if last > first and end > start else None

    def seconds_left(self, done: int, total: int) -> float | None:
        speed = self.per_second
        return (total - done) / speed if speed else None


class JobBar(QWidget):
    """One running job. `begin`, `advance` ... `end`; `advance` is cheap and may be called any number of times."""

    def __init__(self, title: str, cancel: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = heading(title)
        self.facts = FactRow()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(max(4, round(step_of(self) * 1.25)))
        self.note = muted()
        self.note.setWordWrap(True)
        self.cancel_button = ActionButton(cancel, with_icon=False)
        self._unit = ""
        self._state: tuple[int, int | None] = (0, None)
        self._speed = Speed()
        self._held_since: float | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(REPAINT)
        self._timer.timeout.connect(self._repaint)
        self._fill(panel_layout(self))
        self.clear()

    def _fill(self, layout: QVBoxLayout) -> None:
        for widget in (self._title, self.facts, self.bar, self.note, self.cancel_button):
            layout.addWidget(widget)

    @property
    def is_running(self) -> bool:
        return self._timer.isActive()

    def clear(self) -> None:
        """Nothing runs and nothing has run."""
        self._timer.stop()
        self.facts.name.setText("Nothing runs.")
        self.facts.value.setText("")
        self.note.setText("")
        self.note.hide()
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        self.cancel_button.hide()

    def begin(self, what: str, total: int | None, unit: str = "frames", note: str = "") -> None:
        """A job starts; `total` None shows a busy bar. `note`: what is known of it beforehand."""
        self.clear()
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self._unit = unit
        self._state = (0, total)
        self._speed = Speed()
        self._held_since = None
        self.bar.setRange(0, total or 0)
        self.facts.name.setText(what)
        self.cancel_button.show()
        self._timer.start()

    def advance(self, done: int, total: int) -> None:
        self._state = (done, total)
        self._speed.mark(done)

    def acknowledge_cancel(self, text: str = "stopping after this frame…") -> None:
        """Say at once that the wish was heard; the job ends after the step in hand."""
        self.facts.name.setText(text)
        self.facts.value.setText("")
        self._timer.stop()

    def hold(self) -> None:
        """Paused: the clock stands still."""
        if self._held_since is None:
            self._repaint()
            self._timer.stop()
            self._held_since = self._speed.clock()
            self.facts.value.setText("paused")

    def go_on(self) -> None:
        """No longer paused."""
        if self._held_since is not None:
            self._speed.skip(self._held_since)
            self._held_since = None
            self.facts.value.setText("")
            self._timer.start()

    def end(self, text: str, note: str = "") -> None:
        """The job is over: what came of it, and a sentence about it."""
        self._repaint()
        self._timer.stop()
        if self.bar.maximum() == 0:
            self.bar.setRange(0, 1)
        self.facts.name.setText(text)
        self.facts.value.setText("")
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.cancel_button.hide()

    @property
    def pace(self) -> float | None:
        """Frames per second of the whole job so far; None while that says little."""
        done, _ = self._state
        seconds = self._speed.clock() - self._speed.started
        return done / seconds if done >= MIN_DONE and seconds > 0 else None

    def summary(self) -> str:
        """`60 frames in 8 s · 7.9 frames/s` for the job that is just over."""
        done, _ = self._state
        seconds = self._speed.clock() - self._speed.started
        speed = f" · {done / seconds:.1f} {self._unit}/s" if done and seconds > 0 else ""
        return f"{done} {self._unit} in {format_duration(seconds)}{speed}"

    def _repaint(self) -> None:
        done, total = self._state
        if total is None or not done:
            return
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        speed = self._speed.per_second
        pace = f" · {speed:.1f} {self._unit}/s" if speed else ""
        self.facts.name.setText(f"{done} / {total} {self._unit}{pace}")
        left = self._speed.seconds_left(done, total)
        self.facts.value.setText("" if left is None else f"{format_duration(left)} left")


class PropagationBar(JobBar):
    """The bar of propagations, with what the engine and the program hold in memory.

    `cells` and `turnover` are there for an engine whose memory has a budget.
    """

    def __init__(self, cancel: QAction, parent: QWidget | None = None) -> None:
        self.memory = FactRow("Memory frames")
        self.cells = FactRow("Memory cells")
        self.turnover = FactRow("Merged · removed")
        self.ram = FactRow("RAM")
        super().__init__("Propagation", cancel, parent)
        self.bar.setObjectName("progress")

    def _fill(self, layout: QVBoxLayout) -> None:
        for widget in (self._title, self.facts, self.bar, self.note, *self._held, self.cancel_button):
            layout.addWidget(widget)
        for row in self._held:
            row.hide()

    def end(self, text: str, note: str = "") -> None:
        """What was held meanwhile goes into the tooltip: the room is for the panels above."""
        super().end(text, note)
        rows = [row for row in self._held if not row.isHidden()]
        self.facts.setToolTip("\n".join(f"{row.name.text()}: {row.value.text()}" for row in rows))
        for row in rows:
            row.hide()

    @property
    def _held(self) -> tuple[FactRow, ...]:
        return self.memory, self.cells, self.turnover, self.ram

    def set_memory(self, report: MemoryReport) -> None:
        """What the engine's memory holds."""
        self.memory.show()
        self.memory.value.setText(f"{report.key_frames} key + {report.rolling_frames} rolling")
        self.memory.setToolTip(f"the engine's memory of these frames takes {format_bytes(report.nbytes)}")
        bank = report.bank
        self.cells.setVisible(bank is not None)
        self.turnover.setVisible(bank is not None)
        if bank is not None:
            self.cells.value.setText(f"{bank.cells:,} of {bank.budget:,}")
            self.cells.setToolTip("how full the memory is; --budget sets how many cells fit")
            self.turnover.value.setText(f"{bank.merged:,} · {bank.removed:,}")
            self.turnover.setToolTip(
                "in this pass: features merged into cells that were like them, and cells dropped because they were "
                "hardly ever looked at"
            )

    def set_ram(self, nbytes: int | None) -> None:
        """What the whole program holds; None where the system does not say."""
        self.ram.setVisible(nbytes is not None and self.is_running)
        self.ram.value.setText("" if nbytes is None else format_bytes(nbytes))
