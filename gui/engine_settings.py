"""How propagation is done, as the user may change it in the window and finds it again the next day. No Qt widgets."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from inference_core.registry import ENGINES, Engine, weight_files
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
