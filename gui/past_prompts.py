"""The prompts that the mask on the screen came from, faintly, once their interaction is closed. GUI thread."""
from __future__ import annotations

from gui.markers import Marker
from interact.session import VideoSession
from storage.provenance import GivenPrompt

PROMPT_TOOLS = ("click", "scribble", "box")


def past_markers(session: VideoSession) -> list[Marker]:
    """What was given for the selected object on this frame; nothing while prompts are collected, or another tool is
    in the hand."""
    object_id = session.objects.selected
    if object_id is None or session.interaction is not None or session.tool.name not in PROMPT_TOOLS:
        return []
    source = session.provenance.on(session.frame, object_id)
    return [] if source is None else [_marker(prompt) for prompt in source.prompts]


def _marker(prompt: GivenPrompt) -> Marker:
    if prompt.kind == "box":
        (x0, y0), (x1, y1) = prompt.points
        return Marker("frame", ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), is_past=True)
    return Marker(prompt.kind, prompt.points, prompt.positive, prompt.width or 0.0, is_past=True)
