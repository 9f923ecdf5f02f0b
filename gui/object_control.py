"""What the user does to objects and to their marks on frames: list, menus and keys. GUI thread."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from PyQt5.QtCore import QObject

from gui.cleaning_dialog import CleaningDialog
from gui.object_dialogs import ColorDialog, GoToDialog, Scope, ScopeDialog
from gui.object_row import ObjectRow
from gui.trash_dialog import TrashDialog
from interact.cleaning import Cleaning
from interact.object_plans import cleaned as cleaned_mask
from interact.prompts import Polygon
from interact.session import VideoSession
from util.errors import AppError
from util.palette import Rgb

if TYPE_CHECKING:
    from gui.controller import Controller


OPACITY_STEP = 0.25
"""By a key."""


class ObjectControl(QObject):
    """Acts on the selected object of the open video; its actions are grey without one."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._window = controller.window
        panel = self._window.object_panel
        panel.renamed.connect(lambda object_id, name: self._session.rename_object(object_id, name))
        panel.classed.connect(lambda object_id, name: self._session.set_category(object_id, name))
        panel.moved.connect(lambda object_id, place: self._session.move_object(object_id, place))
        panel.part_clicked.connect(self._on_part_clicked)
        panel.opacity_changed.connect(self._set_opacity)

    def commands(self) -> dict[str, Callable[[], object]]:
        """What the actions of this part do, by their ids."""
        panel = self._window.object_panel
        return {
            "object.delete": lambda: self._session.delete_object(self._selected),
            "object.delete_range": self._ask_delete,
            "object.rename": lambda: panel.edit_selected(is_class=False),
            "object.set_class": lambda: panel.edit_selected(is_class=True),
            "object.set_color": lambda: self._ask_color(self._selected),
            "object.toggle_visible": lambda: self._toggle_visible(self._selected),
            "object.solo": lambda: self._toggle_solo(self._selected),
            "object.fainter": lambda: self._change_opacity(-OPACITY_STEP),
            "object.stronger": lambda: self._change_opacity(OPACITY_STEP),
            "object.lock": lambda: self._toggle_locked(self._selected),
            "object.move_up": lambda: self._move(-1),
            "object.move_down": lambda: self._move(1),
            "object.go_to": self._ask_go_to,
            "object.merge": self._ask_merge,
            "object.restore": self._ask_restore,
            "object.swap": self._ask_swap,
            "object.clean": self._ask_cleaning,
            "object.split": self._ask_split,
            "object.split_drawn": self._draw_split,
            "frame.lock": partial(self._toggle_mark, "locked"),
            "frame.verify": partial(self._toggle_mark, "verified"),
            "frame.verify_all": self._toggle_all_verified,
        }

    @property
    def _session(self) -> VideoSession:
        assert self._controller.video is not None
        return self._controller.video.session

    @property
    def _selected(self) -> int:
        object_id = self._session.objects.selected
        assert object_id is not None
        return object_id

    def _row(self, object_id: int) -> ObjectRow:
        return next(row for row in self._window.object_panel.model.rows if row.object_id == object_id)

    # -- switches

    def _on_part_clicked(self, object_id: int, part: str) -> None:
        """The switches of a row, by `gui.object_row.PARTS`."""
        act = {
            "swatch": self._ask_color, "solo": self._toggle_solo, "lock": self._toggle_locked,
            "eye": self._toggle_visible,
        }[part]
        act(object_id)

    def _toggle_visible(self, object_id: int) -> None:
        """Hide an object, or show it again; its mask is not touched."""
        objects = self._session.objects
        objects.show_only(hidden=objects.hidden ^ {object_id})
        self._session.save()

    def _toggle_solo(self, object_id: int) -> None:
        objects = self._session.objects
        objects.show_only(solo=objects.solo ^ {object_id})
        self._session.save()

    def _change_opacity(self, step: float) -> None:
        share = self._session.objects.opacity(self._selected) + step
        self._set_opacity(min(max(round(share, 2), 0.0), 1.0))

    def _set_opacity(self, share: float) -> None:
        """Of the selected object, as a share of the opacity that all have."""
        if self._controller.video is None or self._session.objects.selected is None:
            return
        self._session.objects.set_opacity(self._selected, share)
        self._session.save()
        shown = f"{share:.0%}".replace("%", " %")
        self._controller.show_message(f"{self._name(self._selected)} is drawn with {shown} of the opacity.")

    def _toggle_locked(self, object_id: int) -> None:
        self._session.set_object_locked(object_id, not self._session.objects.get(object_id).is_locked)

    def _move(self, direction: int) -> None:
        """One place up (-1) or down (1) in the list."""
        order = self._session.objects.order
        place = order.index(self._selected) + direction
        if 0 <= place < len(order):
            self._session.move_object(self._selected, place)

    def _toggle_mark(self, kind: Literal["locked", "verified"]) -> None:
        """Of the selected object on the frame shown."""
        session, object_id = self._session, self._selected
        is_on = object_id in session.marks[kind].on(session.frame)
        session.set_marks(kind, [object_id], [session.frame], on=not is_on)

    def _toggle_all_verified(self) -> None:
        """Of all objects on the frame shown: verified, unless they all are."""
        session = self._session
        every = frozenset(session.objects.order)
        is_on = every <= session.marks["verified"].on(session.frame)
        session.set_marks("verified", every, [session.frame], on=not is_on)

    # -- questions

    def _ask_color(self, object_id: int) -> None:
        item = self._session.objects.get(object_id)

        def chosen(color: Rgb | None) -> None:
            self._try(lambda: self._session.set_color(object_id, color))

        ColorDialog(self._window, f"Colour of {item.name}", item.color, chosen).open()

    def _ask_go_to(self) -> None:
        rows = self._window.object_panel.model.rows
        dialog = GoToDialog(self._window, rows, lambda object_id: self._session.select_object(object_id))
        dialog.open()
        dialog.entry.setFocus()

    def _ask_delete(self) -> None:
        object_id = self._selected
        self._ask_scope(
            "Delete on frames", f"Remove the mask and the marks of {self._name(object_id)}", "frame",
            lambda frames: self._session.delete_object(object_id, frames),
        )

    def _ask_merge(self) -> None:
        object_id = self._selected
        self._ask_other(
            "Merge objects", f"Give the pixels of {self._name(object_id)} to", "all", object_id,
            lambda other, frames: self._session.merge_objects(object_id, other, frames),
        )

    def _ask_restore(self) -> None:
        session = self._session
        journal = session.workspace.journal

        def restore(object_id: int) -> None:
            self._controller.perform(lambda: session.restore_object(object_id))

        TrashDialog(self._window, session.trash, journal.nbytes, journal.quota_bytes, restore).open()

    def _ask_swap(self) -> None:
        object_id = self._selected
        self._ask_other(
            "Swap objects", f"Trade the pixels of {self._name(object_id)} with", "onward", object_id,
            lambda other, frames: self._session.swap_objects(object_id, other, frames),
        )

    def _ask_split(self) -> None:
        object_id = self._selected
        self._ask_scope(
            "Split object", f"Make the loose parts of {self._name(object_id)}, all but the largest, a new object",
            "frame", lambda frames: self._session.split_object(object_id, frames),
        )

    def _draw_split(self) -> None:
        """The next outline that the user closes is around the part that becomes a new object."""
        object_id = self._selected
        self._controller.edit.set_tool("polygon")
        self._session.outline_taker = partial(self._on_split_drawn, object_id)
        self._controller.show_message(f"Draw around the part of {self._name(object_id)} that becomes a new object.")

    def _on_split_drawn(self, object_id: int, outline: Polygon) -> None:
        self._ask_scope(
            "Split object", f"Make this part of {self._name(object_id)} a new object", "frame",
            lambda frames: self._session.split_object(object_id, frames, outline),
        )

    def _ask_cleaning(self) -> None:
        """The dialog shows on the canvas what its settings would make of this frame."""
        session, object_id = self._session, self._selected
        frame, name = session.frame, self._name(object_id)

        def cleaned(cleaning: Cleaning, frames: range | None) -> None:
            self._try(lambda: session.clean_object(object_id, cleaning, frames))

        def show(cleaning: Cleaning | None) -> None:
            video = self._controller.video
            if video is not None and video.session is session:
                video.view.show_trial(None if cleaning is None else cleaned_mask(session, object_id, cleaning, frame))

        dialog = CleaningDialog(self._window, name, len(session.frames), frame, cleaned)
        dialog.changed.connect(show)
        dialog.closed.connect(lambda: show(None))
        show(dialog.cleaning)
        dialog.open()

    def _name(self, object_id: int) -> str:
        return f"“{self._session.objects.name(object_id)}”"

    def _ask_scope(self, title: str, text: str, scope: Scope, act: Callable[[range | None], None]) -> None:
        self._open_scope(title, text, (), scope, lambda other, frames: act(frames))

    def _ask_other(
        self, title: str, text: str, scope: Scope, object_id: int, act: Callable[[int, range | None], None]
    ) -> None:
        others = tuple(row for row in self._window.object_panel.model.rows if row.object_id != object_id)
        if not others:
            raise AppError("There is no other object.", "Add one first, or import masks.")

        def chosen(other: int | None, frames: range | None) -> None:
            assert other is not None
            act(other, frames)

        self._open_scope(title, text, others, scope, chosen)

    def _open_scope(
        self,
        title: str,
        text: str,
        others: tuple[ObjectRow, ...],
        scope: Scope,
        act: Callable[[int | None, range | None], None],
    ) -> None:
        session = self._session

        def answered(other: int | None, frames: range | None) -> None:
            self._try(lambda: act(other, frames))

        ScopeDialog(
            self._window, title, text, others, len(session.frames), session.frame, scope, answered
        ).open()

    def _try(self, act: Callable[[], None]) -> None:
        """An answer comes after the action is over: what the user can mend is a dialog here too."""
        if self._controller.video is None:
            return
        try:
            act()
        except AppError as error:
            self._window.dialogs.show_error("This cannot be done", error)
        self._controller.update_actions()
