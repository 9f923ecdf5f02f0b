"""The networks of this program with the calls that the program makes of them, for `models_table`."""
from __future__ import annotations

import argparse
import importlib
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from inference_core import registry
from inference_core.advice import NetworkAssessor
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import FusionInput, NetworkFuser
from inference_core.geometry import Geometry
from inference_core.interaction import NetworkSegmenter
from inference_core.light_judge import LightJudge
from inference_core.propagator import Memory, Propagator
from inference_core.propagators import light, rvos, stcn
from inference_core.scribble_predictor import ScribbleSegmenter
from model.afb_urr import AfbUrr
from model.click.loading import load_click_nets
from model.click.variants import PUBLISHED
from model.folding import fold_batch_norm
from model.fusion_file import load_fusion
from model.fusion_net import FusionNet
from model.interaction_net import InteractionNet, load_interaction_net
from model.light import LightNet
from model.light_fusion import LightFusionNet
from model.light_quality import INPUTS, LightQualityNet, load_light_quality
from model.quality_agent import QualityAgent, load_quality_agent
from model.quality_net import QualityNet, load_quality_net
from model.rvos import RVOS, Hidden, RvosSettings
from model.rvos_folder import DECODER, ENCODER, SETTINGS
from model.scribble_net import ScribbleNet, load_scribble_net
from model.stcn import STCN
from model.stm import STM
from util.types import Size

FRAME = Size(480, 854)
MEMORY_FRAMES = 5
"""In the memory when a frame is segmented."""
LONG_AFTER = 1000
"""Frames since the last one that was remembered: an engine that remembers any does so now."""
VIDEO_FRAMES = 100
CLICK_REGION = Size(480, 480)
"""What f-BRS and RITM look at once they look at a region (`ZoomSettings.side`), here a square one."""
LIGHT_WINDOW, S2M_WINDOW = Size(256, 256), Size(480, 480)
"""What the light interaction network and S2M are shown of a frame (`interact.methods`)."""


@dataclass(frozen=True)
class Call:
    """One thing the program asks of a network.

    Args:
        what: with the size it is asked at.
        prepare: for so many objects, what is to be measured.
        objects: numbers of objects that make sense here.
    """

    what: str
    prepare: Callable[[int], Callable[[], object]]
    objects: tuple[int, ...] = (1, 3)


def save_tensors(network: nn.Module, folder: Path) -> Path:
    """As one file."""
    path = folder / "random.safetensors"
    save_file(network.state_dict(), path)
    return path


def save_rvos(network: nn.Module, folder: Path) -> Path:
    """As the folder that RVOS's training leaves."""
    assert isinstance(network, RVOS)
    torch.save(network.encoder.state_dict(), folder / ENCODER)
    torch.save(network.decoder.state_dict(), folder / DECODER)
    (folder / SETTINGS).write_bytes(pickle.dumps(argparse.Namespace(**vars(network.settings))))
    return folder


@dataclass(frozen=True)
class Network:
    """One row.

    Args:
        files: names in the zoo.
        make: a fresh one with random weights.
        calls: from the file or folder to load, which is not needed any more afterwards.
        save: writes a network for `calls` into a folder and returns what to load.
    """

    name: str
    title: str
    paper: str
    files: tuple[str, ...]
    make: Callable[[], nn.Module]
    calls: Callable[[Path, ComputeDevice], Sequence[Call]]
    save: Callable[[nn.Module, Path], Path] = save_tensors


def propagation_calls(engine: str, path: Path, compute: ComputeDevice) -> list[Call]:
    """Of an engine in the registry: a frame on the way, and a frame that goes into the memory."""
    propagator: Propagator = importlib.import_module(registry.find(engine).module).build(
        EngineSetup(FRAME, path, compute)
    )
    image = np.random.default_rng(0).integers(0, 256, (*FRAME, 3), np.uint8)

    def remember(count: int) -> Callable[[], object]:
        propagator.set_objects(range(1, count + 1))
        stripes = torch.arange(FRAME.width) * (count + 1) // FRAME.width
        planes = (stripes == torch.arange(count + 1)[:, None]).float()[:, None].expand(-1, FRAME.height, -1)
        prob = propagator.to_working(planes.contiguous())
        features, slots = propagator.encode(image), range(count)
        for frame in range(MEMORY_FRAMES):
            propagator.memorize(frame, features, prob, slots, Memory.PINNED)
        propagator.begin_pass(0, prob)
        is_rolling = propagator.wants_memory(LONG_AFTER, 0) is Memory.ROLLING
        kind = Memory.ROLLING if is_rolling else Memory.PINNED
        return lambda: propagator.memorize(MEMORY_FRAMES - 1 + is_rolling, features, prob, slots, kind)

    def segment(count: int) -> Callable[[], object]:
        remember(count)
        return lambda: propagator.segment(MEMORY_FRAMES, propagator.encode(image), range(count))

    size = _by(propagator.working_size())
    return [
        Call(f"a frame at {size}, {MEMORY_FRAMES} frames in memory", segment),
        Call(f"remembering a frame at {size}", remember),
    ]


def fusion_calls(path: Path, compute: ComputeDevice) -> list[Call]:
    """A frame between two key frames, at the working sizes of the engines."""
    fuser = NetworkFuser(compute.place(load_fusion(path)), compute)

    def fuse(size: Size, count: int) -> Callable[[], object]:
        given = FusionInput(
            torch.randn(1, 3, *size), torch.rand(count, *size), torch.rand(count, *size),
            torch.rand(count, 2, *size), 0.25, 0.75,
        )
        return lambda: fuser.fuse(given)

    sizes = (Geometry.rounded(FRAME, light.SHORT_SIDE).working, Geometry.padded(FRAME, stcn.SHORT_SIDE).working)
    return [Call(f"a frame at {_by(size)}", partial(fuse, size)) for size in sizes]


def window_calls(
    segmenter: Callable[[Path, ComputeDevice], NetworkSegmenter | ScribbleSegmenter],
    size: Size,
    path: Path,
    compute: ComputeDevice,
) -> list[Call]:
    """The answer to clicks or scribbles on one object in a picture of this size."""
    asked = segmenter(path, compute)
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    nothing = np.zeros(size, np.bool_)
    return [Call(f"an answer at {_by(size)}", lambda count: lambda: asked.segment(image, *[nothing] * 3), (1,))]


def click_calls(path: Path, compute: ComputeDevice) -> list[Call]:
    """One run of the network, as it is made at every click; the BRS methods add some of parts of it."""
    network = compute.place(fold_batch_norm(load_click_nets(path)[0]))
    image = torch.randn(2, 3, *CLICK_REGION)
    planes = torch.rand(2, network.coding.num_planes, *CLICK_REGION)
    what = f"an answer at {_by(CLICK_REGION)} and its mirror image"
    return [Call(what, lambda count: lambda: network(image, planes), (1,))]


def zero_shot_calls(path: Path, compute: ComputeDevice) -> list[Call]:
    """Objects found on a frame that nobody has marked, after the frame before it."""
    network, geometry = rvos.open_network(EngineSetup(FRAME, path, compute), takes_mask=False)
    image = np.random.default_rng(0).integers(0, 256, (*FRAME, 3), np.uint8)
    size = geometry.working

    def find(count: int) -> Callable[[], object]:
        def decoded(before: Hidden | None = None) -> tuple[Tensor, Hidden]:
            with compute.autocast():
                return network.decoder(
                    rvos.encode(network, geometry, compute, image).maps, size, count, hidden=before
                )

        return partial(decoded, decoded()[1])

    return [Call(f"a frame at {_by(size)}", find)]


def quality_calls(path: Path, compute: ComputeDevice) -> list[Call]:
    """How good the masks of one frame are."""
    assessor = NetworkAssessor(load_quality_net(path), compute)
    image = np.random.default_rng(0).integers(0, 256, (*FRAME, 3), np.uint8)

    def assess(count: int) -> Callable[[], object]:
        masks = np.zeros((count, *FRAME), np.float32)
        for number, mask in enumerate(masks):
            mask[120:360, 100 + 200 * number : 250 + 200 * number] = 1
        return lambda: assessor.quality(image, masks)

    return [Call(f"the masks of a frame of {_by(FRAME)}", assess)]


def judge_calls(path: Path, compute: ComputeDevice) -> list[Call]:
    """How good the masks of one frame are, from what was measured of them; stays on the CPU."""
    judge = LightJudge(load_light_quality(path))

    def assess(count: int) -> Callable[[], object]:
        values = np.zeros((count, INPUTS), np.float32)
        return lambda: judge.judge(values)

    return [Call("the masks of a frame, once measured", assess)]


def advice_calls(path: Path, compute: ComputeDevice) -> list[Call]:
    """Which of a video's frames to correct, asked once after every correction."""
    agent, state = compute.place(load_quality_agent(path)), torch.rand(1, VIDEO_FRAMES, 2)
    return [Call(f"a video of {VIDEO_FRAMES} frames", lambda count: lambda: agent(state), (1,))]


def _by(size: Size) -> str:
    return f"{size.width} x {size.height}"


_OWN = "this project; after STCN"
_STCN = "Cheng, Tai, Tang: Rethinking Space-Time Networks with Improved Memory Coverage (STCN), NeurIPS 2021"
_STM = "Oh, Lee, Xu, Kim: Video Object Segmentation using Space-Time Memory Networks, ICCV 2019, as MiVOS has it"
_MIVOS = "Cheng, Tai, Tang: Modular Interactive Video Object Segmentation (MiVOS), CVPR 2021"
_AFB = "Liang et al.: Video Object Segmentation with Adaptive Feature Bank (AFB-URR), NeurIPS 2020"
_RVOS = "Ventura et al.: RVOS: End-to-End Recurrent Network for Video Object Segmentation, CVPR 2019"
_IVOSW = "Yin et al.: Learning to Recommend Frame for Interactive Video Object Segmentation in the Wild, CVPR 2021"
_FBRS = "Sofiiuk et al.: f-BRS: Rethinking Backpropagating Refinement for Interactive Segmentation, CVPR 2020"
_RITM = "Sofiiuk, Petrov, Konushin: Reviving Iterative Training with Mask Guidance (RITM), ICIP 2022"


def _click(name: str, title: str, files: tuple[str, ...] = ()) -> Network:
    paper = _RITM if name.startswith("ritm") else _FBRS
    return Network(name, f"clicks: {title}", paper, files, PUBLISHED[name], click_calls)


def _scribble_segmenter(path: Path, compute: ComputeDevice) -> ScribbleSegmenter:
    return ScribbleSegmenter(fold_batch_norm(load_scribble_net(path)), compute)


def _interaction_segmenter(path: Path, compute: ComputeDevice) -> NetworkSegmenter:
    return NetworkSegmenter(load_interaction_net(path), compute)


NETWORKS: tuple[Network, ...] = (
    Network("light", "propagation: light network", _OWN, ("light",), LightNet, partial(propagation_calls, "light")),
    Network("stcn", "propagation: STCN", _STCN, ("stcn", "stcn_retrain"), STCN, partial(propagation_calls, "stcn")),
    Network("stm", "propagation: STM", _STM, ("stm",), STM, partial(propagation_calls, "stm")),
    Network("afb_urr", "propagation: AFB-URR", _AFB, ("afb_urr",), AfbUrr, partial(propagation_calls, "afb-urr")),
    Network(
        "rvos", "propagation: RVOS", _RVOS, ("rvos",), partial(RVOS, RvosSettings(), takes_mask=True),
        partial(propagation_calls, "rvos"), save_rvos,
    ),
    Network(
        "rvos_zero_shot", "objects without marks: RVOS", _RVOS, ("rvos_zero_shot",),
        partial(RVOS, RvosSettings(), takes_mask=False), zero_shot_calls, save_rvos,
    ),
    Network(
        "ivosw_assess", "quality of masks: IVOS-W", _IVOSW, ("ivosw_assess",), QualityNet, quality_calls
    ),
    Network(
        "light_quality", "quality of masks: light network", "this project", ("light_quality",), LightQualityNet,
        judge_calls,
    ),
    Network(
        "ivosw_agent", "which frame to correct next: IVOS-W", _IVOSW, ("ivosw_agent",), QualityAgent, advice_calls
    ),
    Network(
        "fusion", "fusion between key frames", _MIVOS, ("fusion_stcn", "fusion_stm"), FusionNet, fusion_calls
    ),
    Network(
        "light_fusion", "fusion between key frames: light network", "this project", ("light_fusion",), LightFusionNet,
        fusion_calls,
    ),
    Network(
        "light_interaction", "clicks and scribbles: light network", "this project", ("light_interaction",),
        InteractionNet, partial(window_calls, _interaction_segmenter, LIGHT_WINDOW),
    ),
    Network(
        "s2m", "scribbles: S2M", _MIVOS, ("s2m",), ScribbleNet, partial(window_calls, _scribble_segmenter, S2M_WINDOW)
    ),
    _click("fbrs_resnet34_dh128", "f-BRS with ResNet-34"),
    _click("fbrs_resnet50_dh128", "f-BRS with ResNet-50", ("fbrs",)),
    _click("fbrs_resnet101_dh256", "f-BRS with ResNet-101"),
    _click("fbrs_hrnet18s_ocr48", "f-BRS with the small HRNet-18"),
    _click("fbrs_hrnet18_ocr64", "f-BRS with HRNet-18"),
    _click("fbrs_hrnet32_ocr128", "f-BRS with HRNet-32"),
    _click("ritm_h18s_itermask", "RITM with the small HRNet-18", ("ritm_h18s",)),
    _click("ritm_h18_itermask", "RITM with HRNet-18", ("ritm",)),
    _click("ritm_h32_itermask", "RITM with HRNet-32", ("ritm_h32",)),
)
