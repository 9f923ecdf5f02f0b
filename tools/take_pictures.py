"""Takes the pictures of docs/pictures: every state of the window, as it is drawn on a virtual X server.

    tools/with_xvfb.sh .venv/bin/python tools/take_pictures.py [--only NAME ...] [--output DIR]

The masks are those of the example, carried by the embedded network from its first frame (once; they are kept in
demo-output/pictures). Pictures are written with 256 colours, which keeps them small.
"""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLE = REPOSITORY / "examples" / "example.mp4"
FIRST_MASK = REPOSITORY / "examples" / "masks" / "00000.png"
PATIENCE = 300.0
"""Seconds to wait for the window to come to rest."""

WIDTHS = (1440, 1200, 1000, 800)
MAX_BYTES = 290_000

sys.path.insert(0, str(REPOSITORY))

import cv2  # noqa: E402 - the repository has to be on the path first
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from PyQt5.QtCore import QEvent, QSettings  # noqa: E402
from PyQt5.QtGui import QImage, QKeySequence  # noqa: E402
from PyQt5.QtWidgets import QApplication, QDialog, QWidget  # noqa: E402

from benchmarks.window_stage import WindowStage  # noqa: E402
from gui import theme  # noqa: E402
from gui.cheat_sheet import CheatSheet  # noqa: E402
from gui.export_dialog import ExportDialog  # noqa: E402
from gui.preferences import Preferences  # noqa: E402
from interactive_gui import make_application  # noqa: E402

State = Callable[["Stage"], QWidget]
"""Brings the window into a state and returns what is to be pictured."""


class Stage(WindowStage):
    """The window with the example open. `original`: what `workspace` is a copy of."""

    def __init__(self, app: QApplication, workspace: Path, original: Path) -> None:
        self.original = original
        flags = ["--video", str(EXAMPLE), "--workspace", str(workspace)]
        super().__init__(app, flags, patience=PATIENCE)

    def rest(self) -> None:
        """And until everything is drawn."""
        super().rest()
        settled = time.monotonic() + 0.3
        self.wait(lambda: time.monotonic() > settled)

    def close(self) -> None:
        for widget in self.app.topLevelWidgets():
            if widget is not self.window and widget.isVisible():
                widget.close()
        super().close()
        self.window.deleteLater()
        self.app.sendPostedEvents(None, QEvent.DeferredDelete)


def show_mode(mode: str) -> State:
    def state(stage: Stage) -> QWidget:
        stage.seek(40)
        stage.act(f"view.mode_{mode}")
        return stage.window

    return state


def show_minimap(stage: Stage) -> QWidget:
    stage.seek(40)
    stage.window.canvas.zoom_by(3)
    return stage.window


def show_view_menu(stage: Stage) -> QWidget:
    menu = stage.window.top_bar.view.menu()
    stage.act("view.brighter", "view.brighter", "view.more_contrast")
    menu.popup(stage.window.mapToGlobal(stage.window.rect().center()))
    stage.rest()
    return menu


def show_before(stage: Stage) -> QWidget:
    """What the key shows after a stroke that went wrong."""
    stage.seek(40)
    session = stage.window.controller.edit.session
    mask = session.masks.get(40).copy()
    mask[150:260, 100:330] = session.objects.order[0]
    session.masks.set(40, mask)
    stage.act("view.before")
    return stage.window


def show_start(stage: Stage) -> QWidget:
    stage.window.controller.closing.let_go(lambda: None, lambda: None)
    stage.wait(lambda: stage.window.controller.video is None)
    stage.window.controller.show_hint()
    stage.rest()
    return stage.window


def show_first_steps(stage: Stage) -> QWidget:
    stage.act("help.tips")
    return stage.window


def show_light(stage: Stage) -> QWidget:
    stage.seek(40)
    stage.window.controller.help.set_theme("light")
    stage.rest()
    return stage.window


def show_dialog(*action_ids: str) -> State:
    """The dialog that actions open."""

    def state(stage: Stage) -> QWidget:
        stage.seek(40)
        stage.act(*action_ids)
        dialogs = [part for part in stage.app.topLevelWidgets() if isinstance(part, QDialog) and part.isVisible()]
        if len(dialogs) != 1:
            raise SystemExit(f"{action_ids}: {len(dialogs)} dialogs are open")
        return dialogs[0]

    return state


def show_keys(stage: Stage) -> QWidget:
    """A key that is taken, refused."""
    page = show_dialog("edit.preferences")(stage)
    assert isinstance(page, Preferences)
    page.tabs.setCurrentIndex(1)
    page.keys.tree.select("object.add")
    page.keys.editor.setKeySequence(QKeySequence("Ctrl+Z"))
    page.keys.set_button.click()
    stage.rest()
    return page


def show_light_preferences(stage: Stage) -> QWidget:
    stage.window.controller.help.set_theme("light")
    return show_dialog("edit.preferences")(stage)


def show_search(stage: Stage) -> QWidget:
    page = show_dialog("help.keys")(stage)
    assert isinstance(page, CheatSheet)
    page.search.setText("frame")
    stage.rest()
    return page


def carry_doubtfully(stage: Stage) -> None:
    """A propagation between two marks from half a mask, of which the engine is not sure; marks of all kinds beside."""
    stage.seek(20)
    session = stage.session
    stage.act("range.first")
    mask = session.masks.get(20).copy()
    object_id = session.objects.order[0]
    rows = np.flatnonzero((mask == object_id).any(axis=1))
    mask[rows[len(rows) // 2] :][mask[rows[len(rows) // 2] :] == object_id] = 0
    session.import_masks({20: mask})
    session.select_object(object_id)
    stage.seek(27)
    stage.act("range.last")
    stage.seek(20)
    stage.act("propagate.forward")
    session.set_marks("verified", session.objects.order[1:3], range(20), on=True)
    stage.rest()
    session.set_marks("locked", session.objects.order[1:2], range(50, 70), on=True)
    stage.rest()


def show_sheet(stage: Stage) -> QWidget:
    carry_doubtfully(stage)
    return show_dialog("review.sheet")(stage)


def show_timeline(stage: Stage) -> QWidget:
    carry_doubtfully(stage)
    stage.act("range.clear")
    stage.seek(30)
    return stage.window.bottom


def show_exr(stage: Stage) -> QWidget:
    page = show_dialog("file.export_masks")(stage)
    assert isinstance(page, ExportDialog)
    page.choose("rgba-exr")
    stage.rest()
    return page


def show_merge(stage: Stage) -> QWidget:
    """Part of another project, around what is verified here."""
    stage.seek(20)
    stage.session.set_marks("verified", stage.session.objects.order[:1], range(10, 22), on=True)
    stage.session.in_out.set_first(16)
    merges = stage.window.controller.merges
    merges.look_at(stage.original)
    stage.wait(lambda: merges.dialog is not None)
    stage.rest()
    assert merges.dialog is not None
    return merges.dialog


STATES: dict[str, State] = {
    "contact-sheet": show_sheet,
    "timeline-marks": show_timeline,
    "export-exr": show_exr,
    "merge": show_merge,
    "start": show_start,
    "first-steps": show_first_steps,
    "version-before": show_before,
    "light": show_light,
    "preferences": show_dialog("edit.preferences"),
    "preferences-light": show_light_preferences,
    "preferences-keys": show_keys,
    "keys": show_dialog("help.keys"),
    "keys-search": show_search,
    "self-check": show_dialog("help.self_check"),
    "weights": show_dialog("weights.show"),
    "settings-propagation": show_dialog("propagate.settings"),
    "go-to-frame": show_dialog("frame.go_to"),
    "export": show_dialog("file.export_masks"),
    "done-check": show_dialog("review.check"),
    "window": show_mode("overlay"),
    "view-contour": show_mode("contour"),
    "view-mask": show_mode("mask"),
    "view-cutout": show_mode("cutout"),
    "view-side": show_mode("side"),
    "minimap": show_minimap,
    "view-menu": show_view_menu,
}


def make_workspace(folder: Path) -> Path:
    """The example's masks, carried from its first frame; made once."""
    workspace = folder / "workspace"
    if not (workspace / "project.json").exists():
        subprocess.run(
            [sys.executable, "propagate.py", "--video", str(EXAMPLE), "--masks", str(FIRST_MASK),
             "--output", str(folder / "masks"), "--workspace", str(workspace)],
            cwd=REPOSITORY, check=True,
        )  # fmt: skip
    return workspace


def save(widget: QWidget, path: Path) -> None:
    """256 colours, chosen for this picture, as wide as its file may be large."""
    image = widget.grab().toImage().convertToFormat(QImage.Format_RGB888)
    rows = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), -1)
    pixels = rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3)
    for width in WIDTHS:
        shown = pixels
        if pixels.shape[1] > width:
            size = (width, round(pixels.shape[0] * width / pixels.shape[1]))
            shown = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        picture = Image.fromarray(shown)
        # Median cut would give the few pixels of letters and icons to the photograph.
        palette = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE)
        picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            break
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def main() -> int:
    parser = argparse.ArgumentParser(description="Take the pictures of docs/pictures.")
    parser.add_argument("--only", nargs="+", choices=tuple(STATES), default=tuple(STATES), metavar="NAME")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "pictures", metavar="DIR")
    parser.add_argument("--workspace", type=Path, default=None, metavar="DIR", help="masks of the example, ready made")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    workspace = arguments.workspace or make_workspace(REPOSITORY / "demo-output" / "pictures")
    with tempfile.TemporaryDirectory() as folder:
        # The user's own settings stay out of the pictures, and the pictures out of them.
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = folder
        app = make_application()
        theme.apply_theme(app)
        for name in arguments.only:
            settings = QSettings("video-masks", "window")
            settings.clear()
            settings.setValue("tips_seen", "true")
            settings.sync()
            theme.apply_theme(app)
            # A state may change masks; the next one is to find them as they were.
            copy = Path(folder) / name
            shutil.copytree(workspace, copy, ignore=shutil.ignore_patterns("*.lock", "journal*"))
            stage = Stage(app, copy, workspace)
            save(STATES[name](stage), arguments.output / f"{name}.png")
            stage.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
