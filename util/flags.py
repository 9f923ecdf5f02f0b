"""Command-line flags as data: rows of a table, the values they parse, the parser built from them. Pure.

A frozen dataclass whose fields are made by `flag` is both the table and the parsed value: a field's name, default and
row stand in one place. The project's table is `util/config.py`.
"""
from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True)
class Flag:
    """One row of the table.

    Args:
        names: the flag and its aliases, with their dashes.
        programs: who takes it.
        help: may contain `{choices}`.
        parse: text -> value, raising `argparse.ArgumentTypeError`; None for a switch without a value.
        metavar: what the value is called in the help text.
        choices: the values allowed; None is free.
        required_by: programs that cannot do without it.
    """

    names: tuple[str, ...]
    programs: tuple[str, ...]
    help: str
    parse: Callable[[str], object] | None
    metavar: str | None
    choices: tuple[str, ...] | None
    required_by: tuple[str, ...]


def flag(
    default: T,
    *names: str,
    programs: tuple[str, ...],
    help: str,
    parse: Callable[[str], object] | None = None,
    metavar: str | None = None,
    choices: tuple[str, ...] | None = None,
    required_by: tuple[str, ...] = (),
) -> T:
    """A dataclass field with its row of the table."""
    row = Flag(names, programs, help, parse, metavar, choices, required_by)
    return field(default=default, metadata={"flag": row})


def path(text: str) -> Path:
    """A path; `~` is the home folder."""
    if not text:
        raise argparse.ArgumentTypeError("needs a path, got an empty text")
    return Path(text).expanduser()


def file_named(*suffixes: str) -> Callable[[str], Path]:
    """Parser of a path that ends in one of `suffixes` (with their dots, lower case)."""

    def parse(text: str) -> Path:
        file = path(text)
        if file.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"needs a file name ending in {' or '.join(suffixes)}, got '{text}'")
        return file

    return parse


def number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"needs a whole number, got '{text}'") from None


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    """Parser of a whole number within bounds (inclusive)."""

    def parse(text: str) -> int:
        value = number(text)
        if value < low or (high is not None and value > high):
            bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"needs a whole number {bounds}, got {value}")
        return value

    return parse


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"needs a number from 0 to 1, got '{text}'")
    return value


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the whole usage text; exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help lists the flags)\n")


def make_parser(
    table: type[Any], program: str, command: str, description: str, choices: Mapping[str, Sequence[str]]
) -> OneLineParser:
    """The parser of one program.

    A flag left out leaves no trace in the namespace, so that `table(**vars(namespace))` takes its default.

    Args:
        table: a dataclass made of `flag` fields.
        program: takes the rows that name it.
        command: the program as it is called.
        choices: field name -> values allowed, for what is known at run time only.
    """
    parser = OneLineParser(prog=command, description=description, allow_abbrev=False)
    add_rows(parser, table, program, choices)
    return parser


def add_rows(
    parser: OneLineParser, table: type[Any], program: str, choices: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Add a program's rows of one table, for a program that takes flags of several; arguments as for `make_parser`.

    Returns:
        The names of the fields, so that the caller can tell which values belong to this table.
    """
    taken = []
    for entry in fields(table):
        row = cast(Flag, entry.metadata["flag"])
        if program not in row.programs:
            continue
        taken.append(entry.name)
        allowed = choices.get(entry.name, row.choices)
        text = row.help.format(choices=", ".join(allowed or ())).replace("%", "%%")
        if row.parse is None:
            parser.add_argument(*row.names, dest=entry.name, action="store_true", default=argparse.SUPPRESS, help=text)
            continue
        parser.add_argument(
            *row.names,
            dest=entry.name,
            type=row.parse,
            choices=allowed,
            metavar=row.metavar,
            required=program in row.required_by,
            default=argparse.SUPPRESS,
            help=f"{text} (default: {entry.default})" if isinstance(entry.default, (int, str)) else text,
        )
    return tuple(taken)
