"""Shows on the canvas what the soft edge of an export will look like, while the export dialog is open. GUI thread."""
from __future__ import annotations

import math
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QObject

from gui.export_dialog import ExportDialog, ExportWish
from storage.exchange.alpha import soft_alpha
from storage.exchange.material import Edge
from util.types import IndexMask, Rect, Size

if TYPE_CHECKING:
    from gui.controller import OpenVideo


class MattePreview(QObject):
    """Belongs to the dialog. Args: now: the video that is open."""

    def __init__(self, dialog: ExportDialog, now: Callable[[], OpenVideo | None]) -> None:
        super().__init__(dialog)
        self._now = now
        self._dialog = dialog
        self._video: OpenVideo | None = None
        dialog.preview_changed.connect(self._show)

    def watch(self, video: OpenVideo) -> None:
        """Follow the frames and masks of a video that is open."""
        if video is not self._video:
            self._video = video
            video.view.shown.connect(partial(self._follow, video))
            video.view.player.playing_changed.connect(partial(self._follow, video))
            video.session.mask_changed.connect(partial(self._follow, video))
        self._show(self._dialog.wish)

    def _follow(self, video: OpenVideo, *change: object) -> None:
        if video is self._video and self._dialog.isVisible():
            self._show(self._dialog.wish)

    def _show(self, wish: ExportWish) -> None:
        """Nothing while it plays: a matte takes longer than a frame may."""
        video, dialog = self._video, self._dialog
        if video is None or video is not self._now():
            return
        is_wanted = dialog.isVisible() and dialog.shows_preview and not video.view.player.is_playing
        session = video.session
        if is_wanted and video.view.is_current:
            video.view.show_matte(matte(session.masks.get(session.frame), wish.object_ids, wish.edge))
        else:
            video.view.show_matte(None)


def matte(mask: IndexMask, object_ids: Collection[int], edge: Edge) -> NDArray[np.uint8]:
    """uint8 [H, W], 0 outside to 255 inside: what the objects make together. Only around them anything is computed."""
    table = np.zeros(256, np.uint8)
    table[list(object_ids)] = 1
    region = cv2.LUT(mask, table)
    alpha = np.zeros(mask.shape, np.uint8)
    left, top, width, height = cv2.boundingRect(region)
    if width:
        margin = abs(edge.grow) + math.ceil(3 * edge.feather) + 2
        around = Rect(left, top, left + width, top + height).grown(margin).clipped(Size(*mask.shape)).slices
        alpha[around] = (soft_alpha(np.asarray(region[around] > 0, np.bool_), edge) >> 8).astype(np.uint8)
    return alpha
