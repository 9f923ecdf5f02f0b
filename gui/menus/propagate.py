"""Rows of the table of actions. Propagation."""
from __future__ import annotations

from gui.action_spec import ActionSpec

ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("propagate.backward", "Backward", ("B",),
               "Carry the objects marked on this frame to the frames before it", "Propagate", icon="backward",
               needs=("video", "editable")),
    ActionSpec("propagate.both", "Both", ("P",), "Carry the objects marked on this frame to all frames",
               "Propagate", icon="both", needs=("video", "editable")),
    ActionSpec("propagate.forward", "Forward", ("F",),
               "Carry the objects marked on this frame to the frames after it", "Propagate", icon="forward",
               needs=("video", "editable")),
    ActionSpec("propagate.pause", "Pause", ("Ctrl+P",),
               "Hold the propagation after the frame in hand, and let it go on with the same key", "Propagate",
               needs=("pausable",), is_checkable=True, separator=True),
    ActionSpec("propagate.cancel", "Cancel", ("Esc",),
               "Stop what runs: a propagation keeps the frames already done, an edit takes everything back",
               "Propagate", icon="cancel", needs=("propagating",)),
    ActionSpec("propagate.follow", "Follow the propagation", ("Ctrl+F",),
               "Show each frame as it is done; moving to a frame yourself stops it for this run", "Propagate",
               is_checkable=True, is_checked=True),
    ActionSpec("propagate.stop_at_cuts", "Stop at scene cuts", ("Ctrl+Shift+K",),
               "End a propagation where the video cuts to another scene, and say so", "Propagate", is_checkable=True,
               is_checked=True),
    ActionSpec("propagate.settings", "Propagation settings…", ("Ctrl+Shift+P",),
               "Choose the network, its memory, its size and the device", "Propagate", needs=("video", "editable")),
    ActionSpec("range.first", "Begin here", ("I",),
               "In mark: propagation and export begin at this frame; results outside the marks stay as they are",
               "Propagate", needs=("video",), separator=True),
    ActionSpec("range.last", "End here", ("O",),
               "Out mark: propagation and export end at this frame; results outside the marks stay as they are",
               "Propagate", needs=("video",)),
    ActionSpec("range.clear", "Clear in and out marks", ("Shift+I",),
               "Propagation and export take the whole video again", "Propagate", needs=("video", "range")),
)
