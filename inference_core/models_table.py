"""`python -m inference_core.models_table [NETWORK ...]`: writes docs/models.md, the networks with what they cost.

What is in a network, a file or an engine comes from the tables of the program. Costs are measured for the networks
that are named, and for those without figures from this machine; the other lines stay. A new network is a row in
`inference_core/network_list.py`.

Exit codes: 0 written; 2 wrong input, one message on stderr.
"""
from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch

from inference_core.cost_meter import count_flop, milliseconds, parameters, surroundings
from inference_core.device import open_device
from inference_core.network_list import NETWORKS, Call, Network
from inference_core.registry import ENGINES
from model import zoo
from storage.atomic_file import write_atomic
from util import flags
from util.errors import AppError

EXIT_INPUT = 2
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "models.md"
_UNKNOWN = "not known"
_NONE = "–"
_COSTS = "## Costs"

_INTRODUCTION = """\
# Models

Written by `python -m inference_core.models_table`; change the tables it reads, not this file.

## Engines

What propagates masks through a video, by `--engine`. An engine without the fusion network merges by distance.
"""
_FILES = """
## Files

Fetched by `python download_model.py NAME`; those in `model/weights` are part of the repository. Authors who name no
licence have not thereby given one: ask them before you pass a file on or sell what was made with it.
"""
_NETWORKS = """
## Networks

Parameters are learnt numbers. A network without a file of its own in the table above is recognised by its tensors.
"""
_EXPLANATION = """
GFLOP are 1e9 floating-point operations of one call, a multiplication with its addition counted as 2, convolutions and
matrix products only. Times are processor time of one thread, after a first call the least of those made in a few
seconds; a longer call was measured once. Further cores shorten them. Time in which other programs had the processor
does not count, though a busy machine still lengthens what is left somewhat. The calls are those that the program makes,
reading and writing of videos left out. Frames are 854 x 480; each engine works at its own size. Networks whose file is
not here ran with random weights, which costs the same.
"""


def main(argv: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    names = [network.name for network in NETWORKS]
    parser = flags.OneLineParser(prog="python -m inference_core.models_table", description="Measure the networks.")
    parser.add_argument("network", nargs="*", metavar="NETWORK", help=f"measure these again: {', '.join(names)}")
    parser.add_argument(
        "--seconds", type=flags.integer(0), default=3, metavar="N", help="how long a call is repeated (default: 3)"
    )
    wanted = parser.parse_args(argv)
    unknown = sorted({*wanted.network} - {*names})
    if unknown:
        parser.error(f"there is no network called {', '.join(unknown)}; there are {', '.join(names)}")
    torch.set_num_threads(1)  # of several, those that wait would count as well
    try:
        known = costs_of(DOCUMENT.read_text(encoding="utf-8"), surroundings()) if DOCUMENT.is_file() else {}
        for network in NETWORKS:
            if network.name in wanted.network or network.name not in known:
                known[network.name] = measure(network, wanted.seconds)
                _write(known)  # what takes minutes is not lost when the next one is interrupted
        _write(known)
    except AppError as error:
        sys.stderr.write(f"inference_core.models_table: {error}\n")
        return EXIT_INPUT
    return 0


def _write(costs: Mapping[str, Sequence[str]]) -> None:
    write_atomic(DOCUMENT, document(costs, surroundings()).encode())


def document(costs: Mapping[str, Sequence[str]], measured_on: str) -> str:
    """The whole text.

    Args:
        costs: lines of the table of costs, by the network's name.
        measured_on: `surroundings` of the measurement.
    """
    head = _table(["network", "call", "GFLOP, 1 object", "ms", "GFLOP, 3 objects", "ms"], [])
    lines = [line for network in NETWORKS for line in costs.get(network.name, ())]
    return "\n".join(
        [_INTRODUCTION, *engines_table(), _FILES, *files_table(), _NETWORKS, *networks_table(),
         f"\n{_COSTS}\n\nMeasured on: {measured_on}.", _EXPLANATION, *head, *lines, ""]
    )


def engines_table() -> list[str]:
    rows = [
        (f"`{engine.name}`", engine.title, _code(engine.weights), _code(engine.fusion)) for engine in ENGINES
    ]
    return _table(["engine", "is", "weights", "fusion"], rows)


def files_table() -> list[str]:
    rows = [
        (f"`{entry.name}`", entry.title, entry.used_for, f"`{entry.path.relative_to(zoo.SAVES.parent).as_posix()}`",
         entry.licence or _UNKNOWN)
        for entry in zoo.WEIGHT_FILES
    ]
    return _table(["name", "network", "used for", "file", "licence"], rows)


def networks_table() -> list[str]:
    rows = []
    for network in NETWORKS:
        with torch.device("meta"):  # sizes without numbers
            millions = parameters(network.make()) / 1e6
        files = ", ".join(f"`{name}`" for name in network.files) or _NONE
        rows.append((f"`{network.name}`", network.title, network.paper, files, _millions(millions)))
    return _table(["network", "is", "from", "files", "parameters, millions"], rows)


def _millions(count: float) -> str:
    return f"{count:.2f}" if count >= 0.01 else f"{count:.4f}"


def costs_of(text: str, measured_on: str) -> dict[str, list[str]]:
    """The lines of a document's table of costs by network; none if they come from another machine."""
    _, _, costs = text.partition(f"{_COSTS}\n\nMeasured on: {measured_on}.\n")
    found: dict[str, list[str]] = {}
    for line in costs.splitlines():
        if line.startswith("| `"):
            found.setdefault(line.split("`")[1], []).append(line)
    return found


def measure(network: Network, seconds: float) -> list[str]:
    """The lines of one network. Raises AppError for a file that holds something else."""
    compute = open_device("cpu", mixed_precision=True)
    with tempfile.TemporaryDirectory() as scratch:
        calls = network.calls(_weights(network, Path(scratch)), compute)
    return [_measure_call(network.name, call, seconds) for call in calls]


def _measure_call(name: str, call: Call, seconds: float) -> str:
    cells = []
    for number in (1, 3):
        if number in call.objects:
            with torch.inference_mode():
                run = call.prepare(number)
            cells += [_figure(count_flop(run) / 1e9), _figure(milliseconds(run, seconds))]
        else:
            cells += [_NONE, _NONE]
    return _line([f"`{name}`", call.what, *cells])


def _figure(value: float) -> str:
    """As many digits as a reader needs."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _weights(network: Network, folder: Path) -> Path:
    """The network's file if there is one, else one with random numbers."""
    for name in network.files:
        if zoo.is_available(name):
            return zoo.resolve(name)
    torch.manual_seed(0)
    return network.save(network.make(), folder)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_line(head), "|" + "---|" * len(head), *map(_line, rows)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(name: str | None) -> str:
    return _NONE if name is None else f"`{name}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
