"""The text of "Keys and about", made from the table of actions so that it cannot disagree with it."""
from __future__ import annotations

from html import escape
from pathlib import Path

from PyQt5.QtGui import QKeySequence

from gui.action_spec import MENUS, ActionSpec
from gui.actions import ACTIONS

LICENSES = (
    "The program is MIT-licensed; it uses PyQt5, which is under the GPL 3. The weights have a licence of their own "
    "(WEIGHTS_LICENSE.md). Nothing leaves this machine."
)

_ROW = "<tr><td style='white-space: pre'><b>{}</b>&nbsp;&nbsp;</td><td style='white-space: pre'>{}</td></tr>"


def _keys(spec: ActionSpec) -> str:
    return ", ".join(QKeySequence(keys).toString(QKeySequence.NativeText) for keys in spec.shortcuts)


def _table(menu: str) -> str:
    rows = [
        _ROW.format(escape(_keys(spec)), escape(spec.text.rstrip("…")))
        for spec in ACTIONS
        if spec.menu == menu and spec.shortcuts and not spec.action_id.startswith("object.select_")
    ]
    if menu == "Objects":
        rows.append(_ROW.format("1 … 9", "Select this object"))
    return f"<p><b>{menu}</b></p><table cellpadding='1'>{''.join(rows)}</table>" if rows else ""


def about_text(engine: str, workspace: Path | None) -> str:
    """Rich text: all keys in three columns, the mouse, the engine, where the masks are kept."""
    columns = (("File", "Edit", "Tools"), ("Play", "View"), ("Objects", "Propagate"))
    assert {menu for column in columns for menu in column} | {"Help"} == set(MENUS)
    cells = "".join(
        f"<td style='padding-right: 28px'>{''.join(_table(menu) for menu in column)}</td>" for column in columns
    )
    mouse = (
        "<p><b>Mouse</b> – wheel: zoom at the pointer; middle button, or Space and drag: move the picture; "
        "Ctrl and wheel: size of the brush; wheel on the timeline: zoom in time.</p>"
    )
    place = f"<p>Masks of this video are kept in {escape(str(workspace))}.</p>" if workspace is not None else ""
    return f"<table><tr>{cells}</tr></table>{mouse}<p>{escape(engine)}</p>{place}<p>{LICENSES}</p>"
