"""Brings the content of an older project.json up to the present version, one version at a time."""
from __future__ import annotations

from collections.abc import Callable, Mapping

from storage.json_fields import Json


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


_MIGRATIONS: Mapping[int, Callable[[dict[str, Json]], dict[str, Json]]] = {1: _from_version_1}
