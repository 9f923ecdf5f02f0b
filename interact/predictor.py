"""What turns prompts into a mask: declared here, implemented by GrabCut and by the interaction networks."""
from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from interact.interaction import Interaction
from util.jobs import CancelToken
from util.types import ImageU8


class MaskPredictor(Protocol):
    """Runs on the worker thread; keeps nothing between calls that changes a result."""

    def predict(self, image: ImageU8, interaction: Interaction, token: CancelToken) -> NDArray[np.bool_]:
        """The object, bool [H, W]. Positive prompts are inside, negative ones outside.

        Raises:
            util.jobs.Cancelled: through `token`.
        """
