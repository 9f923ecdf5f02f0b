"""Where a better product and exact reproduction of the published systems differ, in one frozen value."""
from __future__ import annotations

from dataclasses import dataclass

from inference_core.memory_bank import Duplicates


@dataclass(frozen=True)
class CompatPolicy:
    """How the core treats repeated annotation, stored probabilities and unknown objects.

    Args:
        duplicates: what annotating a frame again does to its memory: "replace" it, or "keep" both entries.
        exact_probabilities: keep every prob as float32 with its padding, for all frames (those never visited count as
            empty results to fuse with), instead of compactly and only where there is one.
        hide_unstarted: leave out objects of which no key frame shows a pixel yet.
    """

    duplicates: Duplicates
    exact_probabilities: bool
    hide_unstarted: bool

    @classmethod
    def product(cls) -> CompatPolicy:
        """What annotators want."""
        return cls("replace", exact_probabilities=False, hide_unstarted=True)

    @classmethod
    def published(cls) -> CompatPolicy:
        """What MiVOS and its descendants compute (compat facts, sections 5 and 6 of the STCN branch)."""
        return cls("keep", exact_probabilities=True, hide_unstarted=False)
