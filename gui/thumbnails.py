"""Small pictures of frames with their masks. `small_picture` runs on any thread, the rest is the GUI thread's."""
from __future__ import annotations

import cv2
import numpy as np
from PyQt5.QtGui import QImage, QPixmap

from util.overlay import compose
from util.palette import OwnColors
from util.types import ImageU8, IndexMask


def small_picture(image: ImageU8, mask: IndexMask, object_id: int, own: OwnColors, width: int) -> ImageU8:
    """The frame `width` pixels wide, uint8 [h, width, 3], with one object's mask on it."""
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    only = np.where(mask == object_id, mask, np.uint8(0))
    ids = cv2.resize(only, (width, height), interpolation=cv2.INTER_NEAREST)
    return compose(np.asarray(small, np.uint8), np.asarray(ids, np.uint8), own=own)


def to_pixmap(picture: ImageU8) -> QPixmap:
    """A copy of uint8 [h, w, 3]."""
    height, width = picture.shape[:2]
    return QPixmap.fromImage(QImage(picture.tobytes(), width, height, 3 * width, QImage.Format_RGB888))
