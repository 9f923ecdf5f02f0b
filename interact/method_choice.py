"""Which method answers clicks and which scribbles: the user's choice, or the best whose weights are here."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from interact.interaction import Interaction, InteractionKind
from interact.methods import METHODS, Method, find_method
from interact.predictor import MaskPredictor
from interact.windows import Region
from util.jobs import CancelToken
from util.types import ImageU8

AUTO = "auto"


@dataclass(frozen=True)
class Offer:
    """A method that could answer, and whether its weights are here."""

    method: Method
    is_ready: bool


class MethodChoice:
    """A `MaskPredictor` that passes each interaction on to the method chosen for its kind.

    `predict` and `prepare` are the worker thread's, everything else the GUI thread's. A network is built when it is
    first asked or prepared, on that thread, and kept.

    Args:
        build: makes the predictor of a method; raises AppError.
        is_ready: whether a method's weights are here. Asked again each time: weights may be fetched meanwhile.
        wanted: names of methods by kind of prompt; `AUTO`, or nothing, where the best one is wanted.
    """

    def __init__(
        self,
        build: Callable[[Method], MaskPredictor],
        is_ready: Callable[[Method], bool],
        wanted: Mapping[InteractionKind, str] | None = None,
    ) -> None:
        self._build, self._is_ready = build, is_ready
        self._wanted: dict[InteractionKind, str] = dict.fromkeys(get_args(InteractionKind), AUTO)
        self._built: dict[str, MaskPredictor] = {}
        for kind, name in (wanted or {}).items():
            self.choose(kind, name)

    def offers(self, kind: InteractionKind) -> tuple[Offer, ...]:
        """All methods for this kind of prompt, the best first."""
        return tuple(Offer(method, self._is_ready(method)) for method in METHODS if kind in method.kinds)

    def wanted(self, kind: InteractionKind) -> str:
        """A method's name, or `AUTO`."""
        return self._wanted[kind]

    def choose(self, kind: InteractionKind, name: str) -> None:
        """ValueError: no such method, or it does not answer this kind of prompt."""
        if name != AUTO and kind not in find_method(name).kinds:
            raise ValueError(f"{name} does not answer a {kind}")
        self._wanted[kind] = name

    def answering(self, kind: InteractionKind) -> Method:
        """The method that would be asked now. One that the user chose is asked even if its weights are gone."""
        name = self._wanted[kind]
        if name != AUTO:
            return find_method(name)
        return next(offer.method for offer in self.offers(kind) if offer.is_ready)

    def predict(self, image: ImageU8, interaction: Interaction, token: CancelToken) -> Region:
        """See `MaskPredictor`. Also raises what building raises, AppError for weights; the next call tries again."""
        token.check()
        return self.prepare(self.answering(interaction.kind)).predict(image, interaction, token)

    def is_prepared(self, method: Method) -> bool:
        """Any thread."""
        return method.name in self._built

    def prepare(self, method: Method) -> MaskPredictor:
        """The method, built now if it is not yet there; raises what building raises."""
        if method.name not in self._built:
            self._built[method.name] = self._build(method)
        return self._built[method.name]
