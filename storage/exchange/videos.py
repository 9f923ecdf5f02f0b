"""Videos: the frames with the masks drawn over them, and the objects alone on an alpha channel."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av
import av.error
import numpy as np

from storage.exchange.format import Format
from storage.exchange.material import Material
from storage.exchange.sequences import cut_out
from storage.io_errors import reason
from storage.video_codec import H264, PictureCodec, PngVideo, ProRes4444
from storage.video_writer import VideoWriter
from util.overlay import compose
from util.types import Size

_PRORES_LOSS = 4  # of 255: ten bits, coarsely coded where nobody sees it


class OverlayVideo(Format):
    name = "overlay-video"
    density = 0.03
    title = "Overlay video (H.264)"
    about = "The video with its masks drawn over it, at the times and with the sound of the source"
    suffix = ".mp4"
    options = frozenset({"look"})

    def missing(self) -> str:
        return H264().missing()

    def write(self, material: Material, target: Path) -> Iterator[int]:
        source = material.frames.source
        sound = source.path if source.path.is_file() else None
        with VideoWriter(target, source.size, source.rate, audio_from=sound) as writer:
            for frame in material.wanted:
                look = material.look
                picture = compose(
                    material.picture(frame), material.mask(frame), opacity=look.opacity, contour=look.contour,
                    opacities=look.opacities, own=material.own_colors,
                )
                writer.write(picture, material.frames.time(frame))
                yield frame

    def check(self, material: Material, target: Path) -> Iterator[str]:
        height, width = material.size
        return _check_video(material, target, Size(height + height % 2, width + width % 2), None)


class AlphaVideo(Format):
    """The objects cut out, straight alpha."""

    suffix = ".mov"
    density = 1.0
    options = frozenset({"edge"})

    def __init__(self, name: str, title: str, about: str, codec: type[PictureCodec], loss: int) -> None:
        """Args: loss: how far alpha may be off when it is read back, of 255."""
        self.name, self.title, self.about = name, title, about
        self._codec = codec
        self._loss = loss

    def missing(self) -> str:
        return self._codec().missing()

    def write(self, material: Material, target: Path) -> Iterator[int]:
        source = material.frames.source
        with VideoWriter(target, source.size, source.rate, codec=self._codec()) as writer:
            for frame in material.wanted:
                writer.write(cut_out(material, frame), material.frames.time(frame))
                yield frame

    def check(self, material: Material, target: Path) -> Iterator[str]:
        return _check_video(material, target, material.size, self._loss)


def alpha_videos() -> tuple[AlphaVideo, AlphaVideo]:
    return (
        AlphaVideo(
            "prores4444", "Alpha video (ProRes 4444)",
            "The objects cut out with soft edges, in a QuickTime file for editing programs", ProRes4444, _PRORES_LOSS,
        ),
        AlphaVideo(
            "png-mov", "Alpha video (PNG in QuickTime)",
            "The objects cut out with soft edges, every pixel kept exactly; large", PngVideo, 0,
        ),
    )


def _check_video(material: Material, target: Path, size: Size, loss: int | None) -> Iterator[str]:
    """Decode what was written. Args: loss: how far alpha may be off; None: there is no alpha."""
    wanted = iter(material.wanted)
    num_found = 0
    try:
        with closing(av.open(str(target))) as container:
            for picture in container.decode(video=0):
                num_found += 1
                frame = next(wanted, None)
                if frame is None:
                    continue
                if (picture.height, picture.width) != size:
                    yield f"frame {frame} is {picture.width}x{picture.height}, not {size}"
                elif loss is None:
                    yield ""
                else:
                    alpha = picture.reformat(format="rgba", threads=1).to_ndarray()[..., 3]
                    off = np.abs(alpha.astype(np.int16) - cut_out(material, frame)[..., 3]).max()
                    yield f"frame {frame}: alpha is off by {off} of 255" if off > loss else ""
    except (OSError, av.error.FFmpegError) as error:
        yield f"{target.name} cannot be read back ({reason(error)})"
    if num_found > len(material.wanted):
        yield f"{target.name} holds {num_found} frames, not {len(material.wanted)}"
    for frame in wanted:
        yield f"frame {frame} is missing"
