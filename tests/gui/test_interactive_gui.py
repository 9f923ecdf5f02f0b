"""Starting the program: flags, displays, libraries, signals, defects, and torch kept out until the window stands."""
from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import interactive_gui
from util.config import WINDOW, parse_config
from util.errors import AppError

# Starts the real program with something done to it as soon as its window is shown, then as told on the command line.
DRIVER = """
import os, signal, sys
import interactive_gui
from gui import main_window

class Window(main_window.MainWindow):
    def showEvent(self, event):
        super().showEvent(event)
        from PyQt5.QtCore import QTimer
        print("torch" in sys.modules, flush=True)
        QTimer.singleShot(0, self.go)

    def go(self):
        {go}

main_window.MainWindow = Window
sys.exit(interactive_gui.main(sys.argv[1:]))
"""


def run_program(
    repository: Path, go: str, *flags: object, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The real program in a process of its own, with `go` as the body of a method that runs after the start."""
    return subprocess.run(
        [sys.executable, "-c", DRIVER.format(go=go), *map(str, flags)],
        cwd=repository, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )


def test_the_window_is_on_the_screen_before_torch_is_imported(repository: Path, synthetic_folder: Path) -> None:
    go = """
        from PyQt5.QtCore import QTimer
        def look():
            if self.top_bar.engine.text().startswith("Engine: static"):
                print("torch" in sys.modules, flush=True)
                self.close()
            else:
                QTimer.singleShot(20, look)
        look()
"""
    done = run_program(repository, go.strip(), "--images", synthetic_folder, "--engine", "static")
    assert (done.returncode, done.stdout.split()) == (0, ["False", "True"]), done.stderr
    assert (synthetic_folder.with_name("synthetic.masks") / "project.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_window_in_order(repository: Path, synthetic_folder: Path, number: int) -> None:
    command = [sys.executable, "-c", DRIVER.format(go="pass"), "--images", str(synthetic_folder), "--engine", "static"]
    with subprocess.Popen(
        command, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None and program.stdout.readline() == "False\n"
        program.send_signal(number)
        _, errors = program.communicate(timeout=120)
    assert program.returncode == 0 and "Traceback" not in errors


def test_a_defect_is_logged_and_shown_and_the_program_goes_on(repository: Path) -> None:
    go = """
        from PyQt5.QtCore import QTimer
        self.dialogs.show_defect = lambda error: print("shown", error, flush=True)
        QTimer.singleShot(100, self.close)
        raise ZeroDivisionError("in a slot")
"""
    done = run_program(repository, go.strip())
    assert done.returncode == 0 and "shown in a slot" in done.stdout
    assert "ZeroDivisionError: in a slot" in done.stderr


def test_without_a_display_there_is_one_line_and_exit_code_2(repository: Path) -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = run_program(repository, "pass", environment=environment)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "There is no display" in done.stderr


def test_a_display_that_does_not_answer_is_told() -> None:
    with pytest.raises(AppError, match=r":9876 cannot be reached"):
        interactive_gui.check_platform({"DISPLAY": ":9876"})


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise OSError("libxcb-icccm.so.4: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(ctypes, "CDLL", fail)
    with pytest.raises(AppError, match="libxcb-icccm.so.4") as caught:
        interactive_gui.check_platform({"DISPLAY": ":0", "QT_QPA_PLATFORM": "xcb"})
    assert "tools/system_packages.sh" in caught.value.hint


@pytest.mark.parametrize(
    "environment",
    [{"QT_QPA_PLATFORM": "offscreen"}, {"QT_QPA_PLATFORM": "minimal:x=1"}, {"WAYLAND_DISPLAY": "wayland-0"}],
)
def test_platforms_that_need_no_x11_are_let_through(environment: dict[str, str]) -> None:
    interactive_gui.check_platform(environment)


def test_only_paths_into_opencvs_own_qt_are_removed(tmp_path: Path) -> None:
    cv2_folder = tmp_path / "site-packages" / "cv2"
    environment = {
        "QT_QPA_PLATFORM_PLUGIN_PATH": str(cv2_folder / "qt" / "plugins"),
        "QT_QPA_FONTDIR": "/usr/share/fonts",
        "OTHER": str(cv2_folder),
    }
    interactive_gui.clean_qt_environment(environment, cv2_folder)
    assert environment == {"QT_QPA_FONTDIR": "/usr/share/fonts", "OTHER": str(cv2_folder)}


def _flags(tmp_path: Path) -> dict[str, list[str]]:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "broken.mp4").write_bytes(b"no video at all" * 100)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "file").write_text("")
    return {
        "missing.mp4": ["--video", str(tmp_path / "missing.mp4")],
        "empty.mp4": ["--video", str(tmp_path / "empty.mp4")],
        "broken.mp4": ["--video", str(tmp_path / "broken.mp4")],
        "nothing": ["--images", str(tmp_path / "nothing")],
        "masks.png": ["--masks", str(tmp_path / "masks.png")],
        "net.pth": ["--prop_model", str(tmp_path / "net.pth")],
        "file": ["--workspace", str(tmp_path / "file")],
    }


@pytest.mark.parametrize(
    "name", ["missing.mp4", "empty.mp4", "broken.mp4", "nothing", "masks.png", "net.pth", "file"]
)
def test_bad_flags_end_with_code_2_and_name_the_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interactive_gui.main(_flags(tmp_path)[name]) == 2
    message = capsys.readouterr().err
    assert name in message and message.startswith("interactive_gui.py: ") and message.count("\n") == 1


def test_good_flags_pass(repository: Path, synthetic_folder: Path, tmp_path: Path) -> None:
    example = repository / "examples" / "example.mp4"
    for flags in (["--images", synthetic_folder], ["--video", example, "--workspace", tmp_path / "new"], []):
        interactive_gui.check_paths(parse_config(WINDOW, [str(flag) for flag in flags], ("light", "static")))


def test_an_unknown_flag_ends_with_code_2() -> None:
    with pytest.raises(SystemExit) as ended:
        interactive_gui.main(["--colour", "blue"])
    assert ended.value.code == 2


def test_a_video_that_turns_out_unreadable_ends_with_code_2_when_the_window_is_closed(
    repository: Path, synthetic_folder: Path
) -> None:
    (synthetic_folder / "00000.png").write_bytes(b"damaged")
    go = """
        def told(title, error):
            print(error, flush=True)
            self.close()
        self.dialogs.show_error = told
"""
    done = run_program(repository, go.strip(), "--images", synthetic_folder)
    assert done.returncode == 2 and "00000.png" in done.stdout, done.stderr
