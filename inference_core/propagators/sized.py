"""What every adapter of a network has in common: where it computes, and from the native size to its own and back."""
from __future__ import annotations

from torch import Tensor

from inference_core.device import ComputeDevice
from inference_core.geometry import Geometry
from util.types import Size


class SizedPropagator:
    """The part of a `Propagator` that depends on sizes and the device alone."""

    def __init__(self, geometry: Geometry, compute: ComputeDevice) -> None:
        self._geometry = geometry
        self._compute = compute

    def working_size(self) -> Size:
        return self._geometry.working

    def to_working(self, planes: Tensor) -> Tensor:
        return self._geometry.to_working(self.place(planes))

    def place(self, planes: Tensor) -> Tensor:
        return planes.to(self._compute.device)

    def to_native(self, planes: Tensor) -> Tensor:
        return self._geometry.to_native(planes)
