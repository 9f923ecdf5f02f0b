"""What a workspace knows about its video besides the masks: project.json, version 4.

Reading is strict: a field that is missing, unknown or of the wrong kind is named with its file, and nothing is guessed.
A file of an older version is brought up to this one first, one version at a time (`storage/project_migration.py`).
"""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from storage.frame_runs import Runs, marks_by_frame, runs_by_object
from storage.json_fields import Fields, Json, file_text, refuse_constant, require, unique_dict
from storage.project_migration import migrated
from storage.project_parts import (
    EngineValue,
    ObjectInfo,
    check_runs,
    object_json,
    parse_engine,
    parse_object,
    parse_runs,
    runs_json,
)
from storage.provenance import Provenance, parse_provenance, provenance_json
from util.errors import AppError
from util.types import MAX_OBJECT_ID, Size

VERSION = 4

_HINT = "Restore the file from a copy, or choose another folder with --workspace."


@dataclass
class Project:
    """The content of project.json.

    Attributes:
        source_path: the video or folder, absolute.
        num_frames, size, fingerprint: tell another video apart; the path may change.
        objects: in the order of the list, the first in front where objects overlap.
        next_object_id: ids are never reused; 255 when all are spent.
        key_frames: frame -> objects the user fixed there.
        journal_id, journal_number: the last record of the journal (storage/journal.py) that is in this file and in the
            masks; "" and 0 before there is one.
        locked, verified: object id -> the frames on which the user forbade changes, or called the mask right.
        provenance: where the masks come from.
        engine: how masks are propagated here: the settings by name; empty before the first propagation.
        current_frame: shown when the project is opened again.
        settings: for the programs; any JSON.
    """

    source_path: Path
    num_frames: int
    size: Size
    fingerprint: str
    objects: list[ObjectInfo] = field(default_factory=list)
    key_frames: dict[int, set[int]] = field(default_factory=dict)
    locked: Runs = field(default_factory=dict)
    verified: Runs = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    engine: dict[str, EngineValue] = field(default_factory=dict)
    current_frame: int = 0
    next_object_id: int = 1
    settings: dict[str, Json] = field(default_factory=dict)
    journal_id: str = ""
    journal_number: int = 0
    version: int = VERSION

    def check(self) -> None:
        """Raise ValueError naming the first field whose value is impossible."""
        ids = [info.object_id for info in self.objects]
        require(self.version == VERSION, "version", f"must be {VERSION}")
        require(self.num_frames >= 1, "num_frames", "must be at least 1")
        require(min(self.size) >= 1, "size", "must be positive")
        require(0 <= self.current_frame < self.num_frames, "current_frame", f"must be 0..{self.num_frames - 1}")
        for place, object_id in enumerate(ids):
            require(1 <= object_id <= MAX_OBJECT_ID, f"objects[{place}].id", f"must be 1..{MAX_OBJECT_ID}")
        require(len(set(ids)) == len(ids), "objects", "has an id twice")
        lowest = max(ids, default=0) + 1
        require(
            lowest <= self.next_object_id <= MAX_OBJECT_ID + 1,
            "next_object_id",
            f"must be {lowest}..{MAX_OBJECT_ID + 1}",
        )
        for frame, object_ids in self.key_frames.items():
            name = f"key_frames.{frame}"
            require(0 <= frame < self.num_frames, name, f"is not a frame of 0..{self.num_frames - 1}")
            for object_id in object_ids:
                require(1 <= object_id <= MAX_OBJECT_ID, name, f"must hold ids 1..{MAX_OBJECT_ID}")
        for place, info in enumerate(self.objects):
            require(all(0 <= v <= 255 for v in info.color or ()), f"objects[{place}].color", "must hold 0..255")
        require(self.journal_number >= 0, "journal.number", "must not be negative")
        for name, runs in (("locked", self.locked), ("verified", self.verified)):
            check_runs(name, runs, self.num_frames)

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
            "objects": [object_json(info) for info in self.objects],
            "next_object_id": self.next_object_id,
            "key_frames": runs_json(runs_by_object(dict(sorted(self.key_frames.items())))),
            "locked": runs_json(self.locked),
            "verified": runs_json(self.verified),
            "provenance": provenance_json(self.provenance),
            "engine": dict(self.engine),
            "current_frame": self.current_frame,
            "settings": self.settings,
            "journal": {"id": self.journal_id, "number": self.journal_number},
        }
        return file_text(content)

    @classmethod
    def from_json(cls, text: str, path: Path) -> Project:
        """Read back `to_json`; `path` is for messages.

        Raises:
            NewerVersionError: written by a newer version of the program.
            AppError: anything else that is not a project of this or an older version; names file and field.
        """
        try:
            content = json.loads(text, parse_constant=refuse_constant, object_pairs_hook=unique_dict)
        except (ValueError, RecursionError) as error:
            raise AppError(f"{path}: is damaged: not JSON ({error}).", _HINT) from error
        _check_version(content, path)
        try:
            project = _parse(migrated(content))
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
    top = Fields(content, "")
    size = Fields(top.take("size", dict), "size.")
    journal = Fields(top.take("journal", dict), "journal.")
    objects = [parse_object(item, f"objects[{place}].") for place, item in enumerate(top.take("objects", list))]
    num_frames = top.take("num_frames", int)
    require(num_frames >= 1, "num_frames", "must be at least 1")
    key_frames = parse_runs(top.take("key_frames", dict), "key_frames")
    check_runs("key_frames", key_frames, num_frames)  # before they are spread out: a damaged one may reach far
    project = Project(
        source_path=Path(top.take("source_path", str)),
        num_frames=num_frames,
        size=Size(size.take("height", int), size.take("width", int)),
        fingerprint=top.take("fingerprint", str),
        objects=objects,
        key_frames=marks_by_frame(key_frames),
        locked=parse_runs(top.take("locked", dict), "locked"),
        verified=parse_runs(top.take("verified", dict), "verified"),
        provenance=parse_provenance(top.take_any("provenance"), num_frames),
        engine=parse_engine(top.take("engine", dict)),
        current_frame=top.take("current_frame", int),
        next_object_id=top.take("next_object_id", int),
        settings=top.take("settings", dict),
        journal_id=journal.take("id", str),
        journal_number=journal.take("number", int),
        version=top.take("version", int),
    )
    size.end()
    journal.end()
    top.end()
    return project
