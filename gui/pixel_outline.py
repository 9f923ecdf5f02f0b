"""Object outlines along the edges of pixels, for a close look: thin lines that hide no pixel.

`util.overlay` draws outlines into the pixels inside an object, which is right while a pixel is small on the screen.
"""
from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QLineF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPen

from util.palette import OwnColors, object_color
from util.types import IGNORE, IndexMask
from util.view_transform import ViewTransform

LINE = 1.6
SELECTED_LINE = 2.6


def paint_outlines(
    painter: QPainter,
    mask: IndexMask,
    view: ViewTransform,
    region: QRectF,
    *,
    hidden: Collection[int],
    selected: int | None,
    own: OwnColors,
) -> None:
    """Paint the outlines of all objects that are not hidden, as far as they show in the widget rectangle `region`.

    Args: own: colours of the objects that have another one than the palette's.
    """
    reach = SELECTED_LINE + 1
    rect = view.visible_pixels(
        region.left() - reach, region.top() - reach, region.right() + reach, region.bottom() + reach
    )
    # One pixel more on each side: an edge needs both its neighbours.
    rect = rect.grown(1).clipped(view.image)
    if rect.is_empty:
        return
    ids = mask[rect.slices].copy()
    ids[np.isin(ids, [*hidden, IGNORE])] = 0
    if not ids.any():
        return
    across, down = edge_runs(ids, selected), edge_runs(ids.T, selected)[:, [1, 0, 3, 2, 4]]
    runs = np.concatenate((across, down))
    places = (runs[:, :4] + [rect.x0, rect.y0] * 2) * view.scale + [view.offset_x, view.offset_y] * 2
    for object_id in np.unique(runs[:, 4]).tolist():
        width = SELECTED_LINE if object_id == selected else LINE
        color = QColor(*object_color(object_id, dict(own).get(object_id)))
        painter.setPen(QPen(color, width, Qt.SolidLine, Qt.SquareCap))
        painter.drawLines([QLineF(*line) for line in places[runs[:, 4] == object_id].tolist()])


def edge_runs(ids: IndexMask, selected: int | None) -> NDArray[np.int64]:
    """Vertical borders between pixels of different ids, as long straight lines.

    Args:
        ids: uint8 [h, w]. The array's own edge is no border.
        selected: this object owns all its borders; another border between two objects belongs to the higher id.

    Returns: int64 [n, 5]: x, top y, x, bottom y in pixels from the array's corner, id of the owner (not 0).
    """
    left, right = ids[:, :-1], ids[:, 1:]
    owner = np.maximum(left, right)
    if selected is not None:
        owner[(left == selected) | (right == selected)] = selected
    owner[left == right] = 0
    # A run is a stretch of one owner down a column; transposed, nonzero() lists starts and ends column by column, so
    # that the n-th start belongs to the n-th end.
    columns = np.pad(owner.T, ((0, 0), (1, 1)))
    changes = columns[:, 1:] != columns[:, :-1]
    column, top = np.nonzero(changes & (columns[:, 1:] != 0))
    bottom = np.nonzero(changes & (columns[:, :-1] != 0))[1]
    x = column + 1
    return np.stack((x, top, x, bottom, columns[column, top + 1]), axis=1).astype(np.int64)
