"""The networks of the open video: built on the worker thread, the first time they are needed."""
from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from inference_core.api import CoreApi, ExistingMask, FeatureStorage, KeepsFeatures
from storage.frame_store import FrameStore
from util.config import AppConfig
from util.errors import AppError
from util.jobs import CancelToken, Job, Outcome

BuildCore = Callable[[AppConfig, FrameStore, ExistingMask], CoreApi]


def build_core(config: AppConfig, frames: FrameStore, existing: ExistingMask) -> CoreApi:
    """The real one. Imports torch, which takes seconds: call it on the worker thread."""
    preload_libraries()
    from inference_core import factory

    # One processor core stays free for the window.
    return factory.build_core(config, frames, existing, spare_cores=1)


def preload_libraries() -> None:
    """Have the system load torch's large libraries while the window goes on.

    Python's own import would load them holding its global lock, and the window would stand still for about a second.
    Calling the loader through ctypes lets go of the lock; the import then finds everything in place. Where this cannot
    be done (Windows, another layout of the package) the import does it all, as ever.
    """
    spec = importlib.util.find_spec("torch")
    if os.name != "posix" or spec is None or not spec.submodule_search_locations:
        return
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    library = Path(spec.submodule_search_locations[0]) / "lib" / f"libtorch_python{suffix}"
    load = ctypes.CDLL(None).dlopen
    load.restype = ctypes.c_void_p
    load.argtypes = [ctypes.c_char_p, ctypes.c_int]
    load(os.fsencode(library), os.RTLD_NOW | os.RTLD_LOCAL)


@dataclass(frozen=True)
class EngineInfo:
    """What the window says about the engine."""

    engine: str
    device: str
    settings: Mapping[str, str | int | float]

    @property
    def title(self) -> str:
        """`light · CPU`: the device without its precision."""
        device = self.device.partition(" (")[0]
        return f"{self.engine} · {device.upper() if len(device) <= 4 else device}"

    def describe(self) -> str:
        """Device and settings, one a line."""
        return "\n".join(f"{name}: {value}" for name, value in {"device": self.device, **self.settings}.items())


class Engine:
    """Holds the core. `get` and the jobs' `run` are the worker thread's, everything else the GUI thread's."""

    def __init__(
        self,
        config: AppConfig,
        frames: FrameStore,
        existing: ExistingMask,
        build: BuildCore = build_core,
        storage: FeatureStorage | None = None,
    ) -> None:
        self._config = config
        self._frames = frames
        self._existing = existing
        self._build = build
        self._storage = storage
        self._core: CoreApi | None = None
        self.keeps_features = False
        """Whether the core is there and keeps features of frames on disk."""

    def get(self) -> CoreApi:
        """The core, built now if it is not yet there. Raises AppError (weights missing or wrong, no such device)."""
        if self._core is None:
            self._core = self._build(self._config, self._frames, self._existing)
            if self._storage is not None and isinstance(self._core, KeepsFeatures):
                self._core.keep_features(self._storage)
                self.keeps_features = True
        return self._core

    def info(self) -> EngineInfo:
        """About the core, which is built if it is not yet there; raises like `get`."""
        core = self.get()
        return EngineInfo(core.engine, core.device, dict(core.settings))

    def load_job(self, ready: Callable[[EngineInfo], None], failed: Callable[[AppError], None]) -> Job[EngineInfo]:
        """Builds the core ahead of its first use."""

        def run(token: CancelToken) -> Generator[EngineInfo, None, None]:
            token.check()
            yield self.info()

        def finish(outcome: Outcome) -> None:
            if outcome.kind == "failed":
                error = outcome.error
                failed(error if isinstance(error, AppError) else AppError(f"The engine cannot be loaded: {error}"))

        return Job("Loading the engine", None, run, ready, finish)

    def close_job(self) -> Job[None]:
        """Frees networks and memory, on the thread that made them."""

        def run(token: CancelToken) -> Generator[None, None, None]:
            core, self._core, self.keeps_features = self._core, None, False
            if core is not None:
                core.close()
            yield from ()

        return Job("Unloading the engine", None, run, lambda result: None, lambda outcome: None)
