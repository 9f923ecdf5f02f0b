"""`python -m model.checkpoint inspect|convert FILE`: what is in a weight file, and the same weights as safetensors.

Exit codes: 0 done; 2 wrong input, one message on stderr.
"""
from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from model import checksums
from model.checkpoint import State, StoredNetwork, open_checkpoint, shapes_of
from model.signatures import recognise
from util import flags
from util.errors import AppError

EXIT_INPUT = 2
_SUFFIX = ".safetensors"


def main(argv: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    parser = flags.OneLineParser(prog="python -m model.checkpoint", description="Look at weight files.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="inspect|convert")
    inspect = commands.add_parser("inspect", help="say which network it is and what its tensors are")
    convert = commands.add_parser("convert", help="write the weights as safetensors")
    for command in (inspect, convert):
        command.add_argument("file", type=flags.path, metavar="FILE", help="PyTorch or safetensors file")
    convert.add_argument(
        "--output", type=flags.file_named(_SUFFIX), metavar="FILE", help=f"default: FILE with the ending {_SUFFIX}"
    )
    convert.add_argument("--half", action="store_true", help="store numbers with a fraction in half precision")
    wanted = parser.parse_args(argv)
    try:
        if wanted.command == "inspect":
            text = describe(wanted.file)
        else:
            text = convert_file(wanted.file, wanted.output or wanted.file.with_suffix(_SUFFIX), half=wanted.half)
    except AppError as error:
        sys.stderr.write(f"model.checkpoint: {error}\n")
        return EXIT_INPUT
    sys.stdout.write(text)
    return 0


def describe(path: Path) -> str:
    """What a person wants to know of a weight file, a line each."""
    networks = open_checkpoint(path)
    lines = [f"file: {path} ({path.stat().st_size:,} bytes)", f"sha256: {checksums.sha256(path)}"]
    for number, network in enumerate(networks, 1):
        if len(networks) > 1:
            lines.append(f"network {number} of {len(networks)}")
        lines += _describe_network(network)
    return "\n".join(lines) + "\n"


def _describe_network(network: StoredNetwork) -> list[str]:
    row = recognise(shapes_of(network.state))
    types = Counter(str(tensor.dtype).removeprefix("torch.") for tensor in network.state.values())
    weights = [tensor for tensor in network.state.values() if tensor.is_floating_point()]
    return [
        f"network: {'not known' if row is None else row.title}",
        f"wrapping: {' > '.join(network.wrapping) or 'none'}",
        *(f"{key}: {_short(value)}" for key, value in network.extras.items()),
        f"tensors: {len(network.state)}",
        f"numbers: {sum(tensor.numel() for tensor in network.state.values()):,}"
        f" (with a fraction: {sum(tensor.numel() for tensor in weights):,})",
        f"types: {', '.join(f'{count} {name}' for name, count in types.most_common())}",
    ]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "…"


def convert_file(path: Path, output: Path, *, half: bool) -> str:
    """Write a file's network as safetensors, wrappers and extras left out; `output` is whole or untouched.

    Returns:
        A line that says what was done.

    Raises:
        AppError: the file is no checkpoint of one network; `output` is there already or cannot be written.
    """
    networks = open_checkpoint(path)
    if len(networks) != 1:
        raise AppError(f"{path} holds {len(networks)} networks; safetensors holds one.", "Choose another file.")
    if output.exists():
        raise AppError(f"{output} is there already.", "Remove it, or name another file by --output.")
    state = _detached(networks[0].state, half=half)
    # Not storage.atomic_file: `model` stands beside `storage`, not above it.
    partial = output.with_name(f".partial-{os.getpid()}{_SUFFIX}")
    try:
        save_file(state, partial)
        os.replace(partial, output)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AppError(f"{output} cannot be written ({reason}).", "Choose another place by --output.") from error
    finally:
        partial.unlink(missing_ok=True)
    return f"{output}: {len(state)} tensors, {output.stat().st_size:,} bytes\n"


def _detached(state: State, *, half: bool) -> dict[str, Tensor]:
    """Every tensor with memory of its own, as safetensors wants it."""
    return {
        key: (tensor.half() if half and tensor.is_floating_point() else tensor).clone().contiguous()
        for key, tensor in state.items()
    }
