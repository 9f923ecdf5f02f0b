"""The text of "About". Keys are not in it: they have a page of their own (`gui.cheat_sheet`)."""
from __future__ import annotations

from html import escape
from pathlib import Path

LICENSES = (
    "The program is MIT-licensed; it uses PyQt5, which is under the GPL 3. The weights have a licence of their own "
    "(WEIGHTS_LICENSE.md). Nothing leaves this machine."
)


def about_text(engine: str, workspace: Path | None) -> str:
    """Rich text: the engine, where the masks are kept, licences."""
    place = f"<p>Masks of this video are kept in {escape(str(workspace))}.</p>" if workspace is not None else ""
    what = "<p>Mark objects in a video and carry their masks through it.</p>"
    return f"{what}<p>{escape(engine)}</p>{place}<p>{LICENSES}</p>"
