"""Scores of masks against ground truth, by the definitions of the public benchmarks."""
