"""How the click networks are run; the defaults are the published programs' own."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["NoBRS", "RGB-BRS", "DistMap-BRS", "f-BRS-A", "f-BRS-B", "f-BRS-C"]
"""What is optimised so that the answer agrees with the clicks: nothing, the image, the planes of the clicks, or scale
and bias of the features after the backbone (A), the context module (B) or before the last layers (C)."""


@dataclass(frozen=True)
class ZoomSettings:
    """Where the network looks.

    Args:
        skip_clicks: up to so many clicks it sees the whole frame; -1: every click is zoomed, the first to the frame.
        side: longer side of what it sees of the region, in pixels.
        expansion: the region is so many times larger than the object.
        min_region: its least side, in pixels of the frame.
        keep_iou: it stays while it overlaps so much with the one that would be chosen now.
        threshold: probability from which a pixel is the object's.
        longest_side: what it sees is never larger than this.
    """

    skip_clicks: int = 1
    side: int = 480
    expansion: float = 1.4
    min_region: int = 200
    keep_iou: float = 0.5
    threshold: float = 0.5
    longest_side: int = 800


@dataclass(frozen=True)
class BrsSettings:
    """When the optimisation stops, and what it costs to change much.

    Args:
        after_clicks: from the click after this one on.
        threshold: a click counts as obeyed when its pixels are on the right side of this probability.
        min_change: IoU below 1 from which two masks in a row are the same.
        max_evaluations: of the network per click.
        weight: of the squared change.
        bias_weight: of biases, times `weight`.
    """

    after_clicks: int = 1
    threshold: float = 0.5
    min_change: float = 1e-3
    max_evaluations: int = 20
    weight: float = 1e-3
    bias_weight: float = 10.0


@dataclass(frozen=True)
class ClickSettings:
    """One way to run a click network.

    Args:
        clicks_seen: the network sees the first so many clicks; the optimisation sees all.
        is_exact: compute what the published programs compute also where that is a slip of theirs: an object that was
            lost keeps its region, clicks at the border or outside count elsewhere or not, what was found in a region
            goes through the size of the frame.
    """

    mode: Mode = "f-BRS-B"
    clicks_seen: int = 8
    zoom: ZoomSettings = field(default_factory=ZoomSettings)
    brs: BrsSettings = field(default_factory=BrsSettings)
    is_exact: bool = False

    @classmethod
    def of_fbrs(cls, mode: Mode = "f-BRS-B", *, is_exact: bool = False) -> ClickSettings:
        """As MiVOS runs f-BRS."""
        return cls(mode, 5 if mode in ("RGB-BRS", "DistMap-BRS") else 8, is_exact=is_exact)

    @classmethod
    def of_ritm(cls, *, is_exact: bool = False) -> ClickSettings:
        """As FasterMiVOS runs RITM, which learnt to take its previous answer into account instead."""
        return cls("NoBRS", 28, ZoomSettings(skip_clicks=-1), is_exact=is_exact)
