"""The window: `python interactive_gui.py [--video FILE | --images DIR] [flags]`.

Exit codes: 0 closed by the user; 2 wrong input, or Qt cannot start here, with one message on stderr.

Qt is imported only after the environment was put right for it, torch only by the worker thread once the window stands.
"""
from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

import av
import cv2

from inference_core import registry
from interact.self_check import Surroundings, as_text, describe_device, self_check
from storage.frame_source import IMAGE_SUFFIXES, is_video_path, open_source
from util.config import WINDOW, AppConfig, parse_config
from util.errors import AppError
from util.log_file import log_path, start_log, stop_log
from util.threads import calm_openmp
from util.user_folders import user_data_folder

if TYPE_CHECKING:
    from PyQt5.QtCore import QSocketNotifier
    from PyQt5.QtWidgets import QApplication

    from gui.main_window import MainWindow

EXIT_INPUT = 2

# opencv-python (unlike the headless build) sets these when it is imported; PyQt5 then loads a plugin that was built for
# another Qt, and aborts.
_CV2_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
_NEEDS_X11 = ("", "xcb")

CLOSING_SIGNALS = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger("interactive_gui")


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    config = parse_config(WINDOW, sys.argv[1:] if argv is None else argv, registry.available())
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    calm_openmp(os.environ)
    if config.self_check:
        return print_self_check(config)
    try:
        check_paths(config)
        clean_qt_environment(os.environ, Path(cv2.__file__).parent)
        check_platform(os.environ)
    except AppError as error:
        print(f"interactive_gui.py: {error}", file=sys.stderr)
        return EXIT_INPUT
    return run(config)


def run(config: AppConfig) -> int:
    """Show the window until it is closed."""
    from PyQt5 import sip

    from gui.main_window import MainWindow
    from gui.settings import Settings
    from gui.theme import apply_theme

    app = make_application()
    apply_theme(app, Settings().theme)
    log_file = open_log()
    window = MainWindow(config)
    install_excepthooks(window)
    watch = close_on_signals(window)
    window.show()
    code = app.exec_()
    watch.stop()
    sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
    has_failed = window.controller.has_failed_start
    # Qt wants the widgets gone before the application, an order that Python's clean-up does not promise.
    sip.delete(window)
    if log_file is not None:
        stop_log(log_file)
    return code or (EXIT_INPUT if has_failed else 0)


def open_log() -> RotatingFileHandler | None:
    """The log file; None where it cannot be written, which the terminal is told: the window works without it."""
    try:
        return start_log(user_data_folder())
    except AppError as error:
        log.warning("%s", error)
        return None


def print_self_check(config: AppConfig) -> int:
    """Print every point of the self-check as it is found; returns the exit code."""
    try:
        clean_qt_environment(os.environ, Path(cv2.__file__).parent)
        check_platform(os.environ)
        qt, has_qt = qt_version(), True
    except AppError as error:
        qt, has_qt = str(error), False
    data = user_data_folder()
    folders = [("User data", data), *([] if config.workspace is None else [("Workspace", config.workspace)])]

    def device() -> str:
        return describe_device(config.device, mixed_precision=not config.no_amp)

    has_fault = False
    for finding in self_check(Surroundings(qt, has_qt, device, folders, log_path(data))):
        print(as_text([finding]), flush=True)
        has_fault = has_fault or finding.state == "fault"
    return EXIT_INPUT if has_fault else 0


def qt_version() -> str:
    """Qt's version and platform, by starting it."""
    from PyQt5.QtCore import QT_VERSION_STR

    app = make_application()
    return f"{QT_VERSION_STR} on {app.platformName()}"


def check_paths(config: AppConfig) -> None:
    """What can be told at once about the files that the flags name. AppError for what cannot work.

    A video is not read to its end here, for the window is not to wait for that: what is wrong further inside is a
    dialog.
    """
    source = config.source
    if source is not None and not _seems_readable(source):
        open_source(source).close()  # says what is wrong
    if config.masks is not None and not config.masks.exists():
        raise AppError(f"{config.masks}: no such file or folder.", "Give a folder of PNG masks, or one mask file.")
    for path in (config.weights, config.fusion_model, config.s2m_model, config.fbrs_model):
        if path is not None and not path.is_file():
            raise AppError(f"{path}: there is no such file of weights.", "Check the spelling.")
    if config.workspace is not None and config.workspace.is_file():
        raise AppError(f"{config.workspace} is a file.", "--workspace needs a folder; it is made if it is missing.")


def _seems_readable(source: Path) -> bool:
    if source.is_dir():
        return any(file.suffix.lower() in IMAGE_SUFFIXES for file in source.iterdir())
    if not source.is_file() or not is_video_path(source):
        return False
    try:
        with av.open(str(source)) as container:
            return bool(container.streams.video)
    except (OSError, av.error.FFmpegError):
        return False


def clean_qt_environment(environment: os._Environ[str] | dict[str, str], cv2_folder: Path) -> None:
    """Remove plugin paths that lead into OpenCV's own copy of Qt; all others are the user's business."""
    for name in _CV2_VARIABLES:
        value = environment.get(name)
        if value is not None and Path(value).resolve().is_relative_to(cv2_folder.resolve()):
            del environment[name]


def check_platform(environment: os._Environ[str] | dict[str, str]) -> None:
    """AppError where Qt would abort the process: no display, or libraries missing that its X11 plugin needs.

    Only X11 on Linux can be told beforehand; other platforms have what they need in PyQt5's wheel.
    """
    platform = environment.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if not sys.platform.startswith("linux") or platform not in _NEEDS_X11:
        return
    display = environment.get("DISPLAY", "")
    if not display:
        if environment.get("WAYLAND_DISPLAY") and not platform:
            return
        raise AppError(
            "There is no display (DISPLAY is not set).",
            "Start it on a desktop or with `ssh -X`, or use propagate.py, which needs none.",
        )
    check_x11(display)


def check_x11(display: str) -> None:
    """AppError when Qt's X11 plugin cannot be loaded or the X server does not answer."""
    spec = importlib.util.find_spec("PyQt5")
    assert spec is not None and spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    plugins = [package / name / "plugins" / "platforms" / "libqxcb.so" for name in ("Qt5", "Qt")]
    remedy = "Run `bash tools/system_packages.sh check`: it prints the line that installs what is missing."
    try:
        # A distribution's own PyQt5 keeps its plugins elsewhere and brings the libraries along.
        for plugin in plugins:
            if plugin.exists():
                ctypes.CDLL(str(plugin))
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise AppError(f"Qt cannot start: {error}.", remedy) from error
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    has_error = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if has_error:
        raise AppError(
            f"The display {display} cannot be reached.",
            "Check DISPLAY and the X server's permissions, or use propagate.py, which needs no display.",
        )


def make_application() -> QApplication:
    """The QApplication, sharp on screens of any pixel density."""
    from PyQt5.QtCore import QCoreApplication, Qt
    from PyQt5.QtWidgets import QApplication

    QCoreApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QCoreApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    QCoreApplication.setApplicationName("video-masks")
    return QApplication(sys.argv[:1])


def install_excepthooks(window: MainWindow) -> None:
    """A defect is logged and shown, and the program goes on: PyQt5 would abort it, with everything unsaved."""

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        log.critical("a defect", exc_info=(kind, error, trace))
        window.dialogs.show_defect(error)

    def report_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            log.critical("a defect in %s", arguments.thread, exc_info=arguments.exc_value)

    sys.excepthook = report
    threading.excepthook = report_thread


@dataclass(frozen=True)
class SignalWatch:
    """What has to be kept for signals to be noticed."""

    notifier: QSocketNotifier
    reader: socket.socket
    writer: socket.socket

    def stop(self) -> None:
        """Give signals their usual meaning back."""
        self.notifier.setEnabled(False)
        for number in CLOSING_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        self.reader.close()
        self.writer.close()


def close_on_signals(window: MainWindow) -> SignalWatch:
    """Ctrl-C in the terminal and SIGTERM close the window as its own button does: saved, jobs ended.

    Python handles a signal only when it next runs Python code, which in a quiet window may be never; the wake-up
    descriptor makes Qt's loop call some.
    """
    from PyQt5.QtCore import QSocketNotifier, QTimer

    def close(number: int, frame: FrameType | None) -> None:
        # From within Qt's loop: before it runs, closing the last window would not end the program.
        QTimer.singleShot(0, window.close)

    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Read)
    notifier.activated.connect(lambda: reader.recv(64))
    for number in CLOSING_SIGNALS:
        signal.signal(number, close)
    return SignalWatch(notifier, reader, writer)


if __name__ == "__main__":
    sys.exit(main())
