"""The table of actions: a file of rows for every menu."""
