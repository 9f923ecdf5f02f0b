"""One undoable step: a list of small reversible changes. A step restores the state exactly and runs no network."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from interact.baselines import Baseline, Baselines
from interact.frame_marks import FrameMarks, MarkKind
from interact.interaction import Interaction
from interact.objects import ObjectList, SceneObject
from storage.mask_delta import MaskDelta
from storage.mask_store import MaskStore
from storage.provenance import Provenance, Span
from util.errors import AppError


class Scene(Protocol):
    """What changes work on; `VideoSession` is one."""

    @property
    def masks(self) -> MaskStore: ...
    @property
    def objects(self) -> ObjectList: ...
    @property
    def key_frames(self) -> FrameMarks:
        """`marks["key"]`."""

    @property
    def marks(self) -> Mapping[MarkKind, FrameMarks]: ...
    @property
    def baselines(self) -> Baselines: ...
    @property
    def provenance(self) -> Provenance: ...
    def set_interaction(self, interaction: Interaction | None) -> None: ...


class Change(Protocol):
    """`revert` undoes exactly what `apply` did; both may be called again and again, in turn."""

    def apply(self, scene: Scene) -> None: ...
    def revert(self, scene: Scene) -> None: ...
    @property
    def nbytes(self) -> int: ...


@dataclass(frozen=True)
class MaskChange:
    """The pixels of one frame."""

    delta: MaskDelta

    def apply(self, scene: Scene) -> None:
        """AppError: another program changed the mask meanwhile."""
        _apply(scene, self.delta)

    def revert(self, scene: Scene) -> None:
        """AppError: another program changed the mask meanwhile."""
        _apply(scene, self.delta.invert())

    @property
    def nbytes(self) -> int:
        return self.delta.nbytes


@dataclass(frozen=True)
class MarkChange:
    """Which objects carry a mark on some frames."""

    kind: MarkKind
    before: Mapping[int, frozenset[int]]
    after: Mapping[int, frozenset[int]]

    def apply(self, scene: Scene) -> None:
        scene.marks[self.kind].replace(self.after)

    def revert(self, scene: Scene) -> None:
        scene.marks[self.kind].replace(self.before)

    @property
    def nbytes(self) -> int:
        return 256 * len(self.after)


@dataclass(frozen=True)
class BaselineChange:
    """What a frame's corrections are compared with."""

    frame: int
    before: Baseline | None
    after: Baseline | None

    def apply(self, scene: Scene) -> None:
        scene.baselines.put(self.frame, self.after)

    def revert(self, scene: Scene) -> None:
        scene.baselines.put(self.frame, self.before)

    @property
    def nbytes(self) -> int:
        return sum(item.nbytes for item in (self.before, self.after) if item is not None)


@dataclass(frozen=True)
class InteractionChange:
    """The prompts that are being collected."""

    before: Interaction | None
    after: Interaction | None

    def apply(self, scene: Scene) -> None:
        scene.set_interaction(self.after)

    def revert(self, scene: Scene) -> None:
        scene.set_interaction(self.before)

    @property
    def nbytes(self) -> int:
        return sum(item.nbytes for item in (self.before, self.after) if item is not None)


@dataclass(frozen=True)
class ObjectsChange:
    """The object list and its selection."""

    before: tuple[SceneObject, ...]
    after: tuple[SceneObject, ...]
    selected_before: int | None
    selected_after: int | None

    def apply(self, scene: Scene) -> None:
        scene.objects.replace(self.after)
        scene.objects.select(self.selected_after)

    def revert(self, scene: Scene) -> None:
        scene.objects.replace(self.before)
        scene.objects.select(self.selected_before)

    @property
    def nbytes(self) -> int:
        return 128 * (len(self.before) + len(self.after))


@dataclass(frozen=True)
class ProvenanceChange:
    """Where the masks of some frames come from; both cover the same frames."""

    before: tuple[Span, ...]
    after: tuple[Span, ...]

    def apply(self, scene: Scene) -> None:
        scene.provenance.put(self.after)

    def revert(self, scene: Scene) -> None:
        scene.provenance.put(self.before)

    @property
    def nbytes(self) -> int:
        return 256 * (len(self.before) + len(self.after))


@dataclass(frozen=True)
class Step:
    """What one "undo" takes back.

    Args:
        label: for the menu, "undo <label>".
        frame: where to look at it; None when it belongs to no frame.
        changes: applied in order, reverted in reverse order.
        deleted: the objects that it takes away with their pixels, for the list of those that can be restored.
    """

    label: str
    frame: int | None
    changes: tuple[Change, ...]
    deleted: tuple[SceneObject, ...] = ()

    def apply(self, scene: Scene) -> None:
        for change in self.changes:
            change.apply(scene)

    def revert(self, scene: Scene) -> None:
        for change in reversed(self.changes):
            change.revert(scene)

    @property
    def nbytes(self) -> int:
        return sum(change.nbytes for change in self.changes)

    def touches(self, frame: int) -> bool:
        """Whether this step changes pixels or marks of `frame`."""
        return any(
            (isinstance(change, MaskChange) and change.delta.frame == frame)
            or (isinstance(change, MarkChange) and frame in change.after)
            for change in self.changes
        )


def _apply(scene: Scene, delta: MaskDelta) -> None:
    try:
        scene.masks.apply(delta)
    except ValueError as error:
        raise AppError(
            f"{scene.masks.path(delta.frame)} is not the mask that this step knows: another program changed it.",
            "Undo and redo end here; all other tools go on.",
        ) from error
