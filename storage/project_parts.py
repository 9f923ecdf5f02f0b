"""The parts of project.json: an object of the list, stretches of marked frames."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from storage.frame_runs import Runs
from storage.json_fields import Fields, Json, require
from util.types import MAX_OBJECT_ID


@dataclass
class ObjectInfo:
    """An object that the user marks.

    Attributes:
        object_id: 1..254, its value in the masks.
        name, category: as shown; the category (class) may be empty.
        color: RGB, each 0..255; None for the palette's.
        is_visible, is_solo: whether it is drawn; one that is solo hides all that are not.
        is_locked: nothing may change its pixels, on any frame.
    """

    object_id: int
    name: str
    category: str = ""
    color: tuple[int, int, int] | None = None
    is_visible: bool = True
    is_solo: bool = False
    is_locked: bool = False


def object_json(info: ObjectInfo) -> dict[str, Json]:
    return {
        "id": info.object_id,
        "name": info.name,
        "class": info.category,
        "color": None if info.color is None else list(info.color),
        "visible": info.is_visible,
        "solo": info.is_solo,
        "locked": info.is_locked,
    }


def parse_object(content: Json, prefix: str) -> ObjectInfo:
    item = Fields(content, prefix)
    info = ObjectInfo(
        object_id=item.take("id", int),
        name=item.take("name", str),
        category=item.take("class", str),
        color=_parse_color(item.take_any("color"), f"{prefix}color"),
        is_visible=item.take("visible", bool),
        is_solo=item.take("solo", bool),
        is_locked=item.take("locked", bool),
    )
    item.end()
    return info


def _parse_color(content: Json, name: str) -> tuple[int, int, int] | None:
    if content is None:
        return None
    require(isinstance(content, list), name, "must be null or a list")
    assert isinstance(content, list)
    values = [value for value in content if type(value) is int]
    require(len(values) == len(content) == 3, name, "must hold three whole numbers")
    return values[0], values[1], values[2]


EngineValue = str | int | None


def parse_engine(content: Mapping[str, Json]) -> dict[str, EngineValue]:
    """Settings by name: text, whole numbers, or null for what suits the engine."""
    found: dict[str, EngineValue] = {}
    for name, value in content.items():
        require(value is None or type(value) in (str, int), f"engine.{name}", "must be text, a whole number or null")
        assert value is None or isinstance(value, str | int)
        found[name] = value
    return found


def runs_json(runs: Runs) -> dict[str, Json]:
    return {
        str(object_id): [[stretch.start, stretch.stop - 1] for stretch in stretches]
        for object_id, stretches in sorted(runs.items())
        if stretches
    }


def parse_runs(content: Mapping[str, Json], name: str) -> dict[int, tuple[range, ...]]:
    """First and last frame of every stretch, by object id."""
    runs: dict[int, tuple[range, ...]] = {}
    for key, stretches in content.items():
        field_name = f"{name}.{key}"
        require(key.isascii() and key.isdecimal(), field_name, "is not an object id")
        require(int(key) not in runs, field_name, "is there twice")
        require(isinstance(stretches, list), field_name, "must be a list")
        assert isinstance(stretches, list)
        runs[int(key)] = tuple(_parse_stretch(stretch, field_name) for stretch in stretches)
    return runs


def _parse_stretch(content: Json, name: str) -> range:
    ends = [value for value in content if type(value) is int] if isinstance(content, list) else []
    require(isinstance(content, list) and len(ends) == len(content) == 2, name, "must hold pairs of frame numbers")
    return range(ends[0], ends[1] + 1)


def check_runs(name: str, runs: Runs, num_frames: int) -> None:
    """Raise ValueError unless `runs` are of objects and inside the video."""
    for object_id, stretches in runs.items():
        field_name = f"{name}.{object_id}"
        require(1 <= object_id <= MAX_OBJECT_ID, field_name, f"is not an id of 1..{MAX_OBJECT_ID}")
        reached = -1
        for stretch in stretches:
            require(
                reached < stretch.start < stretch.stop <= num_frames,
                field_name,
                f"must hold ascending stretches of the frames 0..{num_frames - 1}",
            )
            reached = stretch.stop
