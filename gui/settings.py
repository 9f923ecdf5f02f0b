"""What the window remembers from one day to the next. GUI thread."""
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QByteArray, QSettings

from gui.colors import THEMES, ThemeName
from gui.forecast import Pace
from gui.view_modes import MODES, ViewMode
from interact.interaction import InteractionKind
from interact.method_choice import AUTO
from interact.methods import METHODS

MAX_RECENT = 10
DEFAULT_OPACITY = 0.5


class Settings:
    """Typed access to the user's settings file. Values that make no sense (an edited file) count as absent."""

    def __init__(self) -> None:
        self._store = QSettings("video-masks", "window")

    def bytes_of(self, key: str) -> QByteArray | None:
        """A saved window or splitter state."""
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) and not value.isEmpty() else None

    def keep_bytes(self, key: str, value: QByteArray) -> None:
        self._store.setValue(key, value)

    @property
    def recent(self) -> list[Path]:
        """Videos and folders opened lately that still exist, the latest first."""
        value = self._store.value("recent", [])
        names = [value] if isinstance(value, str) else list(value or [])
        return [path for name in names if isinstance(name, str) and (path := Path(name)).exists()][:MAX_RECENT]

    def add_recent(self, path: Path) -> None:
        paths = [path.absolute(), *(other for other in self.recent if other != path.absolute())]
        self._store.setValue("recent", [str(item) for item in paths[:MAX_RECENT]])

    @property
    def folder(self) -> Path:
        """Where file dialogs start: beside the video opened last."""
        recent = self.recent
        return recent[0].parent if recent else Path.home()

    @property
    def opacity(self) -> float:
        try:
            value = float(self._store.value("opacity", DEFAULT_OPACITY))
        except (TypeError, ValueError):
            return DEFAULT_OPACITY
        return value if 0 <= value <= 1 else DEFAULT_OPACITY

    @opacity.setter
    def opacity(self, value: float) -> None:
        self._store.setValue("opacity", value)

    @property
    def contour(self) -> bool:
        return self._is_on("contour", True)

    @contour.setter
    def contour(self, value: bool) -> None:
        self._keep_on("contour", value)

    @property
    def view_mode(self) -> ViewMode:
        name = self._store.value("view_mode", MODES[0])
        return next((mode for mode in MODES if mode == name), MODES[0])

    @view_mode.setter
    def view_mode(self, value: ViewMode) -> None:
        self._store.setValue("view_mode", value)

    @property
    def minimap(self) -> bool:
        return self._is_on("minimap", True)

    @minimap.setter
    def minimap(self, value: bool) -> None:
        self._keep_on("minimap", value)

    @property
    def loop(self) -> bool:
        return self._is_on("loop", False)

    @loop.setter
    def loop(self, value: bool) -> None:
        self._keep_on("loop", value)

    @property
    def pen_pressure(self) -> bool:
        return self._is_on("pen_pressure", True)

    @pen_pressure.setter
    def pen_pressure(self, value: bool) -> None:
        self._keep_on("pen_pressure", value)

    @property
    def theme(self) -> ThemeName:
        name = self._store.value("theme", "dark")
        return next((theme for theme in THEMES if theme == name), "dark")

    @theme.setter
    def theme(self, value: ThemeName) -> None:
        self._store.setValue("theme", value)

    @property
    def tips_seen(self) -> bool:
        return self._is_on("tips_seen", False)

    @tips_seen.setter
    def tips_seen(self, value: bool) -> None:
        self._keep_on("tips_seen", value)

    def keys(self) -> dict[str, tuple[str, ...]]:
        """The actions that the user gave other keys, by id; an empty tuple is no key."""
        self._store.beginGroup("keys")
        found = {name: str(self._store.value(name, "")) for name in self._store.childKeys()}
        self._store.endGroup()
        return {name: tuple(text.split("\n")) if text else () for name, text in found.items()}

    def keep_keys(self, action_id: str, keys: Sequence[str] | None) -> None:
        """None: the table's keys again."""
        if keys is None:
            self._store.remove(f"keys/{action_id}")
        else:
            self._store.setValue(f"keys/{action_id}", "\n".join(keys))

    def _is_on(self, key: str, default: bool) -> bool:
        value = str(self._store.value(key, "")).lower()
        return value == "true" if value in ("true", "false") else default

    def _keep_on(self, key: str, value: bool) -> None:
        self._store.setValue(key, "true" if value else "false")

    @property
    def engine(self) -> dict[str, object]:
        """How propagation is done, as far as the user chose; see `gui.engine_settings`."""
        try:
            value = json.loads(str(self._store.value("engine", "{}")))
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @engine.setter
    def engine(self, value: dict[str, object]) -> None:
        self._store.setValue("engine", json.dumps(value))

    def pace(self, key: str) -> Pace | None:
        """What a propagation did last; `key`: by which engine, on which size."""
        try:
            per_second, memory = (float(part) for part in str(self._store.value(f"pace/{key}", "")).split())
        except ValueError:
            return None
        return Pace(per_second, memory) if per_second > 0 <= memory else None

    def keep_pace(self, key: str, pace: Pace) -> None:
        self._store.setValue(f"pace/{key}", f"{pace.per_second:.6g} {pace.memory_bytes:.6g}")

    def method(self, kind: InteractionKind) -> str:
        """What answers this kind of prompt; `auto` unless the user chose."""
        name = self._store.value(f"method/{kind}", AUTO)
        return name if any(name == method.name and kind in method.kinds for method in METHODS) else AUTO

    def keep_method(self, kind: InteractionKind, name: str) -> None:
        self._store.setValue(f"method/{kind}", name)

    def save(self) -> None:
        self._store.sync()
