"""Everything that touches the disk: frames, masks, workspace, exports. No Qt, no torch."""
