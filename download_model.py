"""Fetches weights of published networks into saves/: `python download_model.py NAME ... | --all | --list | --verify`.

Exit codes: 0 done; 2 something could not be fetched or is not as it should be, a message each on stderr; 130 stopped
with Ctrl-C, what has come is kept.
"""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from model import zoo
from model.zoo import WeightFile
from storage.weight_fetch import fetch, how_by_hand, take_in
from util.download_config import parse_download_config
from util.errors import AppError
from util.jobs import CancelToken
from util.progress import ProgressLine

EXIT_INPUT = 2
EXIT_STOPPED = 130
_MB = 1_000_000
_UNKNOWN = "unknown"


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    known = [entry.name for entry in zoo.WEIGHT_FILES]
    config, names = parse_download_config(sys.argv[1:] if argv is None else argv, known)
    try:
        if config.is_list:
            print(table(zoo.WEIGHT_FILES))
            return 0
        if config.is_verify:
            return _for_each((entry for entry in zoo.WEIGHT_FILES if entry.is_present), _verify)
        if config.file is not None:
            file = config.file
            return _for_each([zoo.find(names[0])], lambda entry: _take(entry, file))
        if config.is_all:
            return _for_each((entry for entry in zoo.WEIGHT_FILES if entry.sources), _fetch)
        return _for_each(map(zoo.find, names), _fetch)
    except KeyboardInterrupt:
        print("download_model.py: stopped; what has come is kept, run it again to go on.", file=sys.stderr)
        return EXIT_STOPPED


def _for_each(entries: Iterable[WeightFile], work: Callable[[WeightFile], str]) -> int:
    """Do something with every entry, telling of each; one that fails does not keep the others from their turn."""
    code = 0
    for entry in entries:
        try:
            print(f"{entry.name}: {work(entry)}", flush=True)
        except AppError as error:
            print(f"download_model.py: {entry.name}: {error}", file=sys.stderr)
            code = EXIT_INPUT
    return code


def _fetch(entry: WeightFile) -> str:
    if entry.is_present:
        return f"{entry.path} is there already"
    if entry.is_embedded:
        raise AppError(f"{entry.path} is part of this program.", "Restore it from the repository.")
    from model.weight_intake import install  # here, so that wrong input is told before torch has loaded

    line = ProgressLine(sys.stderr, None, "MB")

    def report(done: int, total: int | None) -> None:
        line.total = None if total is None else max(1, total // _MB)
        line.update(done // _MB)

    try:
        source = fetch(entry, lambda file: install(entry, file), report, CancelToken())
    finally:
        line.close()
    return f"{entry.path} from {source}"


def _take(entry: WeightFile, file: Path) -> str:
    if entry.is_embedded:
        raise AppError(f"{entry.path} is part of this program.", "Name a file of your own by its flag.")
    from model.weight_intake import install

    take_in(entry, file, lambda copy: install(entry, copy, is_chosen=True))
    return f"{entry.path} from {file}"


def _verify(entry: WeightFile) -> str:
    from model.weight_intake import verify

    return f"{entry.path.name} is {verify(entry)}"


def table(entries: Sequence[WeightFile]) -> str:
    """All weights: a line of facts each, and below it where they come from."""
    rows = [("name", "network", "file", "size", "licence", "state", "used for")]
    rows += [
        (e.name, e.title, e.path.name, _size(e), e.licence or _UNKNOWN, _state(e), e.used_for) for e in entries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    text = [lines[0]]
    for entry, line in zip(entries, lines[1:], strict=True):
        text += [line, f"    {_origin(entry)}"]
    return "\n".join(text)


def _size(entry: WeightFile) -> str:
    size = entry.num_bytes
    return _UNKNOWN if size is None else f"{size / _MB:.1f} MB"


def _state(entry: WeightFile) -> str:
    return ("embedded" if entry.is_embedded else "present") if entry.is_present else "missing"


def _origin(entry: WeightFile) -> str:
    if entry.is_embedded:
        return "part of this program"
    return f"from {', else '.join(entry.sources)}" if entry.sources else how_by_hand(entry)


if __name__ == "__main__":
    sys.exit(main())
