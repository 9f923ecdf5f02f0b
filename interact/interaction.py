"""The prompts of one kind on one object of one frame, from the first to the latest."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interact.packed_mask import PackedMask
from interact.prompts import Box, Click, Hint
from util.types import IndexMask, Rect

InteractionKind = Literal["click", "scribble", "box"]


def kind_of(prompt: Hint) -> InteractionKind:
    if isinstance(prompt, Box):
        return "box"
    return "click" if isinstance(prompt, Click) else "scribble"


@dataclass(frozen=True)
class Interaction:
    """Immutable: a further prompt makes a new value, so a worker may read it while the user goes on.

    Args:
        prompts: in the order given; all of one kind, at least one.
        base: the frame's mask before the first prompt; every result is laid over it.
        shown: the frame's mask that the user saw when giving the latest prompt, so what that prompt corrects.
        region: the local region it was given in, which alone may change; None: the whole frame.
    """

    frame: int
    object_id: int
    kind: InteractionKind
    prompts: tuple[Hint, ...]
    base: PackedMask
    shown: PackedMask
    region: Rect | None = None

    @classmethod
    def start(
        cls, frame: int, object_id: int, prompt: Hint, mask: IndexMask, region: Rect | None = None
    ) -> Interaction:
        packed = PackedMask.pack(mask)
        return cls(frame, object_id, kind_of(prompt), (prompt,), packed, packed, region)

    def accepts(self, frame: int, object_id: int, prompt: Hint, region: Rect | None = None) -> bool:
        """Whether `prompt` belongs to this interaction or starts another."""
        if isinstance(prompt, Box):
            return False  # a box stands for the whole object, so another one is another beginning
        own = (self.frame, self.object_id, self.kind, self.region)
        return own == (frame, object_id, kind_of(prompt), region)

    def add(self, prompt: Hint, mask: IndexMask) -> Interaction:
        """This interaction and one more prompt, given while `mask` was shown."""
        return replace(self, prompts=(*self.prompts, prompt), shown=PackedMask.pack(mask))

    @property
    def base_mask(self) -> IndexMask:
        """Read-only uint8 [H, W]."""
        return self.base.unpack()

    @property
    def shown_mask(self) -> IndexMask:
        """Read-only uint8 [H, W]."""
        return self.shown.unpack()

    @property
    def previous(self) -> NDArray[np.bool_]:
        """bool [H, W]: the object as the user saw it when giving the latest prompt."""
        return np.asarray(self.shown_mask == self.object_id, np.bool_)

    @property
    def nbytes(self) -> int:
        return self.base.nbytes + self.shown.nbytes + 64 * len(self.prompts)
