"""Formats that other programs read and write: masks and pictures out, masks in."""
