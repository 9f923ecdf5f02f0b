"""What the own golden set runs: tiny inputs, and the golden tests whose numbers are to be recorded.

A case has the `meta` of a recording of the published program, so that the test of its system takes it as one of those.
The systems and the factors on last layers (which keep probabilities away from 0 and 1) are those of the published
recordings; seeds and sizes are others.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.golden_inputs import boxes, clip, uniform
from tests.golden_weights import Golden
from tests.inference_core import test_click_golden, test_core_golden
from tests.model import test_click_golden as test_click_network_golden
from tests.model import test_s2m_golden, test_stcn_golden, test_stm_golden

Factors = dict[str, tuple[float, float]]
SEED = 11


@dataclass(frozen=True)
class Case:
    """One file to be.

    Args:
        name: of the file, without its ending.
        meta: as in a recording, without what is found out by running it.
        inputs: arrays that the test reads.
        shapes: of results that the test asks for their shape, most often to count objects.
        run: calls the golden tests of the system.
    """

    name: str
    meta: Mapping[str, Any]
    inputs: Mapping[str, NDArray[Any]]
    run: Callable[[Golden], None]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def _factors(name: str, factor: float, bias: float) -> Factors:
    """Of a last layer: its weight times `factor`, its bias the same plus `bias`."""
    return {f"{name}.weight": (factor, 0.0), f"{name}.bias": (factor, bias)}


STCN: Factors = {"key_proj.key_proj.weight": (0.5, 0.0), **_factors("decoder.pred", 2.0, -3.5)}
STM: Factors = {
    "kv_m_f16.key_proj.weight": (0.35, 0.0), "kv_q_f16.key_proj.weight": (0.35, 0.0),
    **_factors("decoder.pred", 1.56, -3.8),
}
FUSION = _factors("final_conv", 4.4, 2.2)
S2M = _factors("classifier.classifier.3", 16.4, -5.5)
FBRS = _factors("head.layers.2", 60.4, 3.2)
RITM: Factors = {"maps_transform.3.scale": (0.0, 0.6), **_factors("feature_extractor.cls_head", 0.5, -4.2)}


def _every_test(module: Any) -> Callable[[Golden], None]:  # noqa: ANN401  a module of tests has no type of its own
    """The steps of a module's `compute`, then each of its golden tests on what came out."""

    def run(golden: Golden) -> None:
        case = golden, module.compute(golden)
        for name, test in vars(module).items():
            if name.startswith("test_golden"):
                test(case)

    return run


def _video(frames: int, height: int, width: int, objects: int) -> dict[str, NDArray[Any]]:
    return {"frames": clip("clip", SEED, frames, height, width), "masks": boxes(frames, height, width, objects)}


def _meta(system: str, **more: object) -> dict[str, Any]:
    return {"system": system, "weight_seed": SEED, "weight_gain": 1.0, **more}


def _modules() -> list[Case]:
    """The networks one by one."""
    pad = [1, 2, 1, 2]  # of 45 x 61
    video = _video(3, 45, 61, 2)
    scribble = np.full((48, 64), 255, np.uint8)
    for label, (row, column) in enumerate([(4, 6), (20, 12), (24, 40)]):
        scribble[row : row + 3, column : column + 14] = label
    still = {"frames": clip("clip", SEED, 1, 48, 64)}
    return [
        Case(
            "stcn_modules",
            _meta("MiVOS-STCN modules", overrides_prop=STCN, overrides_fusion=FUSION, pad_lwuw_lhuh=pad),
            video, _every_test(test_stcn_golden), {"value0": (2, 0)},
        ),
        Case(
            "stm_modules",
            _meta("MiVOS (STM) modules", overrides_prop=STM, pad_lwuw_lhuh=pad, top_k=15),
            video, _every_test(test_stm_golden), {"mem_key0": (2, 0)},
        ),
        Case(
            "s2m", _meta("S2M", overrides_s2m=S2M, pad_lwuw_lhuh=[0, 0, 0, 0]),
            {**still, "prev_mask": boxes(2, 48, 64, 2)[1], "scribble": scribble},
            _every_test(test_s2m_golden), {"prob": (2, 0)},
        ),
        Case(
            "fbrs_resnet34",
            _meta(
                "f-BRS DeepLabV3+ resnet34 dh128, plain network forward", overrides=FBRS, norm_radius=260,
                points_row_col=[[[20, 30], [35, 45], [10, 50], [-1, -1]]],
            ),
            still, test_click_network_golden.test_golden_fbrs_deeplab,
        ),
        Case(
            "ritm_h18s",
            _meta(
                "RITM coco_lvis_h18s_itermask", overrides=RITM,
                points_row_col_order=[[[20.25, 30.5, 0], [35.0, 45.0, 2], [10.0, 50.0, 1], [-1, -1, -1]]],
            ),
            {**still, "prev_mask": uniform("prev", SEED, (1, 1, 48, 64))},
            test_click_network_golden.test_golden_ritm,
        ),
    ]


def _loops() -> list[Case]:
    """Interactions from beginning to end."""
    video = _video(5, 45, 61, 2)
    inputs = {"frames": video["frames"], "interact_masks": video["masks"]}
    loop = {"overrides_fusion": FUSION, "mem_freq": 2, "top_k": 8, "interact_frames_in_order": [0, 4], "sub": 4}
    counted = {"prob_step0": (3, 0)}
    return [
        Case(
            "stcn_core", _meta("MiVOS-STCN InferenceCore", overrides_prop=STCN, **loop), inputs,
            test_core_golden.test_golden_interactions, {**counted, "certain_mem_k": (1, 8, 2, 3, 4)},
        ),
        Case(
            "stm_core", _meta("MiVOS (STM) InferenceCore", overrides_prop=STM, **loop), inputs,
            test_core_golden.test_golden_stm_interactions, counted,
        ),
        Case(
            "fbrs_controller_resnet34",
            _meta(
                "FBRSController f-BRS-B resnet34", overrides=FBRS, maxfun=8,
                clicks_x_y_positive=[[30.3, 20.5, True], [50.0, 10.2, False]],
            ),
            {"frames": clip("clip", SEED, 1, 48, 64)},
            test_click_golden.test_golden_fbrs_controller,
            {"opt_data_0": (320,), "opt_data_1": (320,)},
        ),
    ]


def own_cases() -> list[Case]:
    """All of them. Meant to be few: the files together stay below `make.MAX_BYTES`."""
    return [*_modules(), *_loops()]
