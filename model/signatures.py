"""Which network a set of tensors belongs to, told by a few tensors that no other network has. No torch here.

Networks that this program does not contain are listed too, so that their files are called by name when they are given
by mistake. Key names and shapes: the lists of the published systems' state dicts.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]
Shapes: TypeAlias = Mapping[str, Shape]


@dataclass(frozen=True)
class Signature:
    """What tells a network, or one variant of it, from all others.

    Args:
        network: name that the variants of one network share; `model.zoo` refers to it.
        title: for messages.
        tensors: key -> shape of tensors that must be there; None for any shape.
        absent: keys that must not be there.
    """

    network: str
    title: str
    tensors: Mapping[str, Shape | None]
    absent: tuple[str, ...] = ()

    def fits(self, shapes: Shapes) -> bool:
        """Whether these are its tensors."""
        return all(key in shapes and shape in (None, shapes[key]) for key, shape in self.tensors.items()) and not any(
            key in shapes for key in self.absent
        )


_STCN_STEM = "value_encoder.conv1.weight"
_STCN_GATE = "value_encoder.fuser.attention.ChannelGate.mlp.1.weight"
_STCN: Mapping[str, Shape | None] = {
    "key_proj.key_proj.weight": (64, 1024, 3, 3), "value_encoder.fuser.block1.conv1.weight": None,
}
_FBRS: Mapping[str, Shape | None] = {"rgb_conv.0.weight": (8, 5, 1, 1)}
_RITM: Mapping[str, Shape | None] = {"maps_transform.0.weight": (16, 3, 1, 1)}
_BACKBONE = "feature_extractor.backbone."
_BRANCH = "feature_extractor.stage2.0.branches.0.0.conv1.weight"
_LARGE_ONLY = "feature_extractor.stage4.2.branches.0.0.conv1.weight"
_GATES = "clstm_list.0.Gates.weight"


def _hrnet(network: str, name: str, base: Mapping[str, Shape | None]) -> tuple[Signature, ...]:
    small, wide = {**base, _BRANCH: (18, 18, 3, 3)}, {**base, _BRANCH: (32, 32, 3, 3)}
    return (
        Signature(network, f"{name} with the small HRNet-18", small, (_LARGE_ONLY,)),
        Signature(network, f"{name} with HRNet-18", small),
        Signature(network, f"{name} with HRNet-32", wide),
    )


SIGNATURES: tuple[Signature, ...] = (
    Signature("light", "the light network", {"value_lateral.weight": None, "decode_context.conv1.weight": None}),
    Signature("light_interaction", "the light interaction network",
              {"context_lateral.weight": None, "summary.weight": None, "block2.conv1.weight": None}),
    Signature("light_fusion", "the light fusion network",
              {"stem.0.weight": (16, 9, 3, 3), "down16.conv1.weight": None, "choice.weight": None}),
    Signature("light_quality", "the light quality network",
              {"trust": None, "level": None, "direct.weight": None, "judge.weight": None}),
    Signature("stcn", "STCN", {**_STCN, _STCN_STEM: (64, 5, 7, 7), _STCN_GATE: None}),
    Signature("stcn", "STCN without block attention", {**_STCN, _STCN_STEM: (64, 5, 7, 7)}, (_STCN_GATE,)),
    Signature("stcn_first_stage", "STCN after its first training stage, which knows a single object only",
              {**_STCN, _STCN_STEM: (64, 4, 7, 7)}),
    Signature("stm", "STM", {"mask_rgb_encoder.conv1.weight": (64, 5, 7, 7), "kv_m_f16.key_proj.weight": None}),
    Signature("fusion", "the fusion network",
              {"conv1.0.weight": (32, 9, 3, 3), "conv3.2.weight": None, "final_conv.weight": None}),
    Signature("s2m", "S2M", {"backbone.conv1.weight": (64, 6, 7, 7), "classifier.aspp.project.0.weight": None}),
    *_hrnet("fbrs", "f-BRS", _FBRS),
    Signature("fbrs", "f-BRS with ResNet-34", {**_FBRS, f"{_BACKBONE}layer1.0.conv1.weight": (64, 64, 3, 3)}),
    Signature("fbrs", "f-BRS with ResNet-50", {**_FBRS, f"{_BACKBONE}layer1.0.conv1.weight": (64, 128, 1, 1)},
              (f"{_BACKBONE}layer3.6.conv1.weight",)),
    Signature("fbrs", "f-BRS with ResNet-101", {**_FBRS, f"{_BACKBONE}layer3.22.conv1.weight": None}),
    *_hrnet("ritm", "RITM", _RITM),
    Signature("afb_urr", "AFB-URR", {"encoder_m.conv1_o.weight": None, "keyval_r4.Key.weight": None}),
    Signature("rvos_encoder", "the encoder of RVOS", {"base.conv1.weight": None, "sk5.weight": None}),
    Signature("rvos_one_shot", "the decoder of RVOS for given masks (one-shot)", {_GATES: (512, 385, 3, 3)}),
    Signature("rvos_zero_shot", "the decoder of RVOS without masks (zero-shot)", {_GATES: (512, 384, 3, 3)}),
    Signature("ivosw_agent", "the agent of IVOS-W", {"encoder_fc1.weight": (128, 2), "lstm_cell.weight_ih": None}),
    Signature("ivosw_assess", "the quality assessment of IVOS-W",
              {"Encoder.conv1_p.weight": None, "fc1.weight": (1, 2048)}),
)


def recognise(shapes: Shapes) -> Signature | None:
    """The network whose tensors these are; None if it is none of the known ones."""
    return next((row for row in SIGNATURES if row.fits(shapes)), None)
