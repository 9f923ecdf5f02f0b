"""From the command line's settings to the choice of what answers prompts."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from inference_core.registry import WeightFile, weight_files
from interact.interaction import InteractionKind
from interact.method_choice import AUTO, MethodChoice
from interact.methods import Method, build_predictor, find_method
from interact.predictor import MaskPredictor
from util.config import AppConfig


def make_choice(
    config: AppConfig, wanted: Mapping[InteractionKind, str], before_networks: Callable[[], None] = lambda: None
) -> MethodChoice:
    """What is wanted by kind of prompt, overruled by the flags.

    Args:
        before_networks: called on the thread that builds a method, before it imports torch.
    """
    # `--fbrs_model` is a file of either click network; what is in it decides how it is run.
    files: dict[str, Path | None] = {"fbrs": config.fbrs_model, "s2m": config.s2m_model}
    told = [name for name, file in files.items() if file is not None]
    told += [config.interaction] if config.interaction != AUTO else []
    ruled: dict[InteractionKind, str] = dict(wanted)
    for name in told:
        ruled |= dict.fromkeys(find_method(name).kinds, name)

    def build(method: Method) -> MaskPredictor:
        if method.weights:
            before_networks()
        weights = files.get(method.name)
        return build_predictor(method, config.device, mixed_precision=not config.no_amp, weights=weights)

    def is_ready(method: Method) -> bool:
        file = files.get(method.name)
        return not method.weights or (file.is_file() if file is not None else weight_row(method).is_present)

    return MethodChoice(build, is_ready, ruled)


def weight_row(method: Method) -> WeightFile:
    """The weights of a method that has some."""
    return next(row for row in weight_files() if row.name == method.weights)
