"""Connected areas of an index mask."""
from __future__ import annotations

import cv2
import numpy as np

from interact.prompts import Point
from util.raster import Patch
from util.types import IndexMask, Rect, Size


def area_at(mask: IndexMask, at: Point) -> Patch:
    """The connected pixels of one value around a point; corners alone do not connect."""
    size = Size(*mask.shape)
    row, column = min(max(int(at.y), 0), size.height - 1), min(max(int(at.x), 0), size.width - 1)
    same = (mask == mask[row, column]).astype(np.uint8)
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(same, connectivity=4)
    part = int(parts[row, column])
    x, y, width, height = (int(value) for value in boxes[part, :4])
    rect = Rect(x, y, x + width, y + height)
    return Patch(rect, np.asarray(parts[rect.slices] == part, np.bool_))
