"""The engines by name. Adding one is a row here, an adapter in `propagators/` and a row in `model/zoo.py`. No torch."""
from __future__ import annotations

from dataclasses import dataclass

from model import zoo
from util.errors import AppError

AUTO = "auto"


@dataclass(frozen=True)
class Engine:
    """One row.

    Args:
        name: value of `--engine`.
        title: what a person calls it.
        module: has `build(setup: EngineSetup) -> Propagator`; imported when the engine is used.
        weights: name in the zoo, None for an engine without a network.
        fusion: name of the fusion network trained for it, None if there is none.
    """

    name: str
    title: str
    module: str
    weights: str | None
    fusion: str | None


ENGINES: tuple[Engine, ...] = (
    Engine("light", "light network (embedded)", "inference_core.propagators.light", "light", None),
    Engine("stcn", "STCN (MiVOS-STCN)", "inference_core.propagators.stcn", "stcn", "fusion_stcn"),
    Engine("stm", "STM (MiVOS)", "inference_core.propagators.stm", "stm", "fusion_stm"),
    Engine("static", "no network: copies the mask", "inference_core.propagators.static", None, None),
)


def available() -> tuple[str, ...]:
    """Names of all engines, whether or not their weights are here."""
    return tuple(engine.name for engine in ENGINES)


def find(name: str) -> Engine:
    """The row of this name. Raises AppError naming the valid ones."""
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise AppError(f"There is no engine called {name!r}.", f"Choose one of: {AUTO}, {', '.join(available())}.")


def choose(name: str, *, has_gpu: bool) -> Engine:
    """`auto` is STCN where its weights and a GPU are present, else the light network."""
    if name != AUTO:
        return find(name)
    return find("stcn" if has_gpu and zoo.is_available("stcn") else "light")
