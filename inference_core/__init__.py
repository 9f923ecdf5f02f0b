"""The engine: propagators, memory, fusion and the InferenceCore that ties them to a video."""
