"""Strict reading of JSON: every field once and of its exact type; a ValueError names the field that is not."""
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
T = TypeVar("T", int, bool, str, list["Json"], dict[str, "Json"])


class Fields:
    """A JSON object being read: every field exactly once and of its exact type (true is not the number 1)."""

    def __init__(self, content: Json, prefix: str) -> None:
        require(isinstance(content, dict), prefix.rstrip(".") or "the file", "must be a JSON object")
        assert isinstance(content, dict)
        self._left = dict(content)
        self._prefix = prefix

    def take(self, name: str, kind: type[T]) -> T:
        require(name in self._left, self._prefix + name, "is missing")
        value = self._left.pop(name)
        require(type(value) is kind, self._prefix + name, f"must be of type {kind.__name__}")
        assert isinstance(value, kind)
        return value

    def take_any(self, name: str) -> Json:
        """A field of more than one type, for the caller to check."""
        require(name in self._left, self._prefix + name, "is missing")
        return self._left.pop(name)

    def has(self, name: str) -> bool:
        """Whether an optional field is there."""
        return name in self._left

    def end(self) -> None:
        for name in self._left:
            raise ValueError(f"field {self._prefix}{name} is unknown")


def require(holds: bool, name: str, problem: str) -> None:
    if not holds:
        raise ValueError(f"field {name} {problem}")


def refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON number")


def unique_dict(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return content


def file_text(content: Mapping[str, Json]) -> str:
    """JSON with every field, and every item of a list of objects, on one line. ValueError for what JSON cannot hold."""
    lines = []
    for name, value in content.items():
        if isinstance(value, list) and value:
            text = "[\n  " + ",\n  ".join(_line(item) for item in value) + "\n ]"
        else:
            text = _line(value)
        lines.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _line(value: Json) -> str:
    return json.dumps(value, allow_nan=False, separators=(", ", ": "))
