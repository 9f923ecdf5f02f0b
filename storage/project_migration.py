"""Brings the content of an older project.json up to the present version, one version at a time."""
from __future__ import annotations

from collections.abc import Callable, Mapping

from storage.frame_runs import runs_by_object
from storage.json_fields import Json, require
from storage.project_parts import runs_json


def migrated(content: Json) -> Json:
    """The content as this version would have written it; anything that is no project is left to the parser."""
    while isinstance(content, dict):
        version = content.get("version")
        migrate = _MIGRATIONS.get(version) if type(version) is int else None
        if migrate is None:
            break
        content = migrate(content)
    return content


def _from_version_1(content: dict[str, Json]) -> dict[str, Json]:
    """Version 2 knows class, colour, visibility, solo and lock of an object, and marks besides key frames."""
    new: dict[str, Json] = {"class": "", "color": None, "visible": True, "solo": False, "locked": False}
    objects = content.get("objects")
    if isinstance(objects, list):
        content = {**content, "objects": [{**item, **new} if isinstance(item, dict) else item for item in objects]}
    return {**content, "locked": {}, "verified": {}, "version": 2}


def _from_version_2(content: dict[str, Json]) -> dict[str, Json]:
    """Version 3 knows the journal and where masks come from, and keeps key frames as stretches by object."""
    new: dict[str, Json] = {"journal": {"id": "", "number": 0}, "provenance": {"sources": [], "objects": {}}}
    key_frames = content.get("key_frames")
    if isinstance(key_frames, dict):
        content = {**content, "key_frames": _stretches(key_frames)}
    return {**content, **new, "version": 3}


def _from_version_3(content: dict[str, Json]) -> dict[str, Json]:
    """Version 4 knows how masks are propagated, and from which other project a mask was merged."""
    return {**content, "engine": {}, "version": 4}


def _stretches(key_frames: Mapping[str, Json]) -> dict[str, Json]:
    """frame -> objects as object -> [first, last] of every stretch. Raises ValueError for anything else."""
    marks: dict[int, set[int]] = {}
    for name, ids in key_frames.items():
        field = f"key_frames.{name}"
        require(name.isascii() and name.isdecimal(), field, "is not a frame number")
        numbers = {value for value in ids if type(value) is int} if isinstance(ids, list) else set()
        require(isinstance(ids, list) and len(numbers) == len(ids), field, "must be a list of different whole numbers")
        require(int(name) not in marks, field, "is there twice")
        marks[int(name)] = numbers
    return runs_json(runs_by_object(dict(sorted(marks.items()))))


_MIGRATIONS: Mapping[int, Callable[[dict[str, Json]], dict[str, Json]]] = {
    1: _from_version_1,
    2: _from_version_2,
    3: _from_version_3,
}
