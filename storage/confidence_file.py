"""The quality predicted for the masks of a workspace: confidence.json, beside project.json.

It can be made again by propagating, so damage is told and the file left aside, but no reason not to open the video.
"""
from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.io_errors import reason
from storage.json_fields import Fields, Json, file_text, refuse_constant, require, unique_dict
from util.errors import AppError
from util.types import MAX_OBJECT_ID

NAME = "confidence.json"
VERSION = 2
_BY_OTHER_RULES = 1
"""Files of this version hold values that earlier programs made of margin, area and overlap: no predicted quality."""
_STEPS = 1000

Confidences = NDArray[np.float32]
"""float32 [T]: 0..1 per frame, NaN where none is known."""


class Origin(NamedTuple):
    """When, by which step and from which frame masks were made: enough to know their source again."""

    time: str
    action: str
    anchor: int


class Noted(NamedTuple):
    """Values of one object that have one origin: float32 [n], for n frames from `first` on, NaN for gaps."""

    object_id: int
    origin: Origin
    first: int
    values: Confidences


def confidence_text(notes: Iterable[Noted]) -> str:
    """The file's content; values are kept to a thousandth."""
    items: list[Json] = []
    for note in notes:
        origin = note.origin
        values: list[Json] = [None if math.isnan(v) else round(v * _STEPS) for v in note.values.tolist()]
        items.append(
            {
                "object": note.object_id, "time": origin.time, "action": origin.action, "anchor": origin.anchor,
                "first": note.first, "values": values,
            }
        )
    return file_text({"version": VERSION, "notes": items})


def read_confidence(path: Path, num_frames: int) -> list[Noted]:
    """What a file holds; nothing where there is none, or one of version 1.

    Raises:
        AppError: it is damaged or cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "not UTF-8"
        raise AppError(f"{path}: cannot be read ({why}).", "Propagate again to have it written anew.") from error
    try:
        content = json.loads(text, parse_constant=refuse_constant, object_pairs_hook=unique_dict)
        top = Fields(content, "")
        version = top.take("version", int)
        if version == _BY_OTHER_RULES:
            return []
        require(version == VERSION, "version", f"must be {VERSION}")
        found = [_parse(item, f"notes[{i}].", num_frames) for i, item in enumerate(top.take("notes", list))]
        top.end()
    except (ValueError, RecursionError) as error:
        raise AppError(f"{path}: is damaged ({error}).", "Propagate again to have it written anew.") from error
    return found


def _parse(content: Json, prefix: str, num_frames: int) -> Noted:
    item = Fields(content, prefix)
    object_id, first = item.take("object", int), item.take("first", int)
    origin = Origin(item.take("time", str), item.take("action", str), item.take("anchor", int))
    listed = item.take("values", list)
    item.end()
    require(1 <= object_id <= MAX_OBJECT_ID, f"{prefix}object", f"must be 1..{MAX_OBJECT_ID}")
    require(first >= 0 and first + len(listed) <= num_frames, prefix, f"reaches beyond {num_frames} frames")
    values = np.full(len(listed), np.nan, np.float32)
    for place, value in enumerate(listed):
        if value is not None:
            is_whole = type(value) is int and 0 <= value <= _STEPS
            require(is_whole, f"{prefix}values", f"must hold null and 0..{_STEPS}")
            assert isinstance(value, int)
            values[place] = value / _STEPS
    return Noted(object_id, origin, first, values)
