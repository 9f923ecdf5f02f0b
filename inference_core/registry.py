"""The engines by name. Adding one is a row here, an adapter in `propagators/` and a row in `model/zoo.py`. No torch."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from model import zoo
from model.zoo import WeightFile as WeightFile  # exported: callers annotate with it
from util.errors import AppError

AUTO = "auto"
ASSESSOR_WEIGHTS, LIGHT_ASSESSOR_WEIGHTS = "ivosw_assess", "light_quality"
"""What `model.zoo` calls the files of the networks that judge masks: by looking at them, and while they are made."""

FusionChoice = Literal["auto", "network", "linear", "none"]
"""How results between key frames are merged: by the network where its file is there, else by distance; or as named."""


@dataclass(frozen=True)
class Engine:
    """One row.

    Args:
        name: value of `--engine`.
        title: what a person calls it.
        module: has `build(setup: EngineSetup) -> Propagator`; imported when the engine is used.
        weights: name in the zoo, None for an engine without a network.
        fusion: name of the fusion network trained for it, None if there is none.
        proposals: name in the zoo of the weights by which it finds objects without a mask, None if it does not.
    """

    name: str
    title: str
    module: str
    weights: str | None
    fusion: str | None
    proposals: str | None = None


ENGINES: tuple[Engine, ...] = (
    Engine("light", "light network (embedded)", "inference_core.propagators.light", "light", "light_fusion"),
    Engine("stcn", "STCN (MiVOS-STCN)", "inference_core.propagators.stcn", "stcn", "fusion_stcn"),
    Engine("stm", "STM (MiVOS)", "inference_core.propagators.stm", "stm", "fusion_stm"),
    # A preset: MiVOS-STCN's network and settings with the files that FasterMiVOS names; its clicks are RITM's.
    Engine("fastermivos", "STCN (FasterMiVOS)", "inference_core.propagators.stcn", "stcn_retrain", "fusion_stm"),
    Engine("afb-urr", "AFB-URR", "inference_core.propagators.afb_urr", "afb_urr", None),
    Engine("rvos", "RVOS", "inference_core.propagators.rvos", "rvos", None, "rvos_zero_shot"),
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


def proposal_weights(name: str = AUTO) -> str:
    """Name in the zoo of what finds objects without a mask; AppError when the engine of this name cannot."""
    if name == AUTO:
        return next(engine.proposals for engine in ENGINES if engine.proposals is not None)
    engine = find(name)
    if engine.proposals is None:
        able = [engine.name for engine in ENGINES if engine.proposals is not None]
        raise AppError(f"The engine {name} finds no objects by itself.", f"Give masks, or choose {' or '.join(able)}.")
    return engine.proposals


def proposal_file() -> WeightFile:
    """The weights by which the window suggests objects, here or not."""
    return zoo.find(proposal_weights())


def advice_file() -> WeightFile:
    """The weights of the network that looks at masks to judge them, here or not."""
    return zoo.find(ASSESSOR_WEIGHTS)


class Basis(NamedTuple):
    """What the quality of a mask rests on.

    Args:
        name: for the user. is_trained: whether a network estimates J; otherwise it is only how sure the engine is.
    """

    name: str
    is_trained: bool


def carried_basis() -> Basis:
    """Of the quality that every propagation leaves (`ObjectMeasure.quality`)."""
    if zoo.is_available(LIGHT_ASSESSOR_WEIGHTS):
        return Basis("predicted by the light quality network", True)
    return Basis("how sure the engine is", False)


def weight_files() -> tuple[WeightFile, ...]:
    """All weights that the program can use, here or not."""
    return zoo.WEIGHT_FILES


def install_weights(entry: WeightFile, file: Path, *, is_chosen: bool) -> None:
    """Look into a weight file and move it to its place (`model.weight_intake`). Loads torch when it is called."""
    from model.weight_intake import install

    install(entry, file, is_chosen=is_chosen)


def verify_weights(entry: WeightFile) -> str:
    """Compare a weight file that is here with its record; says what was found. Loads torch when it is called."""
    from model.weight_intake import verify

    return verify(entry)
