from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QDir, QFile, QRect, QSize, Qt
from PyQt5.QtGui import QColor, QFont, QIcon, QImage, QPainter, QPalette
from PyQt5.QtWidgets import QApplication, QCheckBox, QComboBox, QPushButton, QSpinBox, QWidget
from pytestqt.logging import _QtMessageCapture as QtLog
from pytestqt.qtbot import QtBot

from gui import theme
from gui.colors import THEMES, ThemeName
from gui.icons import NAMES, icon, svg_document
from util.palette import object_color

ASKED_FOR = {
    "click", "scribble", "brush", "eraser", "polygon", "undo", "redo", "play", "pause", "previous", "next", "first",
    "last", "backward", "forward", "both", "cancel", "open-video", "open-folder", "export", "add", "delete", "fit",
    "actual-size", "contour", "eye",
}


@pytest.fixture
def themed(qapp: QApplication) -> Iterator[QApplication]:
    """The application in its theme, and as it was afterwards."""
    style, palette, font = qapp.style().objectName(), qapp.palette(), qapp.font()
    theme.apply_theme(qapp)
    yield qapp
    theme.apply_theme(qapp)
    qapp.setStyleSheet("")
    qapp.setStyle(style)
    qapp.setPalette(palette)
    qapp.setFont(font)
    QDir.setSearchPaths("theme", [])


def alpha(image: QImage) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    image = image.convertToFormat(QImage.Format_ARGB32)
    raw = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8)
    return raw.reshape(image.height(), image.width(), 4)[..., 3].copy()


def main_color(image: QImage) -> str:
    """The colour of the most opaque pixel."""
    y, x = np.unravel_index(alpha(image).argmax(), (image.height(), image.width()))
    return image.pixelColor(int(x), int(y)).name()


def test_every_icon_asked_for_is_there_and_unlike_the_others(qapp: QApplication) -> None:
    assert set(NAMES) >= ASKED_FOR
    shapes = {alpha(icon(name).pixmap(QSize(48, 48)).toImage()).tobytes() for name in NAMES}
    assert len(shapes) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_icons_fill_their_square_and_stay_inside(qapp: QApplication, name: str) -> None:
    for size in (16, 24, 64):
        coverage = alpha(icon(name).pixmap(QSize(size, size)).toImage())
        rows, columns = np.nonzero(coverage > 60)
        assert max(np.ptp(rows), np.ptp(columns)) >= size * 0.45
        assert coverage[0].max() < 60 and coverage[-1].max() < 60
        assert coverage[:, 0].max() < 60 and coverage[:, -1].max() < 60


def test_icons_are_drawn_anew_for_dense_screens(qapp: QApplication) -> None:
    """At twice the size there are edges that an enlarged small picture would not have."""
    small = icon("polygon").pixmap(QSize(20, 20)).toImage()
    large = icon("polygon").pixmap(QSize(40, 40)).toImage()
    assert (large.width(), large.height()) == (40, 40)
    enlarged = small.scaled(40, 40, Qt.IgnoreAspectRatio, Qt.SmoothTransformation)
    sharpness = [np.abs(np.diff(alpha(shot).astype(int), axis=1)).max() for shot in (large, enlarged)]
    assert sharpness[0] > sharpness[1]


def test_icon_states_have_their_colours(qapp: QApplication) -> None:
    undo = icon("undo")
    size = QSize(64, 64)
    assert main_color(undo.pixmap(size).toImage()) == theme.TEXT
    assert main_color(undo.pixmap(size, QIcon.Disabled).toImage()) == theme.TEXT_DISABLED
    assert main_color(undo.pixmap(size, QIcon.Normal, QIcon.On).toImage()) == theme.TEXT_STRONG
    assert main_color(icon("undo", theme.WARNING).pixmap(size).toImage()) == theme.WARNING


def test_icons_paint_into_any_rectangle(qapp: QApplication) -> None:
    shot = QImage(60, 30, QImage.Format_ARGB32)
    shot.fill(0)
    painter = QPainter(shot)
    icon("add").paint(painter, QRect(10, 0, 40, 30))
    painter.end()
    assert alpha(shot)[15, 30] == 255 and alpha(shot)[:, :14].max() == 0


def test_an_unknown_icon_is_named(qapp: QApplication) -> None:
    with pytest.raises(ValueError, match="no icon 'unod'.*undo"):
        icon("unod")


def test_icons_are_well_formed_svg() -> None:
    from xml.etree import ElementTree

    for name in NAMES:
        root = ElementTree.fromstring(svg_document(name, QColor(theme.TEXT)))
        assert root.attrib["viewBox"] == "0 0 24 24"


def test_the_style_sheet_is_understood(themed: QApplication, qtbot: QtBot, qtlog: QtLog) -> None:
    widget = QPushButton("Both")
    qtbot.addWidget(widget)
    widget.ensurePolished()
    assert not [record.message for record in qtlog.records if "stylesheet" in record.message.lower()]
    sheet = themed.styleSheet()
    assert sheet.count("{") == sheet.count("}") > 40
    for name in ("chevron-down.svg", "chevron-up.svg", "check.svg", "dot.svg"):
        assert f"url(theme:{name})" in sheet and QFile.exists(f"theme:{name}")


def test_every_picture_of_the_style_sheet_is_a_file(repository: Path) -> None:
    named = {part.split(")")[0] for part in theme.style_sheet(4).split("url(theme:")[1:]}
    assets = repository / "gui" / "assets"
    assert named == {path.name for path in assets.iterdir() if path.is_file()}
    assert {path.name for path in (assets / "light").iterdir()} < named


def test_states_look_different(themed: QApplication, qtbot: QtBot) -> None:
    """Checked, disabled and focused are told by more than nothing."""
    for make in (QPushButton, QCheckBox, QComboBox, QSpinBox):
        widget = make()
        qtbot.addWidget(widget)
        widget.resize(120, 30)
        enabled = widget.grab().toImage()
        widget.setEnabled(False)
        assert widget.grab().toImage() != enabled, make
    box = QCheckBox("on")
    qtbot.addWidget(box)
    off = box.grab().toImage()
    box.setChecked(True)
    assert box.grab().toImage() != off


def test_spacing_grows_with_the_font(themed: QApplication, qtbot: QtBot) -> None:
    def height_of_a_button() -> int:
        button = QPushButton("Forward")
        qtbot.addWidget(button)
        button.ensurePolished()
        return button.sizeHint().height()

    before = height_of_a_button()
    large = QFont(themed.font())
    large.setPointSizeF(large.pointSizeF() * 2)
    themed.setFont(large)
    theme.apply_theme(themed)
    assert height_of_a_button() >= 1.6 * before
    assert theme.unit(17) == 4 and theme.unit(34) == 8


def contrast(a: str, b: str) -> float:
    """WCAG 2 contrast ratio."""
    def luminance(name: str) -> float:
        values = np.array(QColor(name).getRgbF()[:3])
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", list(THEMES))
def test_text_can_be_read(name: ThemeName) -> None:
    theme = THEMES[name]
    for ground in (theme.WINDOW, theme.TIMELINE, theme.FIELD, theme.BUTTON, theme.ROW_SELECTED, theme.CANVAS):
        assert contrast(theme.TEXT, ground) >= 7
        assert contrast(theme.TEXT_MUTED, ground) >= 4.5
        assert contrast(theme.TEXT_STRONG, ground) >= 7
    assert contrast(theme.ON_ACCENT, theme.ACCENT) >= 4.5
    for color in (theme.WARNING, theme.POSITIVE):
        assert contrast(color, theme.WINDOW) >= 4.5
    assert contrast(theme.PLAYHEAD, theme.FIELD) >= 7
    for color in (theme.ACCENT_LIGHT, theme.PLAYHEAD):
        assert contrast(color, theme.LANE) >= 3


def test_colours_of_objects_are_bright_and_distinct() -> None:
    shown = [QColor(*object_color(object_id)) for object_id in range(1, 21)]
    assert len({color.name() for color in shown}) == 20
    for color in shown[:7]:
        assert contrast(color.name(), theme.TIMELINE) >= 2.0


def test_self_painted_widgets_find_their_colours_in_the_palette(themed: QApplication) -> None:
    palette = QWidget().palette()
    assert palette.color(QPalette.Window).name() == theme.WINDOW
    assert palette.color(QPalette.Highlight).name() == theme.ACCENT
    assert palette.color(QPalette.Disabled, QPalette.WindowText).name() == theme.TEXT_DISABLED


def test_the_look_changes_while_the_window_stands(themed: QApplication, qtbot: QtBot) -> None:
    button = QPushButton(icon("undo"), "Undo")
    qtbot.addWidget(button)
    button.resize(120, 40)
    dark, mark = button.grab().toImage(), main_color(icon("undo").pixmap(QSize(64, 64)).toImage())
    theme.apply_theme(themed, "light")
    assert QColor(theme.WINDOW).lightness() > 200 and themed.palette().color(QPalette.Window).name() == theme.WINDOW
    light = button.grab().toImage()
    assert light.pixelColor(8, 20).lightness() > dark.pixelColor(8, 20).lightness() + 100
    assert main_color(button.icon().pixmap(QSize(64, 64)).toImage()) == theme.TEXT != mark


def test_every_colour_named_anywhere_exists(repository: Path) -> None:
    """Colours are looked up when painting, where a wrong name would show too late."""
    named = set()
    for file in (repository / "gui").rglob("*.py"):
        named |= set(re.findall(r"theme\.([A-Z_]+)", file.read_text(encoding="utf-8")))
    assert named and named <= {field.name for field in fields(theme.Colors)}
    with pytest.raises(AttributeError):
        theme.NO_SUCH_COLOUR  # noqa: B018 - the look-up is what is tested
