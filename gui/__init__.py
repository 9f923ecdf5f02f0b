"""The PyQt5 window. Nothing below this package imports Qt."""
