"""meta.json of YouTube-VOS (Xu et al., ECCV 2018): which objects a video has, of which class, in which frames.

    {"videos": {"0062f687f1": {"objects": {"1": {"category": "turtle", "frames": ["00010", "00015", ...]}, ...}}, ...}}
"""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.json_fields import Json, require
from util.errors import AppError
from util.types import MAX_OBJECT_ID

META_NAME = "meta.json"


@dataclass(frozen=True)
class VideoMeta:
    """One video: object -> the frame (its stem) where it is first annotated, and its class."""

    starts: Mapping[int, str]
    categories: Mapping[int, str]


def read_meta(file: Path) -> dict[str, VideoMeta]:
    """Video -> its objects. AppError when the file cannot be read or says something else."""
    try:
        content = _member(json.loads(file.read_text(encoding="utf-8")), "videos", "")
        return {name: _video(video, f"videos.{name}.") for name, video in _object(content, "videos").items()}
    except OSError as error:
        raise AppError(f"{file}: cannot be read ({error}).", "Check the path.") from error
    except ValueError as error:
        raise AppError(f"{file}: is no description of a YouTube-VOS subset: {error}.", "Fetch it again.") from error


def _video(video: Json, prefix: str) -> VideoMeta:
    starts, categories = {}, {}
    objects = _object(_member(video, "objects", prefix), f"{prefix}objects")
    for name, about in objects.items():
        place = f"{prefix}objects.{name}."
        require(name.isdecimal() and 1 <= int(name) <= MAX_OBJECT_ID, place, "must be an object's id")
        frames = _member(about, "frames", place)
        require(isinstance(frames, list) and len(frames) > 0, f"{place}frames", "must be a list of frames")
        assert isinstance(frames, list)
        require(all(isinstance(frame, str) for frame in frames), f"{place}frames", "must be a list of frames")
        starts[int(name)] = min(str(frame) for frame in frames)
        category = _member(about, "category", place)
        require(isinstance(category, str), f"{place}category", "must be a text")
        categories[int(name)] = str(category)
    return VideoMeta(dict(sorted(starts.items())), categories)


def _object(content: Json, name: str) -> dict[str, Json]:
    require(isinstance(content, dict), name or "the file", "must be a JSON object")
    assert isinstance(content, dict)
    return content


def _member(content: Json, name: str, prefix: str) -> Json:
    members = _object(content, prefix.rstrip("."))
    require(name in members, prefix + name, "is missing")
    return members[name]
