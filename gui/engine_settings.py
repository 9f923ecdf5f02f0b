"""How propagation is done, as the user may change it in the window and finds it again the next day. No Qt widgets."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from inference_core.registry import ENGINES, Engine, weight_files
from storage.project_parts import EngineValue
from util.config import AUTO, DEVICES, MIN_SIZE, NATIVE_SIZE, AppConfig
from util.memory_budgets import MEMORY_PROFILES

SIDES = (240, 320, 400, 480, 600, 720, 1080)
"""Shorter sides on offer, besides the engine's own and the native one."""
MAX_MEM_EVERY, MAX_TOP_K = 200, 2000


@dataclass(frozen=True)
class EngineSettings:
    """The part of `AppConfig` that a running window may change; the same names, the same meaning."""

    engine: str = AUTO
    mem_every: int = 5
    top_k: int | None = None
    size: int | None = None
    device: str = "auto"
    no_amp: bool = False
    mem_profile: int = 0

    @classmethod
    def of(cls, config: AppConfig) -> EngineSettings:
        return cls(**{name: getattr(config, name) for name in asdict(cls())})

    def applied_to(self, config: AppConfig) -> AppConfig:
        """Files named by flags stay only while the engine they were named for does."""
        changed = replace(config, **asdict(self))
        if self.engine == config.engine:
            return changed
        return replace(changed, weights=None, fusion_model=None, budget=None, update_rate=None)


def remembered(config: AppConfig, kept: Mapping[str, object]) -> AppConfig:
    """The command line, and what was kept for everything it does not say. Values that make no sense count as absent."""
    said, default = EngineSettings.of(config), EngineSettings()
    wanted = asdict(said)
    for name, value in kept.items():
        if name in wanted and getattr(said, name) == getattr(default, name) and _is_sound(name, value):
            wanted[name] = value
    is_tied = config.weights is not None or config.fusion_model is not None
    if is_tied:
        wanted["engine"] = said.engine
    return replace(config, **wanted)


OF_PROJECT = ("engine", "mem_every", "top_k", "size")
"""What belongs to the masks, and so to their project; the others to the machine."""


def project_settings(config: AppConfig, engine: str) -> dict[str, EngineValue]:
    """What a project keeps. Args: engine: the one that was used, which `config` may leave open."""
    known = any(engine == entry.name for entry in ENGINES)
    return {name: getattr(config, name) for name in OF_PROJECT} | ({"engine": engine} if known else {})


def for_project(
    told: AppConfig, users: Mapping[str, object], projects: Mapping[str, EngineValue]
) -> tuple[AppConfig, str]:
    """Settings for a video: the command line, else its project's, else the user's; and what the user should know.

    A network whose weights are not here is not taken over.
    """
    mine = remembered(told, users)
    kept = {name: value for name, value in projects.items() if name in OF_PROJECT}
    notes: list[str] = []
    engine = next((entry for entry in ENGINES if entry.name == kept.get("engine")), None)
    if engine is not None and (why := missing_weights(engine)):
        del kept["engine"]
        notes.append(f"This project was made with {engine.title}. {why}")
    config = remembered(told, {**users, **kept})
    changed = [
        f"{_TITLES[name]} {_shown(getattr(config, name))} (yours: {_shown(getattr(mine, name))})"
        for name in OF_PROJECT
        if getattr(config, name) != getattr(mine, name) and not (name == "engine" and mine.engine == AUTO)
    ]
    if changed:
        notes.append(
            f"This project goes on with the settings it was made with: {', '.join(changed)}. "
            "Propagation settings changes them."
        )
    return config, " ".join(notes)


_TITLES = {"engine": "network", "mem_every": "remember every", "top_k": "best places", "size": "size"}


def _shown(value: object) -> str:
    return "native" if value == NATIVE_SIZE else "what suits the network" if value is None else str(value)


def _is_sound(name: str, value: object) -> bool:
    if name == "engine":
        return value == AUTO or any(value == engine.name for engine in ENGINES)
    if name == "device":
        return value in DEVICES
    if name == "no_amp":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int):
        return value is None and name in ("top_k", "size")
    bounds = {"mem_every": range(1, MAX_MEM_EVERY + 1), "top_k": range(1, MAX_TOP_K + 1)}
    bounds["mem_profile"] = range(len(MEMORY_PROFILES))
    return value == NATIVE_SIZE or value >= MIN_SIZE if name == "size" else value in bounds[name]


def missing_weights(engine: Engine) -> str:
    """What has to be fetched before this engine can be used; empty when nothing has to."""
    row = next((row for row in weight_files() if row.name == engine.weights), None)
    if row is None or row.is_present:
        return ""
    return f"Its weights are not here. Fetch {row.title} with Tools, Networks and weights."
