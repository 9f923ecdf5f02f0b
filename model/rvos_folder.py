"""Reading a folder of the published RVOS: `encoder.pt`, `decoder.pt` and the training's settings, `args.pkl`.

Nothing in it is trusted: the settings come from a pickle that may hold an `argparse.Namespace` of plain data and
nothing else, what they claim is bounded before a network is built by it, and the tensors go the way of all checkpoints.
The states of the optimisers, which lie beside them, are not opened.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from model import checksums
from model.checkpoint import State, load_into, load_state
from model.checkpoint_file import read_settings
from model.rvos import RVOS, SKIP_MODES, RvosSettings
from model.rvos_bases import BASES
from util.errors import AppError

ENCODER, DECODER, SETTINGS = "encoder.pt", "decoder.pt", "args.pkl"
_GATES = "clstm_list.0.Gates.weight"
_STOP = "fc_stop"
"""Part of the keys of a branch that an earlier version of RVOS had; its program leaves them out."""
_NEEDED = ("base_model", "hidden_size", "kernel_size", "skip_mode")
_BOUNDS: Mapping[str, Sequence[int]] = {
    "hidden_size": range(8, 513, 8), "kernel_size": range(1, 8, 2), "maxseqlen": range(1, 101),
}
_CHOICES: Mapping[str, Sequence[str]] = {"base_model": BASES, "skip_mode": SKIP_MODES}


def load_rvos(folder: Path, *, takes_mask: bool) -> RVOS:
    """The network of a published folder; in eval mode, on the CPU, float32.

    Args:
        takes_mask: whether the decoder has to be the one for given masks (one-shot) or the one without (zero-shot).

    Raises:
        AppError: a file is missing, cannot be read or holds something else; the decoder is the other one.
    """
    settings = load_settings(folder / SETTINGS)
    decoder = load_state(folder / DECODER)
    _check_kind(decoder, settings, folder, takes_mask=takes_mask)
    encoder = load_state(folder / ENCODER)
    network = RVOS(settings, takes_mask=takes_mask)
    load_into(network.decoder, decoder, folder / DECODER, may_have=[key for key in decoder if _STOP in key])
    # The classifier's own last layers see no frame here; VGG-16 comes without them.
    load_into(network.encoder, encoder, folder / ENCODER, may_have=[k for k in encoder if k.startswith("base.class")])
    checksums.remember(folder / SETTINGS)
    return network.eval().requires_grad_(False)


def load_settings(path: Path) -> RvosSettings:
    """The training's settings, as far as they shape the network. Raises AppError."""
    checksums.verify(path)
    stored = read_settings(path)
    missing = [name for name in _NEEDED if name not in stored]
    if missing:
        raise AppError(f"{path} says nothing of {', '.join(missing)}; it is not of RVOS.", "Choose another folder.")
    chosen = {field.name: stored[field.name] for field in fields(RvosSettings) if field.name in stored}
    for name, value in chosen.items():
        if not _is_possible(name, value):
            raise AppError(f"{path}: {name} is {_shown(value)}; {_expected(name)}.", "Choose another folder.")
    return RvosSettings(**chosen)  # type: ignore[arg-type]


def _is_possible(name: str, value: object) -> bool:
    if name in _BOUNDS:
        return type(value) is int and value in _BOUNDS[name]
    return value in _CHOICES[name] if name in _CHOICES and isinstance(value, str) else isinstance(value, bool)


def _expected(name: str) -> str:
    if name in _CHOICES:
        return f"known are {', '.join(_CHOICES[name])}"
    if name not in _BOUNDS:
        return "it is yes or no"
    bounds = _BOUNDS[name]
    return f"it is a number from {bounds[0]} to {bounds[-1]}" + (f", each {bounds[1] - bounds[0]} apart" * (
        bounds[1] - bounds[0] > 1))


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, bool | int | float | str) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:40]}…"


def _check_kind(decoder: State, settings: RvosSettings, folder: Path, *, takes_mask: bool) -> None:
    """Tell the other decoder by name: the first level sees one plane more where masks are given."""
    gates = decoder.get(_GATES)
    if gates is None or gates.ndim != 4 or gates.shape[1] - 3 * settings.hidden_size != int(not takes_mask):
        return  # what else may be wrong shows when the tensors are put into the network
    if takes_mask:
        raise AppError(
            f"{folder} holds RVOS for finding objects without a mask (zero-shot); it cannot carry given masks.",
            "Choose the folder of a one-shot model, or use --zero_shot.",
        )
    raise AppError(
        f"{folder} holds RVOS for given masks (one-shot); it cannot find objects by itself.",
        "Choose the folder of a zero-shot model, or give masks.",
    )
