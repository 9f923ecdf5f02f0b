"""Click networks from their files: the variant is read off the tensors, and off RITM's config where there is one."""
from __future__ import annotations

from pathlib import Path

from model.checkpoint import StoredNetwork, load_checkpoint, load_into, shapes_of
from model.click.variants import ClickNet, build_click_net
from model.signatures import recognise
from util.errors import AppError


def load_click_nets(path: Path) -> list[ClickNet]:
    """The networks of a file, in eval mode, on the CPU, float32: one, or the i-th for the i-th click.

    The published programs load these files without checking, so they may hold tensors that no network has; missing
    ones are an error here.

    Raises:
        AppError: the file cannot be read or holds something else.
    """
    return [_build(stored, path) for stored in load_checkpoint(path)]


def _build(stored: StoredNetwork, path: Path) -> ClickNet:
    shapes = shapes_of(stored.state)
    try:
        network = build_click_net(shapes, stored.config or None)
    except ValueError as error:
        found = recognise(shapes)
        guess = "" if found is None or found.network in ("fbrs", "ritm") else f" It looks like {found.title}."
        raise AppError(
            f"{path} does not hold a click network: {error}.{guess}", "Choose a file of f-BRS or of RITM."
        ) from error
    load_into(network, stored.state, path, may_have=None)
    return network.eval().requires_grad_(False)
