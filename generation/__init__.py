"""Synthetic videos with exact masks."""
