"""What the user does, without Qt and without torch: tools, prompts, undo, the session."""
