"""Adapters that turn a network into a Propagator, one file each."""
