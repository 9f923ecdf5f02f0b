"""How a project is looked at, kept with it in project.json: brightness, contrast, and how opaque single objects are.

No edit: undo has nothing to do with it, and an older or newer program that does not know it leaves it alone.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.json_fields import Json

KEY = "view"
"""In the project's settings."""
LEVEL_LIMIT = 100


@dataclass(frozen=True)
class ViewSettings:
    """Args:
        brightness, contrast: -100..100 of the frame on screen; 0 leaves it as it is.
        opacities: by object id, the share 0..1 of the usual opacity; objects that are not named have all of it.
    """

    brightness: int = 0
    contrast: int = 0
    opacities: Mapping[int, float] = field(default_factory=dict)


def read_view(settings: Mapping[str, Json]) -> ViewSettings:
    """From a project's settings; values that make no sense (an edited file) count as absent."""
    content = settings.get(KEY)
    if not isinstance(content, dict):
        return ViewSettings()
    listed = content.get("opacities")
    opacities: dict[int, float] = {}
    for name, value in (listed if isinstance(listed, dict) else {}).items():
        share = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 1.0
        if name.isdecimal() and 0 <= share < 1:
            opacities[int(name)] = share
    return ViewSettings(_level(content.get("brightness")), _level(content.get("contrast")), opacities)


def with_view(settings: Mapping[str, Json], view: ViewSettings) -> dict[str, Json]:
    """A project's settings with these; what is as usual is left out."""
    opacities: dict[str, Json] = {
        str(object_id): round(share, 3) for object_id, share in sorted(view.opacities.items()) if share < 1
    }
    content: dict[str, Json] = {"brightness": view.brightness, "contrast": view.contrast, "opacities": opacities}
    result = {name: value for name, value in settings.items() if name != KEY}
    if view.brightness or view.contrast or opacities:
        result[KEY] = content
    return result


def _level(value: Json) -> int:
    is_level = type(value) is int and math.fabs(value) <= LEVEL_LIMIT
    return value if is_level and isinstance(value, int) else 0
