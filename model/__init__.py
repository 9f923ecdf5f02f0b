"""Networks only: tensors in, tensors out. No memory bank, no loop over frames, no dialogs."""
