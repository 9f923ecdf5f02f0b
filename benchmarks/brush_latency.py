"""How long a step of a brush stroke takes in the window, from the move of the pointer to the paint on the screen.

    tools/with_xvfb.sh .venv/bin/python -m benchmarks.brush_latency [--moves 200] [--width 60]

A stroke over the example video (720x480), in the real window. Prints median, 95th percentile and
worst. Exit code 1 if the median is more than a frame of a display of 60 Hz.
"""
from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time

import numpy as np
from PyQt5.QtCore import QEvent, QObject, QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from benchmarks.click_latency import EXAMPLE
from benchmarks.window_stage import WindowStage, measured_application
from util.errors import AppError

DISPLAY_FRAME = 1000 / 60
"""Milliseconds."""


class _Paints(QObject):
    """Counts the paint events of a widget."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Paint
        return False


def stroke(app: QApplication, moves: int, width: int) -> list[float]:
    """Milliseconds of every move of a stroke in circles around the middle of the frame. AppError: no video."""
    with tempfile.TemporaryDirectory() as folder:
        stage = WindowStage(app, ["--video", str(EXAMPLE[0]), "--workspace", f"{folder}/workspace"])
        stage.act("object.add")
        stage.act("tool.brush")
        stage.session.brush_size = float(width)
        stage.rest()
        canvas, paints = stage.window.canvas, _Paints()
        canvas.installEventFilter(paints)
        middle = canvas.rect().center()
        taken = []
        QTest.mousePress(canvas, Qt.LeftButton, Qt.NoModifier, middle + QPoint(120, 0))
        for number in range(1, moves + 1):
            angle = number / 8
            place = middle + QPoint(round(120 * math.cos(angle)), round(120 * math.sin(angle)))
            before, start = paints.count, time.perf_counter()
            QTest.mouseMove(canvas, place)
            stage.wait(lambda before=before: paints.count > before)
            taken.append(1000 * (time.perf_counter() - start))
        QTest.mouseRelease(canvas, Qt.LeftButton, Qt.NoModifier, place)
        stage.rest()
        if not stage.session.mask.any():
            raise AppError("The stroke left nothing: there is nothing to measure.")
        stage.close()
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how long a step of a brush stroke takes in the window.")
    parser.add_argument("--moves", type=int, default=200, metavar="N", help="of the pointer (200)")
    parser.add_argument("--width", type=int, default=60, metavar="PIXELS", help="of the brush (60)")
    given = parser.parse_args()
    app = measured_application()
    try:
        taken = stroke(app, given.moves, given.width)
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    median, high, worst = np.percentile(taken, [50, 95, 100])
    verdict = "ok" if median <= DISPLAY_FRAME else "MISSED"
    print(
        f"{given.moves} moves, move to paint: median {median:.1f}  95 % {high:.1f}  worst {worst:.1f} ms"
        f"   target {DISPLAY_FRAME:.1f}  {verdict}"
    )
    return 0 if median <= DISPLAY_FRAME else 1


if __name__ == "__main__":
    sys.exit(main())
