"""A click network from its file. Imports torch; to be called on the thread that will run the network."""
from __future__ import annotations

from pathlib import Path

from inference_core.api import ClickSegmenter
from inference_core.click.segmenter import NetworkClickSegmenter
from inference_core.click.settings import ClickSettings
from inference_core.device import open_device
from model import zoo
from model.click.loading import load_click_nets
from model.click.variants import FBRS_CODING
from model.folding import fold_batch_norm


def build_click_segmenter(
    name: str, device: str, *, mixed_precision: bool, weights: Path | None = None
) -> ClickSegmenter:
    """The network that answers clicks. What is in the file decides how it is run: as MiVOS does f-BRS (the variant
    that changes features after the context module), or as FasterMiVOS does RITM.

    Args:
        name: of the weights in the zoo, `fbrs` or `ritm`.
        device: as `--device`.
        weights: another file than the usual one.

    Raises:
        AppError: weights missing or wrong, device not there.
    """
    networks = load_click_nets(zoo.resolve(name, weights))
    compute = open_device(device, mixed_precision=mixed_precision)
    is_fbrs = networks[0].coding == FBRS_CODING
    settings = ClickSettings.of_fbrs() if is_fbrs else ClickSettings.of_ritm()
    placed = [compute.place(fold_batch_norm(network)) for network in networks]
    return NetworkClickSegmenter("f-BRS" if is_fbrs else "RITM", placed, settings, compute)
