"""A row of the table of actions. GUI thread."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PyQt5.QtGui import QKeySequence

Need = Literal["video", "editable", "object", "propagating", "exporting", "undo", "redo", "region", "suggesting",
               "pausable", "range", "trash", "advised"]
"""What the window can be ready for: a video is open; masks may be changed (no propagation runs); an object is
selected; a propagation runs; files are being written; there is a step to undo; one to redo; a local region is set;
the weights of what suggests objects are here; a propagation runs or is paused; an in or out mark is set;
a deleted object can be restored; a frame to correct is known."""

MENUS = ("File", "Edit", "View", "Objects", "Tools", "Play", "Propagate", "Review", "Help")


@dataclass(frozen=True)
class ActionSpec:
    """One row.

    Args:
        action_id: `noun.verb`.
        text: as the menu shows it.
        shortcuts: key sequences; the first one is shown. Empty for an action that is only in the menu.
        tooltip: a sentence for the tooltip, without the shortcut (that is added).
        menu: one of `MENUS`.
        icon: name for `gui.icons.icon`; empty for none.
        group: actions of one group are checkable and exclude each other.
        is_checkable: on/off.
        is_checked: at the start.
        needs: all of these must hold, else the action is grey.
        separator: a line before it in the menu.
        in_menu: False for actions that only have a key.
    """

    action_id: str
    text: str
    shortcuts: tuple[str, ...]
    tooltip: str
    menu: str
    icon: str = ""
    group: str = ""
    is_checkable: bool = False
    is_checked: bool = False
    needs: tuple[Need, ...] = ()
    separator: bool = False
    in_menu: bool = True


def keys_text(keys: Sequence[str]) -> str:
    """What a tooltip says of the keys, after its sentence; nothing without any."""
    shown = ", ".join(QKeySequence(key).toString(QKeySequence.NativeText) for key in keys)
    return f" ({shown})" if shown else ""
