"""Loads the open video's engine, says which it is, and changes it when the user wants another. GUI thread."""
from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject

from gui.engine import BuildCore, Engine, EngineInfo
from gui.engine_dialog import EngineDialog
from gui.engine_settings import EngineSettings, for_project, project_settings, remembered
from inference_core.api import FeatureStorage
from interact.session import VideoSession
from storage.feature_folder import FEATURES_NAME
from util.config import AppConfig
from util.errors import AppError
from util.process_memory import resident_bytes

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo


class EngineControl(QObject):
    """`config` is the command line, with what the open project was made with, and else what the user chose last."""

    def __init__(self, controller: Controller, config: AppConfig, build: BuildCore) -> None:
        super().__init__(controller)
        self._controller = controller
        self._window = controller.window
        self._build = build
        self._told = config
        self._used = ""
        self.config = remembered(config, self._window.settings.engine)
        self.dialog: EngineDialog | None = None

    def begin(self, session: VideoSession) -> str:
        """A video was opened: take its project's settings; what the user should know of them."""
        self.config, note = for_project(self._told, self._window.settings.engine, session.engine_settings)
        return note

    def keep(self, session: VideoSession) -> None:
        """Masks were made with the present settings: they are the project's."""
        session.keep_engine_settings(project_settings(self.config, self._used))

    def make(self, session: VideoSession) -> Engine:
        """An engine for a video, not yet loaded."""
        frames, room = session.frames, self.config.budgets.stored_features
        place = session.masks.folder.parent / FEATURES_NAME
        storage = FeatureStorage(place, frames.source.fingerprint(), room) if room else None
        return Engine(self.config, frames, session.masks.get, self._build, storage)

    def load(self, video: OpenVideo, before: AppConfig | None = None) -> None:
        """Load the engine on the worker. Args: before: settings to go back to if it cannot be."""
        bar = self._window.top_bar

        def ready(info: EngineInfo) -> None:
            if before is not None:
                self._window.settings.engine = asdict(EngineSettings.of(self.config))
            if self._controller.video is video:
                self.show(info)
                if before is not None and video.session.engine_settings:
                    self.keep(video.session)

        def failed(error: AppError) -> None:
            if self._controller.video is not video:
                return
            bar.set_engine("no engine", str(error))
            if before is not None:
                self.config = before
                self._replace(video)
                self.load(video)
            self._window.dialogs.show_error("The engine cannot be loaded", error)

        bar.set_engine("loading engine…", "Tools work meanwhile; propagation waits for it")
        self._controller.runner.submit(video.engine.load_job(ready, failed))

    def show(self, info: EngineInfo) -> None:
        """The engine of the open video is there."""
        self._used = info.engine
        if self._controller.video is not None:
            self._controller.video.is_engine_loaded = True
            self._controller.methods.prepare()
        self._window.top_bar.set_engine(f"Engine: {info.title}", info.describe())
        self._window.job_bar.set_ram(resident_bytes())

    def ask_settings(self) -> None:
        """Show the dialog; what the user confirms there is done at once."""
        video = self._controller.video
        if video is None:
            return
        native_side = min(video.session.frames.size)
        self.dialog = EngineDialog(EngineSettings.of(self.config), native_side, self._window)
        self.dialog.chosen.connect(self._apply)
        self.dialog.open()

    def _apply(self, settings: EngineSettings) -> None:
        video = self._controller.video
        if settings == EngineSettings.of(self.config) or video is None:
            return
        if self._controller.propagation.is_running:
            error = AppError("A propagation is running.", "Change the settings when it has ended.")
            self._window.dialogs.show_error("This cannot be done now", error)
            return
        before, self.config = self.config, settings.applied_to(self.config)
        self._replace(video)
        self.load(video, before)

    def _replace(self, video: OpenVideo) -> None:
        """Another engine in the place of the one that was, which is freed first."""
        self._controller.runner.submit(video.engine.close_job())
        video.engine = self.make(video.session)
        video.is_engine_loaded = False
