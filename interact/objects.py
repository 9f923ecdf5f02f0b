"""The list of objects: ids, names, order and which one is selected. GUI thread."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from util.errors import AppError
from util.observer import Signal
from util.palette import OwnColors, OwnOpacities, Rgb
from util.types import MAX_OBJECT_ID


@dataclass(frozen=True)
class SceneObject:
    """One object, as far as undo is concerned with it.

    Args:
        object_id: 1..254, stable for the life of the project.
        category: its class; may be empty.
        color: RGB, each 0..255; None for the palette's.
        is_locked: nothing may change its pixels, on any frame, unless the user allows it.
    """

    object_id: int
    name: str
    category: str = ""
    color: Rgb | None = None
    is_locked: bool = False


def _by_id(item: SceneObject) -> int:
    return item.object_id


def default_name(object_id: int) -> str:
    return f"object {object_id}"


class ObjectList:
    """Objects from the top of the overlap order to its bottom.

    Ids are never handed out twice, not even after a deletion or its undo: a mask file that was exported in between
    would otherwise show one object under another's id.
    """

    def __init__(
        self,
        items: Iterable[SceneObject],
        next_id: int = 1,
        *,
        hidden: Iterable[int] = (),
        solo: Iterable[int] = (),
        opacities: Mapping[int, float] | None = None,
    ) -> None:
        """Args:
            next_id: the lowest id that was never used; raised past the ids in `items`.
            opacities: as `opacity` says, of the objects that do not have all of it.
        """
        self.changed: Signal[[]] = Signal()
        self._items = tuple(items)
        self._next_id = max([next_id, *(item.object_id + 1 for item in self._items)])
        self._selected = self._items[0].object_id if self._items else None
        self._hidden = frozenset(hidden)
        self._solo = frozenset(solo)
        self._opacities = dict(opacities or {})

    @property
    def items(self) -> tuple[SceneObject, ...]:
        return self._items

    @property
    def order(self) -> tuple[int, ...]:
        """Object ids, the one that hides the others first."""
        return tuple(item.object_id for item in self._items)

    @property
    def selected(self) -> int | None:
        return self._selected

    @property
    def next_id(self) -> int:
        return self._next_id

    def __contains__(self, object_id: object) -> bool:
        return object_id in self.order

    def __len__(self) -> int:
        return len(self._items)

    @property
    def locked(self) -> frozenset[int]:
        """The objects that are locked on every frame."""
        return frozenset(item.object_id for item in self._items if item.is_locked)

    @property
    def own_colors(self) -> OwnColors:
        """Of the objects that do not have the palette's."""
        return tuple((i.object_id, i.color) for i in sorted(self._items, key=_by_id) if i.color is not None)

    @property
    def hidden(self) -> frozenset[int]:
        """The objects whose eye is closed."""
        return self._hidden.intersection(self.order)

    @property
    def solo(self) -> frozenset[int]:
        return self._solo.intersection(self.order)

    @property
    def undrawn(self) -> frozenset[int]:
        """The objects not to be drawn: with a solo all others, else those whose eye is closed."""
        return frozenset(self.order) - self.solo if self.solo else self.hidden

    @property
    def opacities(self) -> OwnOpacities:
        """Of the objects that are drawn fainter than usual."""
        return tuple((i, share) for i, share in sorted(self._opacities.items()) if i in self and share < 1)

    def opacity(self, object_id: int) -> float:
        """The share, 0..1, of the usual opacity with which an object is drawn."""
        return self._opacities.get(object_id, 1.0)

    def set_opacity(self, object_id: int, share: float) -> None:
        """How an object is drawn: no edit, see `show_only`. Raises ValueError for a share outside 0..1."""
        if not 0 <= share <= 1:
            raise ValueError(f"a share of 0..1 expected, got {share}")
        if share != self.opacity(object_id):
            self._opacities[object_id] = share
            self.changed.emit()

    def show_only(self, *, hidden: Iterable[int] | None = None, solo: Iterable[int] | None = None) -> None:
        """What is drawn: no edit, so undo neither takes it back nor is disturbed by it."""
        before = self._hidden, self._solo
        if hidden is not None:
            self._hidden = frozenset(hidden)
        if solo is not None:
            self._solo = frozenset(solo)
        if before != (self._hidden, self._solo):
            self.changed.emit()

    def get(self, object_id: int) -> SceneObject:
        """Raises KeyError for an unknown id."""
        for item in self._items:
            if item.object_id == object_id:
                return item
        raise KeyError(object_id)

    def name(self, object_id: int) -> str:
        """Raises KeyError for an unknown id."""
        return self.get(object_id).name

    def select(self, object_id: int | None) -> None:
        """Raises KeyError for an unknown id."""
        if object_id is not None and object_id not in self:
            raise KeyError(object_id)
        if object_id != self._selected:
            self._selected = object_id
            self.changed.emit()

    def new(self, name: str | None = None) -> SceneObject:
        """Reserve the next id; the object is in the list only after `replace`. AppError when all ids are used."""
        if self._next_id > MAX_OBJECT_ID:
            raise AppError(
                f"A project holds at most {MAX_OBJECT_ID} objects, deleted ones included.",
                "Export the masks and start a new workspace for further objects.",
            )
        self._next_id += 1
        return SceneObject(self._next_id - 1, name or default_name(self._next_id - 1))

    def replace(self, items: Iterable[SceneObject]) -> None:
        """Set the whole list. A selected object that is gone hands the selection to its neighbour.

        Raises:
            ValueError: an id twice or out of range.
        """
        items = tuple(items)
        ids = [item.object_id for item in items]
        if len(set(ids)) != len(ids) or any(not 1 <= i <= MAX_OBJECT_ID for i in ids):
            raise ValueError(f"object ids must be unique and 1..{MAX_OBJECT_ID}, got {ids}")
        if self._selected not in ids:
            place = self.order.index(self._selected) if self._selected is not None else 0
            self._selected = ids[min(place, len(ids) - 1)] if ids else None
        self._items = items
        self._next_id = max([self._next_id, *(i + 1 for i in ids)])
        self.changed.emit()
