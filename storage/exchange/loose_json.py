"""JSON of other programs: fields we do not know are left alone, those we use are checked, damage is an AppError."""
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from storage.atomic_file import write_atomic
from storage.io_errors import reason
from storage.json_fields import Json, refuse_constant, require
from util.errors import AppError

_HINT = "Export it again with the program that wrote it."


def read_json(path: Path) -> Json:
    """The content of a file. Raises AppError: it cannot be read or is no JSON."""
    try:
        content: Json = json.loads(path.read_bytes(), parse_constant=refuse_constant)
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the path.") from error
    except (ValueError, RecursionError) as error:  # a wrong encoding is a ValueError too
        raise AppError(f"{path}: is damaged: not JSON ({error}).", _HINT) from error
    return content


def write_json(path: Path, content: Json) -> None:
    """Raises AppError when it cannot be written."""
    write_atomic(path, json.dumps(content, separators=(",", ":")).encode())


@contextmanager
def wrap(path: Path) -> Iterator[None]:
    """What is wrong inside a file (ValueError) as an AppError that names the file."""
    try:
        yield
    except ValueError as error:
        raise AppError(f"{path}: {error}.", _HINT) from error


def items_of(content: Mapping[str, Json], name: str, where: str) -> dict[str, Json]:
    """A field that is a JSON object; ValueError."""
    value = content.get(name)
    require(isinstance(value, dict), where + name, "is missing or no JSON object")
    assert isinstance(value, dict)
    return value


def list_of(content: Mapping[str, Json], name: str, where: str = "") -> list[Json]:
    """A field that is a list; ValueError."""
    value = content.get(name)
    require(isinstance(value, list), where + name, "is missing or no list")
    assert isinstance(value, list)
    return value


def objects_of(content: Json, name: str) -> Iterator[tuple[str, dict[str, Json]]]:
    """(`name[3].`, object) of a field that is a list of JSON objects; ValueError."""
    require(isinstance(content, dict), "the file", "must be a JSON object")
    assert isinstance(content, dict)
    for place, item in enumerate(list_of(content, name)):
        require(isinstance(item, dict), f"{name}[{place}]", "must be a JSON object")
        assert isinstance(item, dict)
        yield f"{name}[{place}].", item


def text_of(content: Mapping[str, Json], name: str, where: str) -> str:
    """A field that is a text; ValueError."""
    value = content.get(name)
    require(isinstance(value, str), where + name, "is missing or no text")
    assert isinstance(value, str)
    require(not any("\ud800" <= letter <= "\udfff" for letter in value), where + name, "holds half a character")
    return value


def int_of(content: Mapping[str, Json], name: str, where: str) -> int:
    """A field that is a whole number; ValueError."""
    value = content.get(name)
    require(type(value) is int, where + name, "is missing or no whole number")
    assert isinstance(value, int)
    return value


def points_of(value: Json, where: str) -> list[tuple[float, float]]:
    """A list of [x, y]; ValueError."""
    require(isinstance(value, list), where, "is missing or no list of points")
    assert isinstance(value, list)
    points = [(point[0], point[1]) for point in value if isinstance(point, list) and len(point) == 2]
    pairs = [(x, y) for x, y in points if type(x) in (int, float) and type(y) in (int, float)]
    require(len(pairs) == len(value), where, "must hold pairs of numbers")
    # Far outside any picture: no number that a rasteriser's integers could choke on.
    numbers = [(min(max(float(x), -1e6), 1e6), min(max(float(y), -1e6), 1e6)) for x, y in pairs]  # type: ignore[arg-type]
    return numbers
