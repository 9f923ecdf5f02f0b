"""Clicks on one frame to a mask by f-BRS or RITM: zooming in, flipping, optimising, and the state after every click."""
