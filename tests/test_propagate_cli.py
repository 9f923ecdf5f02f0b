"""propagate.py from the command line to the files, with the engine that needs no weights."""
from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import inference_core.factory
import propagate
from evaluation.score import score_folders, summarize
from inference_core.api import CoreApi, ExistingMask, FrameReader, FrameResult, PropagationRequest
from inference_core.propagators.static import StaticPropagator
from model.light import LightNet
from storage.frame_source import open_source
from storage.lock import FolderLock
from storage.mask_io import read_mask, write_mask
from storage.video_writer import VideoWriter
from storage.workspace import Workspace
from tests.synthetic import SyntheticVideo
from tests.video_files import cut_off, numbered_picture, write_video
from util.config import AppConfig
from util.jobs import CancelToken
from util.palette import davis_palette
from util.types import IndexMask

NUM_FRAMES = 12


@dataclass
class Scene:
    """The synthetic video in a temporary folder; `masks` holds the ground truth of some frames."""

    root: Path
    images: Path
    masks: Path
    output: Path
    video: SyntheticVideo

    def annotate(self, **masks: IndexMask) -> None:
        """`annotate(m00000=mask)`: the only masks in the folder."""
        shutil.rmtree(self.masks, ignore_errors=True)
        self.masks.mkdir()
        for name, mask in masks.items():
            write_mask(self.masks / f"{name.removeprefix('m')}.png", mask)

    def argv(self, *more: object) -> list[str]:
        """The usual flags and more; one given again replaces the usual one."""
        source = () if "--video" in more else ("--images", self.images)
        usual = (*source, "--masks", self.masks, "--output", self.output, "--engine", "static")
        return [str(part) for part in (*usual, *more)]

    def result(self, frame: int) -> IndexMask:
        return read_mask(self.output / f"{frame:05d}.png")


@pytest.fixture
def scene(tmp_path: Path, synthetic_video: SyntheticVideo) -> Scene:
    images = synthetic_video.write_frames(tmp_path / "images")
    scene = Scene(tmp_path, images, tmp_path / "masks", tmp_path / "output", synthetic_video)
    scene.annotate(m00000=synthetic_video.masks[0])
    return scene


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(scene: Scene, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the program in this process, with the scene's usual flags and more."""

    def call(*more: object) -> Ended:
        code = propagate.main(scene.argv(*more))
        captured = capfd.readouterr()
        return Ended(code, captured.out, captured.err)

    return call


def refused(ended: Ended, *words: str) -> None:
    """Exit code 2, one line on stderr that says all the words, nothing else."""
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("propagate.py: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


# ------------------------------------------------------------------------------------------------ what is written


def test_a_palette_png_of_native_size_for_every_frame(scene: Scene, run: Run) -> None:
    ended = run()
    assert ended.code == 0
    assert left_over(scene.output) == [f"{frame:05d}.png" for frame in range(NUM_FRAMES)]
    for frame in range(NUM_FRAMES):
        with Image.open(scene.output / f"{frame:05d}.png") as image:
            assert image.mode == "P"
            assert (image.height, image.width) == scene.video.size
            assert image.getpalette() == davis_palette().ravel().tolist()
        assert np.array_equal(scene.result(frame), scene.video.masks[0])
    assert ended.out.startswith(f"12 frames, 3 objects -> {scene.output} (static on cpu")
    assert ended.out.count("\n") == 1


def test_score_of_copying_the_first_mask_is_a_constant(scene: Scene, run: Run) -> None:
    run()
    truth = scene.video.write_masks(scene.root / "truth")
    assert summarize(score_folders(truth, scene.output))[-1].j_and_f == pytest.approx(0.3368202, abs=1e-6)


def test_names_are_those_of_the_frames(scene: Scene, run: Run) -> None:
    images = scene.root / "odd"
    images.mkdir()
    for number, name in enumerate(("b2", "b10", "b1")):
        shutil.copy(scene.images / f"{number:05d}.png", images / f"{name}.png")
    scene.annotate(mb10=scene.video.masks[0])
    assert run("--images", images).code == 0
    assert left_over(scene.output) == ["b1.png", "b10.png", "b2.png"]


def test_annotated_frames_come_out_unchanged(scene: Scene, run: Run) -> None:
    masks = scene.video.masks
    scene.annotate(m00000=masks[0], m00005=masks[5], m00011=masks[11])
    assert run().code == 0
    for frame in (0, 5, 11):
        assert np.array_equal(scene.result(frame), masks[frame])


def test_ignored_pixels_of_an_annotation_stay(scene: Scene, run: Run) -> None:
    mask = scene.video.masks[0].copy()
    mask[:4, :4] = 255
    scene.annotate(m00000=mask)
    assert run().code == 0
    assert np.array_equal(scene.result(0), mask)
    assert 255 not in scene.result(1)


def test_object_is_not_on_frames_before_its_first(scene: Scene, run: Run) -> None:
    masks = scene.video.masks
    scene.annotate(m00002=np.where(masks[2] == 2, 0, masks[2]).astype(np.uint8), m00006=masks[6])
    assert run().code == 0
    present = [2 in scene.result(frame) for frame in range(NUM_FRAMES)]
    assert present == [False] * 6 + [True] * 6
    assert all({1, 3} <= set(scene.result(frame).ravel().tolist()) for frame in range(NUM_FRAMES))


def test_object_missing_from_an_annotation_is_absent_there(scene: Scene, run: Run) -> None:
    masks = scene.video.masks
    without = np.where(masks[6] == 2, 0, masks[6]).astype(np.uint8)
    scene.annotate(m00000=masks[0], m00006=without)
    assert run().code == 0
    assert np.array_equal(scene.result(6), without)
    assert not any(2 in scene.result(frame) for frame in range(6, NUM_FRAMES))


def test_partial_annotation_leaves_the_others_to_the_engine(scene: Scene, run: Run) -> None:
    masks = scene.video.masks
    scene.annotate(m00000=masks[0], m00006=np.where(masks[6] == 2, 2, 0).astype(np.uint8))
    assert run("--partial").code == 0
    at_six = scene.result(6)
    assert np.array_equal(at_six == 2, masks[6] == 2)
    assert np.array_equal(at_six == 3, (masks[0] == 3) & (masks[6] != 2))
    assert all({1, 2, 3} <= set(scene.result(frame).ravel().tolist()) for frame in range(NUM_FRAMES))


def test_frames_without_objects_have_a_mask_too(scene: Scene, run: Run) -> None:
    scene.annotate(m00000=scene.video.masks[0], m00001=np.zeros(scene.video.size, np.uint8))
    assert run().code == 0
    assert len(left_over(scene.output)) == NUM_FRAMES
    assert not scene.result(1).any()
    assert not scene.result(11).any()


def test_range_limits_what_is_written(scene: Scene, run: Run) -> None:
    scene.annotate(m00005=scene.video.masks[5], m00011=scene.video.masks[11])
    assert run("--range", "3:8").code == 0
    assert left_over(scene.output) == [f"{frame:05d}.png" for frame in range(3, 8)]


def test_one_mask_is_for_the_first_frame_of_the_range(scene: Scene, run: Run) -> None:
    file = scene.masks / "00000.png"
    assert run("--masks", file, "--range", "4:6").code == 0
    assert np.array_equal(scene.result(4), scene.video.masks[0])


def test_grey_binary_and_colour_masks(scene: Scene, run: Run) -> None:
    mask = scene.video.masks[0]
    shutil.rmtree(scene.masks)
    scene.masks.mkdir()
    Image.fromarray(davis_palette()[mask]).save(scene.masks / "00000.png")
    Image.fromarray(((mask == 1) * 255).astype(np.uint8)).save(scene.masks / "00005.png")
    Image.fromarray(mask).save(scene.masks / "00009.png")
    assert run().code == 0
    assert np.array_equal(scene.result(0), mask)
    assert np.array_equal(scene.result(5), mask == 1)
    assert np.array_equal(scene.result(9), mask)


def test_masks_of_an_earlier_run_do_not_shine_through(scene: Scene, run: Run) -> None:
    scene.output.mkdir()
    write_mask(scene.output / "00003.png", np.full(scene.video.size, 9, np.uint8))
    (scene.output / "00004.png").write_bytes(b"damaged")
    write_mask(scene.output / "cover.png", np.full(scene.video.size, 9, np.uint8))
    assert run().code == 0
    assert np.array_equal(scene.result(3), scene.video.masks[0])
    assert np.array_equal(scene.result(4), scene.video.masks[0])
    assert (read_mask(scene.output / "cover.png") == 9).all()


def make_video(path: Path, video: SyntheticVideo) -> Path:
    with VideoWriter(path, video.size, Fraction(25)) as writer:
        for frame in video.frames:
            writer.write(frame)
    return path


def test_video_with_overlay_and_statistics(scene: Scene, run: Run) -> None:
    clip = make_video(scene.root / "clip.mp4", scene.video)
    size = open_source(clip).size  # odd sides were padded
    scene.annotate(m00000=np.pad(scene.video.masks[0], ((0, size.height - 65), (0, size.width - 97))))
    overlay, stats = scene.root / "over.mp4", scene.root / "run.json"
    assert run("--video", clip, "--overlay", overlay, "--stats", stats).code == 0
    with av.open(str(overlay)) as container:
        assert sum(1 for _ in container.decode(video=0)) == NUM_FRAMES
        assert container.streams.video[0].average_rate == 25
    told = json.loads(stats.read_text())
    assert told["frames"] == NUM_FRAMES
    assert told["objects"] == [1, 2, 3]
    assert told["predictions"] == NUM_FRAMES - 1
    assert told["frames_per_second"] == pytest.approx(11 / told["propagation_seconds"], rel=0.05)
    assert told["seconds"] >= told["propagation_seconds"]
    assert told["peak_memory_bytes"] is None or told["peak_memory_bytes"] > 50_000_000
    assert (told["engine"], told["weights"]) == ("static", None)
    assert told["device"].startswith("cpu")
    assert told["settings"]["mem_every"] == 5
    assert told["source"]["path"] == str(clip)
    assert told["versions"]["torch"] == importlib.metadata.version("torch")
    assert not any(name.startswith(".") for name in left_over(scene.root))


def test_overlay_shows_the_masks(scene: Scene, run: Run) -> None:
    overlay = scene.root / "over.mp4"
    assert run("--overlay", overlay, "--range", "0:3").code == 0
    with av.open(str(overlay)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 3
    difference = np.abs(pictures[2][:65, :97].astype(int) - scene.video.frames[2])
    inside = scene.video.masks[0] == 2
    assert difference[inside].mean() > 4 * difference[scene.video.masks[0] == 0].mean()


def test_workspace_opens_with_everything_in_it(scene: Scene, run: Run) -> None:
    masks = scene.video.masks
    scene.annotate(m00002=np.where(masks[2] == 2, 0, masks[2]).astype(np.uint8), m00006=masks[6])
    folder = scene.root / "work"
    assert run("--workspace", folder).code == 0
    workspace = Workspace.open(open_source(scene.images), folder)
    assert [info.object_id for info in workspace.project.objects] == [1, 2, 3]
    assert workspace.project.key_frames == {2: {1, 3}, 6: {1, 2, 3}}
    assert workspace.project.next_object_id == 4
    for frame in range(NUM_FRAMES):
        assert np.array_equal(workspace.masks.get(frame), scene.result(frame))
    workspace.close()


def test_embedded_network_between_two_annotations(scene: Scene, run: Run) -> None:
    """Object 2 is first shown by the second annotation, so that frame is memorised without it and then with it."""
    masks, stats = scene.video.masks, scene.root / "run.json"
    scene.annotate(m00001=np.where(masks[1] == 2, 0, masks[1]).astype(np.uint8), m00004=masks[4])
    assert run("--engine", "light", "--range", "1:6", "--stats", stats).code == 0
    assert [2 in scene.result(frame) for frame in range(1, 6)] == [False, False, False, True, True]
    assert np.array_equal(scene.result(4), masks[4])
    for frame in (2, 3, 5):
        for object_id in (1, 3):
            found, true = scene.result(frame) == object_id, masks[frame] == object_id
            assert (found & true).sum() > 0.6 * (found | true).sum()
    told = json.loads(stats.read_text())
    assert told["engine"] == "light"
    assert told["predictions"] == 3 + 2 + 1
    weights = Path(told["weights"]["file"]).read_bytes()
    assert told["weights"]["sha256"] == hashlib.sha256(weights).hexdigest()


def test_when_the_memory_runs_out_settings_are_lowered_and_told(
    scene: Scene, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that can compute one object at a time only."""
    real, stats = LightNet.decode, scene.root / "run.json"

    def decode(self: LightNet, read: Tensor, *rest: Tensor) -> Tensor:
        if len(read) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory (injected)")
        return real(self, read, *rest)

    monkeypatch.setattr(LightNet, "decode", decode)
    ended = run("--engine", "light", "--range", "0:4", "--stats", stats)
    assert ended.code == 0
    assert len(left_over(scene.output)) == 4
    assert "Frame 1: The memory ran out." in ended.err and "1 at a time" in ended.err
    assert json.loads(stats.read_text())["settings"]["objects_at_a_time"] == 1


def test_with_nothing_left_to_give_up_finished_frames_stay(
    scene: Scene, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = StaticPropagator.segment

    def segment(self: StaticPropagator, frame: int, *rest: object) -> Tensor:
        if frame >= 3:
            raise MemoryError
        return real(self, frame, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(StaticPropagator, "segment", segment)
    refused(run(), "no memory left")
    assert left_over(scene.output) == ["00000.png", "00001.png", "00002.png"]


# ------------------------------------------------------------------------------------------------ bad input


def test_unreadable_video(scene: Scene, run: Run) -> None:
    for name, content in (("empty.mp4", b""), ("noise.mp4", b"\x00\x01no video" * 400)):
        (scene.root / name).write_bytes(content)
        refused(run("--video", scene.root / name), name)
    assert left_over(scene.output) == []


def test_truncated_video(scene: Scene, run: Run) -> None:
    whole = write_video(scene.root / "whole.mp4", [numbered_picture(number) for number in range(30)])
    refused(run("--video", cut_off(whole, scene.root / "clip.mp4", 0.5)), "clip.mp4", "cut off")


def test_missing_video(scene: Scene, run: Run) -> None:
    refused(run("--video", scene.root / "absent.mp4"), "absent.mp4")


def test_folder_without_images(scene: Scene, run: Run) -> None:
    (scene.root / "nothing").mkdir()
    refused(run("--images", scene.root / "nothing"), "nothing", "no image")


def test_frames_of_different_sizes(scene: Scene, run: Run) -> None:
    Image.new("RGB", (96, 65)).save(scene.images / "00007.png")
    refused(run(), "00007.png", "96x65", "97x65")


def test_mask_of_another_size(scene: Scene, run: Run) -> None:
    scene.annotate(m00000=scene.video.masks[0], m00004=np.ones((65, 96), np.uint8))
    refused(run(), "00004.png", "96x65", "97x65")
    assert left_over(scene.output) == []


def test_real_mask_of_another_size(scene: Scene, run: Run, shared: Path) -> None:
    judo = shared / "data" / "clips" / "judo"
    refused(run("--images", judo / "images", "--masks", judo / "masks"), "00005.png", "853x480", "854x480")


def test_mask_of_no_frame(scene: Scene, run: Run) -> None:
    scene.annotate(m0=scene.video.masks[0])
    refused(run(), "0.png", "00000.png to 00011.png")
    assert left_over(scene.output) == []


def test_three_hundred_objects(scene: Scene, run: Run) -> None:
    ids = np.arange(65 * 97).reshape(65, 97) % 301
    Image.fromarray(ids.astype(np.uint16)).save(scene.masks / "00000.png")
    refused(run(), "00000.png", "300", "254")


def test_mask_that_is_no_picture(scene: Scene, run: Run) -> None:
    (scene.masks / "00003.png").write_bytes(b"no picture")
    refused(run(), "00003.png")


def test_missing_masks(scene: Scene, run: Run) -> None:
    refused(run("--masks", scene.root / "absent"), "absent")


def test_missing_weights(scene: Scene, run: Run) -> None:
    refused(run("--engine", "light", "--weights", scene.root / "absent.safetensors"), "absent.safetensors")
    assert left_over(scene.output) == []


def test_wrong_weights(scene: Scene, run: Run) -> None:
    wrong = scene.root / "wrong.pth"
    wrong.write_bytes(b"no checkpoint")
    refused(run("--engine", "light", "--weights", wrong), "wrong.pth")
    assert left_over(scene.output) == []


def test_weights_for_an_engine_without_a_network(scene: Scene, run: Run) -> None:
    refused(run("--weights", scene.root / "any.pth"), "any.pth", "static")


def test_memory_frames_of_an_engine_without_such_a_memory(scene: Scene, run: Run) -> None:
    refused(run("--max_memory_frames", "8"), "--max_memory_frames 8", "static")
    assert left_over(scene.output) == []


def test_bound_of_the_memory_is_reported(scene: Scene, run: Run) -> None:
    stats = scene.root / "run.json"
    assert run("--engine", "light", "--range", "0:2", "--max_memory_frames", "9", "--stats", stats).code == 0
    assert json.loads(stats.read_text())["settings"]["max_rolling"] == 9


def test_unknown_engine(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        propagate.main(scene.argv("--engine", "resnet"))
    assert stop.value.code == 2
    assert "'resnet'" in capfd.readouterr().err


def test_range_beyond_the_video(scene: Scene, run: Run) -> None:
    refused(run("--range", "3:13"), "3:13", "12 frames")


def test_output_that_is_an_input(scene: Scene, run: Run) -> None:
    before = {path: path.read_bytes() for path in (*scene.images.iterdir(), *scene.masks.iterdir())}
    (scene.root / "link").symlink_to(scene.masks)
    refused(run("--output", scene.masks), "masks", "start from")
    refused(run("--output", scene.root / "link"), "link")
    refused(run("--output", scene.masks / ".." / "masks", "--masks", scene.masks / "00000.png"), "start from")
    refused(run("--output", scene.images), "images", "frames")
    assert before == {path: path.read_bytes() for path in (*scene.images.iterdir(), *scene.masks.iterdir())}


def test_output_that_is_a_file(scene: Scene, run: Run) -> None:
    scene.output.touch()
    refused(run(), "output", "file")


def test_output_that_cannot_be_made(scene: Scene, run: Run) -> None:
    (scene.root / "file").touch()
    refused(run("--output", scene.root / "file" / "sub"), "file")


def test_results_without_a_folder(scene: Scene, run: Run) -> None:
    absent = scene.root / "absent"
    refused(run("--overlay", absent / "o.mp4"), "o.mp4", "absent")
    refused(run("--stats", absent / "s.json"), "s.json", "absent")
    assert left_over(scene.output) == []


def test_overlay_over_the_source(scene: Scene, run: Run) -> None:
    clip = make_video(scene.root / "clip.mp4", scene.video)
    size = open_source(clip).size
    scene.annotate(m00000=np.ones(size, np.uint8))
    refused(run("--video", clip, "--overlay", clip), "clip.mp4")


def test_output_inside_the_workspace(scene: Scene, run: Run) -> None:
    refused(run("--workspace", scene.output), "workspace")
    refused(run("--workspace", scene.root / "w", "--output", scene.root / "w" / "masks"), "workspace")
    assert left_over(scene.output) == []


def test_workspace_that_cannot_be_written(scene: Scene, run: Run) -> None:
    (scene.root / "file").touch()
    refused(run("--workspace", scene.root / "file" / "work"), "work")
    assert left_over(scene.output) == []


def test_workspace_with_work_in_it(scene: Scene, run: Run) -> None:
    folder = scene.root / "work"
    assert run("--workspace", folder).code == 0
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    scene.annotate(m00000=np.ones(scene.video.size, np.uint8))
    refused(run("--workspace", folder), "work", "not overwritten")
    assert before == {path: path.read_bytes() for path in folder.rglob("*.png")}


def test_workspace_of_another_video(scene: Scene, run: Run) -> None:
    other = scene.root / "other"
    shutil.copytree(scene.images, other)
    Image.new("RGB", (97, 65)).save(other / "00000.png")
    Workspace.open(open_source(other), scene.root / "work").close()
    refused(run("--workspace", scene.root / "work"), "another video", "project.json")
    assert left_over(scene.output) == []


def test_workspace_of_a_newer_version(scene: Scene, run: Run) -> None:
    Workspace.open(open_source(scene.images), scene.root / "work").close()
    project = scene.root / "work" / "project.json"
    project.write_text(json.dumps({**json.loads(project.read_text()), "version": 99}))
    refused(run("--workspace", scene.root / "work"), "newer version", "project.json")


def test_workspace_that_is_open_elsewhere(scene: Scene, run: Run) -> None:
    (scene.root / "work").mkdir()
    lock = FolderLock(scene.root / "work")
    try:
        refused(run("--workspace", scene.root / "work"), "work", str(os.getpid()))
    finally:
        lock.release()
    assert left_over(scene.output) == []


def python(code: str, argv: Sequence[str], repository: Path) -> Ended:
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], cwd=repository, capture_output=True, text=True, timeout=120, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes")
def test_disk_that_is_full(scene: Scene, repository: Path) -> None:
    """A limit on the size of files makes every mask fail as a full disk does."""
    code = (
        "import resource, sys, propagate\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "sys.exit(propagate.main(sys.argv[1:]))"
    )
    refused(python(code, scene.argv(), repository), ".png", "cannot be")
    assert left_over(scene.output) == []


def test_wrong_input_is_told_before_torch_is_loaded(scene: Scene, repository: Path) -> None:
    code = (
        "import sys, propagate\n"
        "code = propagate.main(sys.argv[1:])\n"
        "assert 'torch' not in sys.modules\n"
        "sys.exit(code)"
    )
    refused(python(code, scene.argv("--range", "90:"), repository), "--range")


def test_program_as_it_is_called(scene: Scene, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "propagate.py", *scene.argv("--range", "0:3")],
        cwd=repository, capture_output=True, text=True, timeout=120, check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("3 frames, 3 objects")
    assert len(left_over(scene.output)) == 3


# ------------------------------------------------------------------------------------------------ trouble on the way


Step = Callable[[FrameResult], None]


def watch_core(monkeypatch: pytest.MonkeyPatch, on_frame: Step) -> None:
    """Have `on_frame` called in the core, before each of its results is handed out."""
    build = inference_core.factory.build_core

    def build_watched(config: AppConfig, frames: FrameReader, existing: ExistingMask) -> CoreApi:
        core = build(config, frames, existing)
        original = core.propagate

        def propagate_watched(
            request: PropagationRequest, token: CancelToken | None = None
        ) -> Generator[FrameResult, None, None]:
            for result in original(request, token):
                on_frame(result)
                yield result

        monkeypatch.setattr(core, "propagate", propagate_watched)
        return core

    monkeypatch.setattr(inference_core.factory, "build_core", build_watched)


def test_interrupt_keeps_finished_frames(scene: Scene, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    watch_core(monkeypatch, lambda r: os.kill(os.getpid(), signal.SIGINT) if r.frame == 4 else None)
    handler = signal.getsignal(signal.SIGINT)
    ended = run("--workspace", scene.root / "work", "--stats", scene.root / "s.json")
    assert ended.code == 130
    assert "5 of 12 frames are finished" in ended.err
    assert left_over(scene.output) == [f"{frame:05d}.png" for frame in range(5)]
    assert not (scene.root / "s.json").exists()
    assert signal.getsignal(signal.SIGINT) == handler
    workspace = Workspace.open(open_source(scene.images), scene.root / "work")
    assert workspace.masks.frames() == [0, 1, 2, 3, 4]
    assert workspace.project.key_frames == {0: {1, 2, 3}}
    workspace.close()


def test_second_interrupt_does_not_wait(scene: Scene, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt_twice(result: FrameResult) -> None:
        if result.frame == 4:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    watch_core(monkeypatch, interrupt_twice)
    ended = run()
    assert ended.code == 130
    assert "stopped" in ended.err


def test_frame_that_breaks_on_the_way(scene: Scene, run: Run) -> None:
    """Only its header was looked at when the folder was opened."""
    broken = scene.images / "00006.png"
    broken.write_bytes(broken.read_bytes()[:-200])
    refused(run("--mem_profile", "3"), "00006.png")
    assert left_over(scene.output) == [f"{frame:05d}.png" for frame in range(6)]
