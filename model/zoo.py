"""Which weight files there are, where they lie, where they come from and which network each belongs to. No torch here.

A row is a line or a few; what the rows do not say is not known: the published projects name no size, no checksum and no
licence for their files. `download_model.py` and the window fetch from this table.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from util.errors import AppError

_ROOT = Path(__file__).resolve().parents[1]
SAVES = _ROOT / "saves"
"""Where fetched weights are put."""
_EMBEDDED = _ROOT / "model" / "weights"

_DRIVE = "https://drive.google.com/uc?id="
_FBRS = "https://github.com/saic-vul/fbrs_interactive_segmentation/releases/download/v1.0/"
_RITM = "https://github.com/saic-vul/ritm_interactive_segmentation/releases/download/v1.0/"
_RVOS = "https://imatge.upc.edu/web/sites/default/files/projects/segmentation/public_html/rvos-pretrained-models/"
_RVOS_PARTS = ("encoder.pt", "decoder.pt", "args.pkl")


@dataclass(frozen=True)
class WeightFile:
    """One weight file.

    Args:
        name: how flags and messages call it.
        title: what a person calls the network in it.
        path: where it is looked for unless a flag names another file.
        used_for: what the program can do with it.
        network: name in `model.signatures` of the network that must be in it; empty: not checked beforehand.
        sources: addresses to fetch it from, in the order to be tried; Google Drive or plain HTTP(S).
        size: bytes, None where it is not known.
        licence: terms of the file, empty where they are not known.
        by_hand: what a person has to do for a file without sources.
        parts: names of the files in it where `path` is a folder; its sources then give a zip file with these.
    """

    name: str
    title: str
    path: Path
    used_for: str
    network: str = ""
    sources: tuple[str, ...] = ()
    size: int | None = None
    licence: str = ""
    by_hand: str = ""
    parts: tuple[str, ...] = ()

    def files_in(self, path: Path) -> tuple[Path, ...]:
        """The files that have to be there when the weights lie at `path`."""
        return tuple(path / part for part in self.parts) or (path,)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files in their usual place."""
        return self.files_in(self.path)

    @property
    def is_embedded(self) -> bool:
        """True if the file is part of the repository."""
        return self.path.parent == _EMBEDDED

    @property
    def is_present(self) -> bool:
        """True if the weights are in their usual place."""
        return all(file.is_file() for file in self.files)

    @property
    def num_bytes(self) -> int | None:
        """As they lie here, else as far as it is known."""
        return sum(file.stat().st_size for file in self.files) if self.is_present else self.size


WEIGHT_FILES: tuple[WeightFile, ...] = (
    WeightFile("light", "light network", _EMBEDDED / "light.safetensors", "propagation, engine light", "light",
               licence="see WEIGHTS_LICENSE.md"),
    WeightFile("light_fusion", "light fusion network", _EMBEDDED / "light_fusion.safetensors",
               "fusion between key frames, engine light", "light_fusion", licence="see WEIGHTS_LICENSE.md"),
    WeightFile("light_interaction", "light interaction network", _EMBEDDED / "light_interaction.safetensors",
               "clicks and scribbles", "light_interaction", licence="see WEIGHTS_LICENSE.md"),
    WeightFile("light_quality", "light quality network", _EMBEDDED / "light_quality.safetensors",
               "predicting how good masks are", "light_quality", licence="see WEIGHTS_LICENSE.md"),
    WeightFile("stcn", "STCN", SAVES / "stcn.pth", "propagation, engine stcn", "stcn",
               (_DRIVE + "1mRrE0uCI2ktdWlUgapJI_KmgeIiF2eOm",)),
    WeightFile("fusion_stcn", "fusion network", SAVES / "fusion_stcn.pth", "fusion between key frames, engine stcn",
               "fusion", (_DRIVE + "1MAbWHrOjlze9vPQdW-HxMnvjPpaZlfLv",)),
    WeightFile("stm", "STM", SAVES / "propagation_model.pth", "propagation, engine stm", "stm",
               (_DRIVE + "19dfbVDndFkboGLHESi8DGtuxF1B21Nm8",)),
    WeightFile("fusion_stm", "fusion network of STM", SAVES / "fusion.pth", "fusion between key frames, engine stm",
               "fusion", (_DRIVE + "1Lc1lI5-ix4WsCRdipACXgvS3G-o0lMoz",)),
    WeightFile("s2m", "S2M", SAVES / "s2m.pth", "scribbles", "s2m", (_DRIVE + "1HKwklVey3P2jmmdmrACFlkXtcvNxbKMM",)),
    WeightFile("fbrs", "f-BRS with ResNet-50", SAVES / "fbrs.pth", "clicks", "fbrs",
               (_FBRS + "resnet50_dh128_lvis.pth",)),
    WeightFile("ritm", "RITM with HRNet-18", SAVES / "ritm.pth", "clicks", "ritm",
               (_RITM + "coco_lvis_h18_itermask.pth",)),
    WeightFile("ritm_h18s", "RITM with the small HRNet-18", SAVES / "coco_lvis_h18s_itermask.pth",
               "clicks, by its flag", "ritm", (_RITM + "coco_lvis_h18s_itermask.pth",)),
    WeightFile("ritm_h32", "RITM with HRNet-32", SAVES / "coco_lvis_h32_itermask.pth", "clicks, by its flag", "ritm",
               (_RITM + "coco_lvis_h32_itermask.pth",)),
    WeightFile("stcn_retrain", "STCN of FasterMiVOS", SAVES / "STCN_retrain.pth",
               "propagation, engine stcn, by its flag", "stcn",
               by_hand="its authors give no address: ask them for STCN_retrain.pth, or use stcn instead"),
    WeightFile("afb_urr", "AFB-URR", SAVES / "afb_urr.pth", "propagation, engine afb-urr", "afb_urr",
               by_hand="its authors keep three checkpoints at https://huggingface.co/xmlyqing00/AFB-URR/tree/main: "
               "take the one trained on DAVIS 2017, or on YouTube-VOS for long videos"),
    WeightFile("ivosw_assess", "quality assessment of IVOS-W", SAVES / "assess_net.pt",
               "estimating how good masks are", "ivosw_assess", (_DRIVE + "1Xdkr6Epm5H5hDkQoBqmp0E_t5V-9SlKl",)),
    WeightFile("ivosw_agent", "frame agent of IVOS-W", SAVES / "agent.pt", "recommending the next frame",
               "ivosw_agent", (_DRIVE + "18OgPfPcYipe_1Ka7qlKar7mVVwvG7gPT",)),
    WeightFile("rvos", "RVOS", SAVES / "rvos", "propagation, engine rvos", "rvos_one_shot",
               (_RVOS + "one-shot-model-youtubevos.zip",), parts=_RVOS_PARTS),
    WeightFile("rvos_zero_shot", "RVOS without masks", SAVES / "rvos_zero_shot", "finding objects without a mask",
               "rvos_zero_shot", (_RVOS + "zero-shot-model-youtubevos.zip",), parts=_RVOS_PARTS),
)


def find(name: str) -> WeightFile:
    """The entry of this name; ValueError if there is none."""
    for entry in WEIGHT_FILES:
        if entry.name == name:
            return entry
    raise ValueError(f"no weight file is called {name!r}; there are {', '.join(e.name for e in WEIGHT_FILES)}")


def resolve(name: str, explicit: Path | None = None) -> Path:
    """The file or folder to load.

    Args:
        name: which weights.
        explicit: the file or folder a flag names; None for the usual place.

    Raises:
        AppError: there is no such file, or one is missing in the folder.
    """
    entry = find(name)
    path = entry.path if explicit is None else explicit
    missing = next((file for file in entry.files_in(path) if not file.is_file()), None)
    if missing is None:
        return path
    if entry.parts and path.exists():
        raise AppError(
            f"{path} is no folder with the weights of the {entry.title}: {missing.name} is not in it.",
            f"Such a folder holds {', '.join(entry.parts)}.",
        )
    if path.is_dir():
        raise AppError(f"{path} is a folder; the weights of the {entry.title} are a file.", "Name the file.")
    if explicit is not None and entry.parts:
        raise AppError(f"The folder {explicit} ({entry.title}) does not exist.", "Check the path.")
    if explicit is not None:
        raise AppError(f"The weight file {explicit} ({entry.title}) does not exist.", "Check the path.")
    if entry.is_embedded:
        raise AppError(f"{path} is missing, although it is part of this program.", "Restore it from the repository.")
    raise AppError(
        f"The weights of the {entry.title} are not there: {path} does not exist.",
        f"Run `python download_model.py {name}`, put the published {'folder' if entry.parts else 'file'} {path.name} "
        f"into {path.parent}, or name it where it lies by its flag.",
    )


def is_available(name: str) -> bool:
    """True if the weights are in their usual place."""
    return find(name).is_present
