"""The look of the window: colours for every widget that paints itself, Qt palette and style sheet for the rest.

No size is written in pixels for one kind of screen: lengths of the style sheet are made from the application font's
height, so a desktop with larger letters gets larger buttons. GUI thread only.
"""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from PyQt5.QtCore import QDir
from PyQt5.QtGui import QColor, QFontMetricsF, QPalette
from PyQt5.QtWidgets import QApplication, QStyleFactory

from gui.colors import THEMES, Colors, ThemeName

_colors: Colors = THEMES["dark"]


def __getattr__(name: str) -> str:
    """The colours in use are attributes of this module: `theme.TEXT`. Read them when painting, never at import."""
    if name.isupper():
        color: str = getattr(_colors, name)
        return color
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def unit(font_height: float) -> int:
    """The step that all spacing is a multiple of, in widget pixels: 4 for a usual desktop font."""
    return max(3, round(font_height / 4.25))


def apply_theme(app: QApplication, name: ThemeName = "dark") -> None:
    """Give the application the Fusion style with this palette and style sheet; widgets that exist are drawn anew."""
    global _colors
    _colors = THEMES[name]
    fusion = QStyleFactory.create("Fusion")
    if fusion is None:
        raise RuntimeError("Qt has no Fusion style")
    app.setStyle(fusion)
    app.setPalette(make_palette())
    # A style sheet can name pictures only by file.
    assets = Path(__file__).with_name("assets")
    QDir.setSearchPaths("theme", [str(assets / name), str(assets)])
    app.setStyleSheet(style_sheet(unit(QFontMetricsF(app.font()).height())))
    for widget in app.allWidgets():
        widget.update()


def make_palette() -> QPalette:
    """The colours that Fusion and self-painting widgets take from the palette, with their disabled versions."""
    palette, now = QPalette(), _colors
    roles = {
        QPalette.Window: now.WINDOW, QPalette.WindowText: now.TEXT, QPalette.Base: now.FIELD,
        QPalette.AlternateBase: now.LANE, QPalette.Text: now.TEXT, QPalette.Button: now.BUTTON,
        QPalette.ButtonText: now.TEXT, QPalette.BrightText: now.TEXT_STRONG,
        QPalette.Highlight: now.ACCENT, QPalette.HighlightedText: now.ON_ACCENT, QPalette.ToolTipBase: now.BUTTON,
        QPalette.ToolTipText: now.TEXT, QPalette.PlaceholderText: now.TEXT_MUTED, QPalette.Link: now.ACCENT_LIGHT,
        QPalette.LinkVisited: now.ACCENT_LIGHT, QPalette.Light: now.BUTTON_HOVER, QPalette.Midlight: now.BUTTON,
        QPalette.Mid: now.BORDER, QPalette.Dark: now.FIELD, QPalette.Shadow: now.CANVAS,
    }
    for role, color in roles.items():
        palette.setColor(role, QColor(color))
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText, QPalette.HighlightedText):
        palette.setColor(QPalette.Disabled, role, QColor(now.TEXT_DISABLED))
    palette.setColor(QPalette.Disabled, QPalette.Highlight, QColor(now.TRACK))
    return palette


def style_sheet(step: int) -> str:
    """The application's style sheet with lengths in multiples of `step` widget pixels."""
    return _TEMPLATE.format(
        s1=step, s2=2 * step, s3=3 * step, s4=4 * step, half=max(1, step // 2), radius=round(1.25 * step),
        handle=3 * step, groove=max(3, round(0.9 * step)), overhang=-round(1.1 * step), bar=round(2.5 * step),
        line=round(4.5 * step), box=3 * step, round=(3 * step + 2) // 2, s5=round(6.5 * step),
        **asdict(_colors),
    )


_TEMPLATE = """
QToolTip {{ background: {BUTTON}; color: {TEXT}; border: 1px solid {BORDER}; padding: {s1}px {s2}px; }}
QMainWindow, QDialog {{ background: {WINDOW}; }}
QMainWindow::separator {{ background: {CANVAS}; width: 1px; height: 1px; }}
QMainWindow::separator:hover {{ background: {ACCENT}; }}

QMenuBar {{ background: {WINDOW}; padding: {half}px {s1}px; }}
QMenuBar::item {{ padding: {s1}px {s2}px; border-radius: {radius}px; background: transparent; }}
QMenuBar::item:selected {{ background: {BUTTON_HOVER}; }}
QMenu {{ background: {BUTTON}; border: 1px solid {BORDER}; padding: {s1}px; }}
QMenu::item {{ padding: {s1}px {s4}px {s1}px {s5}px; border-radius: {radius}px; }}
QMenu::item:selected {{ background: {ACCENT}; color: {ON_ACCENT}; }}
QMenu::item:disabled {{ color: {TEXT_DISABLED}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {BORDER}; margin: {s1}px {s2}px; }}
QMenu::icon {{ left: {s1}px; padding: {half}px; border-radius: {half}px; }}
QMenu::icon:checked {{ background: {ACCENT}; }}

QToolBar {{ background: {WINDOW}; border: none; padding: {s1}px {s2}px; spacing: {s2}px; }}
QToolBar::separator {{ background: {BORDER}; width: 1px; height: 1px; margin: {s1}px; }}
QPushButton, QToolButton {{
    background: {BUTTON}; color: {TEXT}; border: 1px solid {BORDER}; border-radius: {radius}px;
    padding: {s1}px {s2}px;
}}
QPushButton {{ padding: {s1}px {s3}px; }}
QPushButton:hover, QToolButton:hover {{ background: {BUTTON_HOVER}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {BUTTON_PRESSED}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {ACCENT_LIGHT}; }}
QPushButton:checked, QToolButton:checked, QPushButton:default, QPushButton[primary="true"],
QToolButton[primary="true"] {{
    background: {ACCENT}; border-color: {ACCENT}; color: {ON_ACCENT};
}}
QPushButton:checked:hover, QToolButton:checked:hover, QPushButton:default:hover, QPushButton[primary="true"]:hover,
QToolButton[primary="true"]:hover {{ background: {ACCENT_HOVER}; }}
QPushButton:default:pressed, QPushButton[primary="true"]:pressed, QToolButton[primary="true"]:pressed {{
    background: {ACCENT_PRESSED};
}}
QPushButton:checked:focus, QToolButton:checked:focus, QPushButton:default:focus {{ border-color: {TEXT}; }}
QPushButton:disabled, QToolButton:disabled, QPushButton[primary="true"]:disabled,
QToolButton[primary="true"]:disabled {{
    background: {WINDOW}; border-color: {BUTTON}; color: {TEXT_DISABLED};
}}
QToolButton[flat="true"] {{ background: transparent; border-color: transparent; }}
QToolButton[flat="true"]:hover {{ background: {BUTTON_HOVER}; }}
QToolButton[flat="true"]:checked {{ background: {ACCENT}; }}
QToolButton[flat="true"]:focus {{ border-color: {ACCENT_LIGHT}; }}
QToolButton::menu-indicator {{ image: none; }}

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit {{
    background: {FIELD}; color: {TEXT}; border: 1px solid {BORDER}; border-radius: {radius}px;
    padding: {half}px {s1}px; selection-background-color: {ACCENT}; selection-color: {ON_ACCENT};
}}
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover {{ border-color: {TEXT_DISABLED}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus, QTextEdit:focus {{
    border-color: {ACCENT_LIGHT};
}}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{
    color: {TEXT_DISABLED}; background: {WINDOW}; border-color: {BUTTON};
}}
QComboBox {{ background: {BUTTON}; padding: {half}px {s2}px; min-height: {line}px; }}
QComboBox:hover {{ background: {BUTTON_HOVER}; }}
QComboBox::drop-down {{ border: none; width: {s4}px; padding-right: {s1}px; }}
QComboBox::down-arrow, QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{
    image: url(theme:chevron-down.svg); width: {s3}px; height: {s3}px;
}}
QComboBox::down-arrow:disabled, QSpinBox::down-arrow:disabled, QSpinBox::down-arrow:off {{
    image: url(theme:chevron-down-disabled.svg);
}}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url(theme:chevron-up.svg); width: {s3}px; height: {s3}px; }}
QSpinBox::up-arrow:disabled, QSpinBox::up-arrow:off {{ image: url(theme:chevron-up-disabled.svg); }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{
    background: transparent; border: none; width: {s4}px;
}}
QSpinBox::up-button:hover, QSpinBox::down-button:hover, QDoubleSpinBox::up-button:hover,
QDoubleSpinBox::down-button:hover {{ background: {BUTTON_HOVER}; border-radius: {half}px; }}
QComboBox QAbstractItemView {{ background: {BUTTON}; border: 1px solid {BORDER}; }}

QListView, QTreeView, QTableView {{
    background: transparent; border: 1px solid transparent; border-radius: {radius}px; outline: none;
    show-decoration-selected: 0;
}}
QListView:focus, QTreeView:focus, QTableView:focus {{ border-color: {BORDER}; }}
QListView::item, QTreeView::item {{ padding: {s1}px; border-radius: {radius}px; }}
QListView::item:hover, QTreeView::item:hover {{ background: {LANE}; }}
QListView::item:selected, QTreeView::item:selected {{ background: {ROW_SELECTED}; color: {TEXT_STRONG}; }}
QHeaderView::section {{ background: {WINDOW}; color: {TEXT_MUTED}; border: none; padding: {s1}px; }}

QCheckBox, QRadioButton {{ spacing: {s2}px; }}
QCheckBox::indicator, QRadioButton::indicator, QMenu::indicator {{
    width: {box}px; height: {box}px; background: {FIELD}; border: 1px solid {TEXT_DISABLED}; border-radius: {half}px;
}}
QRadioButton::indicator {{ border-radius: {round}px; }}
QMenu::indicator {{ left: {s1}px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ border-color: {TEXT_MUTED}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {ACCENT_LIGHT}; }}
QCheckBox::indicator:checked, QRadioButton::indicator:checked, QMenu::indicator:checked {{
    background: {ACCENT}; border-color: {ACCENT};
}}
QCheckBox::indicator:checked, QMenu::indicator:checked {{ image: url(theme:check.svg); }}
QRadioButton::indicator:checked {{ image: url(theme:dot.svg); }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ background: {WINDOW}; border-color: {BORDER}; }}
QCheckBox::indicator:checked:disabled, QRadioButton::indicator:checked:disabled {{ background: {TRACK}; }}
QCheckBox:disabled, QRadioButton:disabled, QLabel:disabled {{ color: {TEXT_DISABLED}; }}
QGroupBox {{ border: none; margin-top: {s4}px; padding-top: {s2}px; }}
QGroupBox::title {{ subcontrol-origin: margin; color: {TEXT_MUTED}; }}
QLabel[muted="true"] {{ color: {TEXT_MUTED}; }}
QLabel[doubt="true"] {{ color: {WARNING}; }}
#advice_card {{ background: {BUTTON}; border: 1px solid {BORDER}; border-radius: {radius}px; }}
#sheet_list {{ background: {CANVAS}; }}
QLabel[heading="true"] {{ color: {TEXT_MUTED}; font-weight: 600; }}

QProgressBar {{ background: {TRACK}; border: none; border-radius: {half}px; color: {TEXT}; text-align: center; }}
QProgressBar[textVisible="false"] {{ min-height: {s1}px; max-height: {s1}px; }}
QProgressBar::chunk {{ background: {ACCENT_LIGHT}; border-radius: {half}px; }}
QSlider {{ min-height: {s4}px; }}
QSlider::groove:horizontal {{ height: {groove}px; background: {TRACK}; border-radius: {half}px; }}
QSlider::sub-page:horizontal {{ background: {ACCENT_LIGHT}; border-radius: {half}px; }}
QSlider::sub-page:horizontal:disabled {{ background: {TEXT_DISABLED}; }}
QSlider::handle:horizontal {{
    width: {handle}px; margin: {overhang}px 0; border-radius: {half}px; background: {TEXT}; border: 1px solid {WINDOW};
}}
QSlider::handle:horizontal:hover {{ background: {TEXT_STRONG}; }}
QSlider::handle:horizontal:focus {{ border-color: {ACCENT_LIGHT}; }}
QSlider::handle:horizontal:disabled {{ background: {TEXT_DISABLED}; }}

QScrollBar {{ background: transparent; border: none; margin: 0; }}
QScrollBar:vertical {{ width: {bar}px; }}
QScrollBar:horizontal {{ height: {bar}px; }}
QScrollBar::handle {{ background: {BORDER}; border-radius: {half}px; margin: {half}px; }}
QScrollBar::handle:vertical {{ min-height: {s4}px; }}
QScrollBar::handle:horizontal {{ min-width: {s4}px; }}
QScrollBar::handle:hover {{ background: {TEXT_DISABLED}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}

QStatusBar {{ background: {WINDOW}; color: {TEXT}; }}
QStatusBar::item {{ border: none; }}
QDockWidget {{ color: {TEXT_MUTED}; }}
QDockWidget::title {{ background: {WINDOW}; padding: {s1}px {s2}px; }}
QSplitter::handle {{ background: {CANVAS}; }}
QSplitter::handle:hover {{ background: {ACCENT}; }}
QTabWidget::pane {{ border: none; background: {WINDOW}; }}
QTabBar {{ background: {WINDOW}; }}
QTabBar::tab {{ padding: {s1}px {s3}px; color: {TEXT_MUTED}; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {TEXT_STRONG}; border-bottom-color: {ACCENT_LIGHT}; }}
#jobs {{ border-top: 1px solid {BORDER}; }}
QScrollArea {{ border: none; background: transparent; }}
"""
