"""Which keys trigger which action: the table's, or those that the user chose instead. GUI thread."""
from __future__ import annotations

import logging
from collections.abc import Mapping

from PyQt5.QtGui import QKeySequence

from gui.action_spec import ActionSpec
from gui.actions import ACTIONS, ActionSet
from gui.settings import Settings
from util.errors import AppError

log = logging.getLogger(__name__)


def normal(keys: str) -> str:
    """One way of writing a key; empty for what Qt does not understand."""
    return QKeySequence(keys).toString(QKeySequence.PortableText)


class KeyMap:
    """Keeps the actions' keys as the settings have them. A key never means two things."""

    def __init__(self, actions: ActionSet, settings: Settings) -> None:
        self._actions = actions
        self._settings = settings
        self._specs: Mapping[str, ActionSpec] = {spec.action_id: spec for spec in ACTIONS}
        own = {action_id: keys for action_id, keys in settings.keys().items() if action_id in self._specs}
        taken = {normal(key): spec.action_id for spec in ACTIONS for key in spec.shortcuts if spec.action_id not in own}
        for action_id, keys in own.items():
            # A newer program may use a key for something else, and files are edited.
            clashing = [key for key in keys if not normal(key) or taken.get(normal(key), action_id) != action_id]
            if clashing:
                log.warning("the key %s of %s is the user's no longer: it is another action's", clashing, action_id)
                settings.keep_keys(action_id, None)
                continue
            taken |= {normal(key): action_id for key in keys}
            actions.set_keys(action_id, keys)

    def keys(self, action_id: str) -> tuple[str, ...]:
        """In use now, the one that is shown first."""
        return self._actions.keys(action_id)

    def is_own(self, action_id: str) -> bool:
        """Whether the user chose the keys."""
        return self.keys(action_id) != self._specs[action_id].shortcuts

    def owner(self, key: str) -> ActionSpec | None:
        """What a key triggers now."""
        wanted = normal(key)
        owners = (spec for spec in ACTIONS if wanted in map(normal, self.keys(spec.action_id)))
        return next(owners, None)

    def set(self, action_id: str, keys: tuple[str, ...]) -> None:
        """Give an action other keys; none at all is allowed. AppError for one that is taken or no key."""
        for key in keys:
            if not normal(key):
                raise AppError(f"“{key}” is no key.", "Press the key, alone or with Ctrl, Shift or Alt.")
            owner = self.owner(key)
            if owner is not None and owner.action_id != action_id:
                raise AppError(
                    f"{QKeySequence(key).toString(QKeySequence.NativeText)} is “{owner.text.rstrip('…')}” already.",
                    "Choose another key, or give that action another one first.",
                )
        chosen = tuple(normal(key) for key in keys)
        is_usual = chosen == tuple(map(normal, self._specs[action_id].shortcuts))
        self._settings.keep_keys(action_id, None if is_usual else chosen)
        self._actions.set_keys(action_id, self._specs[action_id].shortcuts if is_usual else chosen)

    def take(self, action_id: str, key: str) -> None:
        """Give an action one more key, which another one may have and then loses. AppError for what is no key."""
        owner = self.owner(key) if normal(key) else None
        if owner is not None and owner.action_id != action_id:
            self.set(owner.action_id, tuple(k for k in self.keys(owner.action_id) if normal(k) != normal(key)))
        others = tuple(k for k in self.keys(action_id) if normal(k) != normal(key))
        self.set(action_id, (*others, key))

    def reset(self, action_id: str) -> None:
        """The table's keys again. AppError when another action has one of them now."""
        self.set(action_id, self._specs[action_id].shortcuts)

    def reset_all(self) -> None:
        for spec in ACTIONS:
            if self.is_own(spec.action_id):
                self._settings.keep_keys(spec.action_id, None)
                self._actions.set_keys(spec.action_id, spec.shortcuts)
