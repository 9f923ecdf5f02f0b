"""Rows of the table of actions. Opening, importing, exporting."""
from __future__ import annotations

from gui.action_spec import ActionSpec

ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("file.open_video", "Open video…", ("Ctrl+O",), "Open a video file", "File", icon="open-video"),
    ActionSpec("file.open_folder", "Open folder of images…", ("Ctrl+Shift+O",),
               "Open a folder of images as a video", "File", icon="open-folder"),
    ActionSpec("file.open_recent", "Open recent", (), "Videos and folders opened lately", "File"),
    ActionSpec("file.open_example", "Open the example", (), "Open the example video that comes with the program",
               "File"),
    ActionSpec("file.import_masks", "Import masks…", ("Ctrl+I",),
               "Take masks from a folder: PNG files named like their frames, or another program's export",
               "File", needs=("video", "editable"), separator=True),
    ActionSpec("file.import_file", "Import masks from a file…", ("Ctrl+Shift+I",),
               "Take masks from COCO JSON, a MOTS text file or one picture", "File", needs=("video", "editable")),
    ActionSpec("file.merge", "Merge another project…", ("Ctrl+M",),
               "Take over what somebody else did on the same video: on some frames, some objects; what is locked, "
               "verified or marked by hand here stays", "File", icon="merge", needs=("video", "editable")),
    ActionSpec("file.export_masks", "Export…", ("Ctrl+E",),
               "Write masks, cut-outs or videos in the format of your choice", "File", icon="export",
               needs=("video", "editable")),
    ActionSpec("file.export_overlay", "Export overlay video…", ("Ctrl+Shift+E",),
               "Write the video with its masks drawn over it", "File", icon="export", needs=("video", "editable")),
    ActionSpec("file.cancel_export", "Cancel export", (), "Stop the export; nothing half-written is left", "File",
               needs=("exporting",)),
    ActionSpec("file.quit", "Quit", ("Ctrl+Q",), "Save and close the window", "File", separator=True),
)
