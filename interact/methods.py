"""What can turn clicks and scribbles into a mask, as one table, and building each. Loads no torch by itself."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference_core.api import HINT_DIAMETER, INTERACTION_WEIGHTS
from interact.click_predictor import ClickPredictor
from interact.grabcut import GrabCutPredictor
from interact.interaction import InteractionKind
from interact.network_predictor import NetworkPredictor
from interact.predictor import MaskPredictor
from interact.windows import Lens

LIGHT_LENS = Lens(side=256, max_scale=2.0, margin=0.4, seed_width=HINT_DIAMETER)
S2M_LENS = Lens(side=480, max_scale=1.0, margin=0.4, seed_width=3.0)
"""S2M was trained on 480p pictures with thin strokes."""


@dataclass(frozen=True)
class Method:
    """One row.

    Args:
        name: value of `--interaction`.
        title: what a person calls it.
        kinds: the prompts that it answers.
        weights: name of its weight file, empty when it needs none.
    """

    name: str
    title: str
    kinds: tuple[InteractionKind, ...]
    weights: str


METHODS: tuple[Method, ...] = (
    Method("ritm", "RITM", ("click",), "ritm"),
    Method("fbrs", "f-BRS", ("click",), "fbrs"),
    Method("s2m", "S2M", ("scribble",), "s2m"),
    Method("light", "Light network", ("click", "scribble"), INTERACTION_WEIGHTS),
    Method("grabcut", "GrabCut", ("click", "scribble", "box"), ""),
)
"""The best first: `auto` is the first one for its kind of prompt whose weights are here."""


def find_method(name: str) -> Method:
    """The row of this name; ValueError if there is none."""
    for method in METHODS:
        if method.name == name:
            return method
    raise ValueError(f"there is no interaction method {name!r}")


def build_predictor(
    method: Method, device: str, *, mixed_precision: bool, weights: Path | None = None
) -> MaskPredictor:
    """Imports torch unless the method does without; call it on the thread that will ask the predictor.

    Args:
        device: as `--device`.
        weights: another file than the usual one.

    Raises:
        AppError: weights missing or wrong, device not there.
    """
    if method.name == "grabcut":
        return GrabCutPredictor()
    if method.name == "light":
        from inference_core.interaction import build_segmenter

        segmenter = build_segmenter(device, mixed_precision=mixed_precision, weights=weights)
        light = NetworkPredictor(segmenter, LIGHT_LENS, snaps=True)
        light.warm_up()
        return light
    if method.name == "s2m":
        from inference_core.scribble_predictor import build_scribble_segmenter

        scribbles = build_scribble_segmenter(device, mixed_precision=mixed_precision, weights=weights)
        return NetworkPredictor(scribbles, S2M_LENS)
    from inference_core.click.build import build_click_segmenter

    clicks = build_click_segmenter(method.weights, device, mixed_precision=mixed_precision, weights=weights)
    return ClickPredictor(clicks)
