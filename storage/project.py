"""What a workspace knows about its video besides the masks: project.json, version 1.

Reading is strict: a field that is missing, unknown or of the wrong kind is named with its file, and nothing is guessed.
"""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from util.errors import AppError
from util.types import MAX_OBJECT_ID, Size

VERSION = 1

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
T = TypeVar("T", int, str, list["Json"], dict[str, "Json"])

_HINT = "Restore the file from a copy, or choose another folder with --workspace."


@dataclass
class ObjectInfo:
    """An object that the user marks: its id (1..254) in the masks and the name shown."""

    object_id: int
    name: str


@dataclass
class Project:
    """The content of project.json.

    Attributes:
        source_path: the video or folder, absolute.
        num_frames, size, fingerprint: tell another video apart; the path may change.
        objects: in the order of the list, the first in front where objects overlap.
        next_object_id: ids are never reused; 255 when all are spent.
        key_frames: frame -> objects the user fixed there.
        current_frame: shown when the project is opened again.
        settings: for the programs; any JSON.
    """

    source_path: Path
    num_frames: int
    size: Size
    fingerprint: str
    objects: list[ObjectInfo] = field(default_factory=list)
    key_frames: dict[int, set[int]] = field(default_factory=dict)
    current_frame: int = 0
    next_object_id: int = 1
    settings: dict[str, Json] = field(default_factory=dict)
    version: int = VERSION

    def check(self) -> None:
        """Raise ValueError naming the first field whose value is impossible."""
        ids = [info.object_id for info in self.objects]
        _require(self.version == VERSION, "version", f"must be {VERSION}")
        _require(self.num_frames >= 1, "num_frames", "must be at least 1")
        _require(min(self.size) >= 1, "size", "must be positive")
        _require(0 <= self.current_frame < self.num_frames, "current_frame", f"must be 0..{self.num_frames - 1}")
        for place, object_id in enumerate(ids):
            _require(1 <= object_id <= MAX_OBJECT_ID, f"objects[{place}].id", f"must be 1..{MAX_OBJECT_ID}")
        _require(len(set(ids)) == len(ids), "objects", "has an id twice")
        lowest = max(ids, default=0) + 1
        _require(
            lowest <= self.next_object_id <= MAX_OBJECT_ID + 1,
            "next_object_id",
            f"must be {lowest}..{MAX_OBJECT_ID + 1}",
        )
        for frame, object_ids in self.key_frames.items():
            name = f"key_frames.{frame}"
            _require(0 <= frame < self.num_frames, name, f"is not a frame of 0..{self.num_frames - 1}")
            for object_id in object_ids:
                _require(1 <= object_id <= MAX_OBJECT_ID, name, f"must hold ids 1..{MAX_OBJECT_ID}")

    def spend_ids(self) -> None:
        """Move `next_object_id` past every object that there is, so that a deleted one's id is not given out again."""
        self.next_object_id = max([self.next_object_id, *(info.object_id + 1 for info in self.objects)])

    def to_json(self) -> str:
        """The file's text, the same for equal projects. Raises ValueError for a project that could not be read back."""
        self.check()
        content = {
            "version": self.version,
            "source_path": str(self.source_path),
            "num_frames": self.num_frames,
            "size": {"height": self.size.height, "width": self.size.width},
            "fingerprint": self.fingerprint,
            "objects": [{"id": info.object_id, "name": info.name} for info in self.objects],
            "next_object_id": self.next_object_id,
            "key_frames": {str(frame): sorted(ids) for frame, ids in sorted(self.key_frames.items()) if ids},
            "current_frame": self.current_frame,
            "settings": self.settings,
        }
        return json.dumps(content, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, path: Path) -> Project:
        """Read back `to_json`; `path` is for messages.

        Raises:
            NewerVersionError: written by a newer version of the program.
            AppError: anything else that is not a project of version 1; names file and field.
        """
        try:
            content = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_dict)
        except (ValueError, RecursionError) as error:
            raise AppError(f"{path}: is damaged: not JSON ({error}).", _HINT) from error
        _check_version(content, path)
        try:
            project = _parse(content)
            project.check()
        except ValueError as error:
            raise AppError(f"{path}: {error}.", _HINT) from error
        return project


class NewerVersionError(AppError):
    """The file is whole, but this program is too old for it."""


def _check_version(content: Json, path: Path) -> None:
    version = content.get("version") if isinstance(content, dict) else None
    if type(version) is int and version > VERSION:
        raise NewerVersionError(
            f"{path}: was saved by a newer version of this program (format {version}, this one reads {VERSION}).",
            "Update the program, or choose another folder with --workspace.",
        )


def _parse(content: Json) -> Project:
    top = _Fields(content, "")
    size = _Fields(top.take("size", dict), "size.")
    objects: list[ObjectInfo] = []
    for place, item in enumerate(top.take("objects", list)):
        info = _Fields(item, f"objects[{place}].")
        objects.append(ObjectInfo(info.take("id", int), info.take("name", str)))
        info.end()
    project = Project(
        source_path=Path(top.take("source_path", str)),
        num_frames=top.take("num_frames", int),
        size=Size(size.take("height", int), size.take("width", int)),
        fingerprint=top.take("fingerprint", str),
        objects=objects,
        key_frames=_parse_key_frames(top.take("key_frames", dict)),
        current_frame=top.take("current_frame", int),
        next_object_id=top.take("next_object_id", int),
        settings=top.take("settings", dict),
        version=top.take("version", int),
    )
    size.end()
    top.end()
    return project


def _parse_key_frames(content: Mapping[str, Json]) -> dict[int, set[int]]:
    key_frames: dict[int, set[int]] = {}
    for name, ids in content.items():
        _require(name.isascii() and name.isdecimal(), f"key_frames.{name}", "is not a frame number")
        _require(isinstance(ids, list), f"key_frames.{name}", "must be a list")
        assert isinstance(ids, list)
        numbers = {value for value in ids if type(value) is int}
        _require(len(numbers) == len(ids), f"key_frames.{name}", "must hold different whole numbers")
        _require(int(name) not in key_frames, f"key_frames.{name}", "is there twice")
        key_frames[int(name)] = numbers
    return key_frames


class _Fields:
    """A JSON object being read: every field exactly once and of its exact type (true is not the number 1)."""

    def __init__(self, content: Json, prefix: str) -> None:
        _require(isinstance(content, dict), prefix.rstrip(".") or "the file", "must be a JSON object")
        assert isinstance(content, dict)
        self._left = dict(content)
        self._prefix = prefix

    def take(self, name: str, kind: type[T]) -> T:
        _require(name in self._left, self._prefix + name, "is missing")
        value = self._left.pop(name)
        _require(type(value) is kind, self._prefix + name, f"must be of type {kind.__name__}")
        assert isinstance(value, kind)
        return value

    def end(self) -> None:
        for name in self._left:
            raise ValueError(f"field {self._prefix}{name} is unknown")


def _require(holds: bool, name: str, problem: str) -> None:
    if not holds:
        raise ValueError(f"field {name} {problem}")


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON number")


def _unique_dict(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return content
