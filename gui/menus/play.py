"""Rows of the table of actions. Going through the video."""
from __future__ import annotations

from gui.action_spec import ActionSpec

ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("play.toggle", "Play or pause", ("Space",), "Play or pause the video", "Play", icon="play",
               needs=("video",)),
    ActionSpec("play.loop", "Loop", ("Shift+Space",),
               "Play the video, or the part between the in and out marks, again and again", "Play", icon="loop",
               is_checkable=True),
    ActionSpec("frame.previous", "Previous frame", ("Left",), "One frame back", "Play", icon="previous",
               needs=("video",), separator=True),
    ActionSpec("frame.next", "Next frame", ("Right",), "One frame on", "Play", icon="next", needs=("video",)),
    ActionSpec("frame.previous_10", "10 frames back", ("Shift+Left",), "Ten frames back", "Play",
               needs=("video",)),
    ActionSpec("frame.next_10", "10 frames on", ("Shift+Right",), "Ten frames on", "Play", 
               needs=("video",)),
    ActionSpec("frame.first", "First frame", ("Home",), "To the first frame", "Play", icon="first",
               needs=("video",)),
    ActionSpec("frame.last", "Last frame", ("End",), "To the last frame", "Play", icon="last", needs=("video",)),
    ActionSpec("frame.go_to", "Go to frame…", ("Ctrl+G",), "Go to a frame by its number or time", "Play",
               needs=("video",)),
    ActionSpec("frame.previous_key", "Previous key frame", ("Ctrl+Left",), "Back to the frame you marked before",
               "Play", needs=("video",), separator=True),
    ActionSpec("frame.next_key", "Next key frame", ("Ctrl+Right",), "On to the frame you marked next", "Play",
               needs=("video",)),
)
