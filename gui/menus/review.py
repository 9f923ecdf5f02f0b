"""Rows of the table of actions. Finding and settling what is not yet right."""
from __future__ import annotations

from gui.action_spec import ActionSpec

_KINDS = (
    ("suspect", "suspect", "Ctrl", "on which the engine was not sure of the selected object"),
    ("empty", "empty", "Shift", "without the selected object that nobody has called right"),
    ("unverified", "unverified", "Ctrl+Shift", "whose mask of the selected object is not verified yet"),
    ("verified", "verified", "Alt+Shift", "on which the selected object is verified"),
    ("locked", "locked", "Ctrl+Alt", "on which the selected object is locked"),
)


def _rows_to(kind: str, name: str, modifiers: str, what: str) -> tuple[ActionSpec, ActionSpec]:
    needs = ("video", "object")
    return (
        ActionSpec(f"review.previous_{kind}", f"Previous {name} frame", (f"{modifiers}+PgUp",),
                   f"Back to the last frame {what}", "Review", needs=needs, separator=True),
        ActionSpec(f"review.next_{kind}", f"Next {name} frame", (f"{modifiers}+PgDown",),
                   f"On to the next frame {what}", "Review", needs=needs),
    )


ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("review.go", "Go to the frame to correct", ("J",),
               "Go to the frame that is most worth correcting, with its object selected", "Review",
               needs=("video", "advised")),
    ActionSpec("review.advise", "Look for the frame to correct", ("Shift+J",),
               "Judge the masks anew, by the published quality network where its weights are here, else by the "
               "quality that the propagations left", "Review", needs=("video", "editable", "object")),
    *(row for kind in _KINDS for row in _rows_to(*kind)),
    ActionSpec("review.verify_range", "Verified between the marks", ("Alt+Y",),
               "Note that the selected object is right on every frame between the in and out marks, or on the whole "
               "video without them; or take it back where it is noted on all of them", "Review", icon="verified",
               needs=("video", "editable", "object"), separator=True),
    ActionSpec("review.verify_range_all", "All verified between the marks", ("Alt+Shift+Y",),
               "Note that every object is right on every frame between the in and out marks, or take it back", "Review",
               icon="verified", needs=("video", "editable", "object")),
    ActionSpec("review.sheet", "Contact sheet of suspects…", ("Shift+S",),
               "Show the suspect frames of all objects as small pictures; a click goes there", "Review",
               needs=("video", "object"), separator=True),
    ActionSpec("review.check", "Is it done?…", ("Shift+D",),
               "List by object what is missing: frames without mask, frames not verified, suspect frames", "Review",
               needs=("video", "object")),
)
