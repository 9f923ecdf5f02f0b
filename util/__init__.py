"""Pure helpers: no Qt, no torch; the lowest package, imported by every other."""
