"""Objects found without being shown: RVOS without masks (Ventura et al., CVPR 2019) as an `ObjectProposer`."""
from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from inference_core import registry
from inference_core.api import ObjectProposer, Proposal
from inference_core.device import ComputeDevice, open_device
from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.propagators.rvos import encode, open_network
from model import zoo
from model.rvos import RVOS, Hidden
from util.config import AppConfig
from util.types import ImageU8, Size

_INSIDE = 0.5
"""Published: a pixel above one half belongs to the object."""


class RvosProposer:
    """The i-th object of a frame is the i-th of the frame before: the network carries each one's hidden maps on."""

    engine = "rvos"

    def __init__(
        self, network: RVOS, geometry: Geometry, compute: ComputeDevice, settings: Mapping[str, str | int | float]
    ) -> None:
        self.device = str(compute)
        self.settings = settings
        self._network: RVOS | None = network
        self._geometry = geometry
        self._compute = compute
        self._hidden: Hidden | None = None

    def start(self) -> None:
        self._hidden = None

    @torch.inference_mode()
    def propose(self, image: ImageU8) -> tuple[Proposal, ...]:
        network, size = self._network, self._geometry.working
        if network is None:
            raise RuntimeError("propose() after close()")
        skips = encode(network, self._geometry, self._compute, image).maps
        with self._compute.autocast():
            logits, self._hidden = network.decoder(
                skips, size, network.settings.maxseqlen, hidden=self._hidden
            )
        proposals = []
        for number, plane in enumerate(logits.float().sigmoid(), 1):
            prob = self._geometry.to_native(plane[None])[0].cpu().numpy()
            inside = prob > _INSIDE
            if inside.any():
                proposals.append(Proposal(number, prob, float(prob[inside].mean())))
        return tuple(proposals)

    def close(self) -> None:
        self._network, self._hidden = None, None


def build_proposer(config: AppConfig, native: Size, weights: Path | None, *, spare_cores: int = 0) -> ObjectProposer:
    """What finds objects on frames of this size.

    Args:
        weights: folder of a zero-shot network; None for its usual place.
        spare_cores: as for `inference_core.factory.build_core`.

    Raises:
        AppError: the engine of `config` finds no objects; weights missing or wrong; device not there.
    """
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - spare_cores))
    name = registry.proposal_weights(config.engine)
    compute = open_device(config.device, mixed_precision=not config.no_amp)
    path = zoo.resolve(name, weights)
    network, geometry = open_network(EngineSetup(native, path, compute, short_side=config.size), takes_mask=False)
    settings = {"weights": str(path), "working_size": str(geometry.working), "objects": network.settings.maxseqlen}
    return RvosProposer(network, geometry, compute, settings)
