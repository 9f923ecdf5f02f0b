"""The table of formats."""
from __future__ import annotations

from collections.abc import Mapping

from storage.exchange.coco import Coco
from storage.exchange.exr import ExrCutOut, ExrMattes
from storage.exchange.format import Format, MaskFormat
from storage.exchange.index_png import BinaryPng, IndexPng, YouTubeVos
from storage.exchange.labelme import Labelme
from storage.exchange.mots import Mots
from storage.exchange.sequences import MatteSequence, RgbaSequence
from storage.exchange.videos import OverlayVideo, alpha_videos
from storage.exchange.yolo import Yolo

MASK_FORMATS: tuple[MaskFormat, ...] = (
    IndexPng(), YouTubeVos(), BinaryPng(), Coco(), Yolo(), Mots(), Labelme(),
)  # fmt: skip
FORMATS: tuple[Format, ...] = (
    *MASK_FORMATS, RgbaSequence(), MatteSequence(), ExrCutOut(), ExrMattes(), OverlayVideo(), *alpha_videos(),
)  # fmt: skip
BY_NAME: Mapping[str, Format] = {entry.name: entry for entry in FORMATS}
