"""Sequences of pictures for compositing: RGBA cut-outs, and 16-bit soft mattes per object."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storage.exchange.alpha import soft_alpha
from storage.exchange.format import Format
from storage.exchange.index_png import save_png
from storage.exchange.material import Material, folder_name, make_folder
from storage.io_errors import reason
from util.types import ImageU8


def cut_out(material: Material, frame: int) -> NDArray[np.uint8]:
    """uint8 [H, W, 4]: the frame's colours, not multiplied by alpha, and black where alpha is 0."""
    alpha = (soft_alpha(material.mask(frame) > 0, material.edge) >> 8).astype(np.uint8)
    picture: ImageU8 = material.picture(frame)
    return np.dstack((np.where(alpha[..., None] > 0, picture, 0).astype(np.uint8), alpha))


class RgbaSequence(Format):
    name = "rgba"
    density = 1.5
    title = "RGBA sequence"
    about = "One PNG per frame with the objects cut out, soft edges in the alpha channel (straight alpha)"
    options = frozenset({"edge"})

    def write(self, material: Material, target: Path) -> Iterator[int]:
        make_folder(target)
        for frame in material.wanted:
            save_png(cut_out(material, frame), target / f"{material.frames.stem(frame)}.png")
            yield frame

    def check(self, material: Material, target: Path) -> Iterator[str]:
        for frame in material.wanted:
            yield _compare(target / f"{material.frames.stem(frame)}.png", cut_out(material, frame), frame)


class MatteSequence(Format):
    name = "matte-png16"
    density, is_per_object = 0.05, True
    title = "Soft mattes, 16 bit"
    about = "A folder for every object with one 16-bit grey PNG per frame, soft edges"
    options = frozenset({"edge"})

    def write(self, material: Material, target: Path) -> Iterator[int]:
        folders = {info.object_id: make_folder(target / folder_name(info)) for info in material.objects}
        for frame in material.wanted:
            mask = material.mask(frame)
            for object_id, folder in folders.items():
                matte = soft_alpha(mask == object_id, material.edge)
                save_png(matte, folder / f"{material.frames.stem(frame)}.png")
            yield frame

    def check(self, material: Material, target: Path) -> Iterator[str]:
        for frame in material.wanted:
            mask = material.mask(frame)
            problems = (
                _compare(
                    target / folder_name(info) / f"{material.frames.stem(frame)}.png",
                    soft_alpha(mask == info.object_id, material.edge), frame,
                )
                for info in material.objects
            )
            yield next(filter(None, problems), "")


def _compare(path: Path, expected: NDArray[np.uint8] | NDArray[np.uint16], frame: int) -> str:
    """What is wrong with a picture that was written, or nothing."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            found = np.asarray(image)
    except FileNotFoundError:
        return f"frame {frame}: {path.name} is missing"
    except (OSError, ValueError, SyntaxError) as error:
        return f"frame {frame}: {path.name} cannot be read back ({reason(error)})"
    return "" if np.array_equal(found, expected) else f"frame {frame}: {path.name} did not come back as it was written"
