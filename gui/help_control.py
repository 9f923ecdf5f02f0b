"""Help and habits: cheat sheet, preferences, the look, self-check, first steps, about. GUI thread."""
from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, cast

from PyQt5.QtCore import QT_VERSION_STR, QObject
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication

from gui.cheat_sheet import CheatSheet
from gui.colors import ThemeName
from gui.engine import preload_libraries
from gui.help_text import about_text
from gui.preferences import Preferences
from gui.self_check_page import SelfCheckPage
from gui.theme import apply_theme
from interact.self_check import Finding, Surroundings, describe_device, self_check
from util.jobs import CancelToken, Job, Outcome
from util.log_file import log_path
from util.user_folders import user_data_folder

if TYPE_CHECKING:
    from gui.controller import Controller


class HelpControl(QObject):
    """Each page is made when it is first wanted, and stays."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._window = controller.window
        self.cheat_sheet: CheatSheet | None = None
        self.preferences: Preferences | None = None
        self.self_check_page: SelfCheckPage | None = None
        self._window.tips.dismissed.connect(self._keep_tips_seen)

    def commands(self) -> dict[str, Callable[[], object]]:
        """What the actions of this subject do, by their ids."""
        return {
            "help.keys": self.show_keys,
            "help.self_check": self.show_self_check,
            "help.tips": self._window.tips.begin,
            "help.about": self.show_about,
            "edit.preferences": self.show_preferences,
        }

    def begin(self) -> None:
        """A video was opened: the first time of all, say how things go on."""
        if not self._window.settings.tips_seen:
            self._window.tips.begin()

    def show_keys(self) -> None:
        if self.cheat_sheet is None:
            self.cheat_sheet = CheatSheet(self._window.actions_by_id, self._window)
        self.cheat_sheet.show()
        self.cheat_sheet.raise_()
        self.cheat_sheet.refresh()

    def show_preferences(self) -> None:
        window = self._window
        if self.preferences is None:
            page = Preferences(window.actions_by_id, window.key_map, window.settings, window)
            page.theme_chosen.connect(self.set_theme)
            page.tips_wanted.connect(window.tips.begin)
            self.preferences = page
        self.preferences.refresh()
        self.preferences.show()
        self.preferences.raise_()

    def set_theme(self, name: str) -> None:
        """Another look, at once and from now on."""
        self._window.settings.theme = cast(ThemeName, name)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, self._window.settings.theme)

    def show_about(self) -> None:
        video = self._controller.video
        folder = None if video is None else video.session.workspace.folder
        engine = self._window.top_bar.engine.text() or "Engine: loaded with the first video"
        self._window.dialogs.show_about("About", about_text(engine, folder))

    def _keep_tips_seen(self) -> None:
        self._window.settings.tips_seen = True

    # -- self-check

    def show_self_check(self) -> None:
        if self.self_check_page is None:
            self.self_check_page = SelfCheckPage(self._window)
            self.self_check_page.again.connect(self._check)
        self.self_check_page.show()
        self.self_check_page.raise_()
        self._check()

    def _check(self) -> None:
        page = self.self_check_page
        assert page is not None
        page.begin()
        here = self._surroundings()

        def run(token: CancelToken) -> Generator[Finding, None, None]:
            for finding in self_check(here):
                token.check()
                yield finding

        def finish(outcome: Outcome) -> None:
            if outcome.kind == "failed":
                page.add(Finding("Self-check", "fault", f"could not be finished: {outcome.error}"))
            page.end()

        self._controller.files.submit(Job("Self-check", None, run, page.add, finish), replace="self-check")

    def _surroundings(self) -> Surroundings:
        config, video = self._controller.config, self._controller.video
        data = user_data_folder()
        folders = [("User data", data)]
        if video is not None:
            folders.append(("Workspace", video.session.workspace.folder))

        def device() -> str:
            preload_libraries()
            return describe_device(config.device, mixed_precision=not config.no_amp)

        qt = f"{QT_VERSION_STR} on {QGuiApplication.platformName()}"
        return Surroundings(qt, True, device, folders, log_path(data))
