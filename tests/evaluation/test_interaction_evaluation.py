"""The measurement of clicks and scribbles: which objects, which figures, and going on after an interruption."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation import interaction
from evaluation.interaction import main, prompt_object
from evaluation.interaction_report import MAX_CLICKS, Row, RowFile, as_table
from evaluation.interaction_samples import Sample, clip_samples, spread, still_samples
from interact.interaction import Interaction
from storage.stills import is_held_out
from util.errors import AppError
from util.jobs import CancelToken

SIZE = (48, 64)


def heldout_names(set_name: str, count: int) -> list[str]:
    names = (f"{number:03d}" for number in range(1000))
    return [name for name in names if is_held_out(set_name, name)][:count]


def labels_of(*rects: tuple[int, int, int, int, int]) -> np.ndarray:
    """uint8 [48, 64] with rectangles (label, x0, y0, x1, y1)."""
    labels = np.zeros(SIZE, np.uint8)
    for label, x0, y0, x1, y1 in rects:
        labels[y0:y1, x0:x1] = label
    return labels


def write_still(folder: Path, name: str, labels: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    colors = np.array([(60, 160, 60), (200, 40, 40), (40, 40, 200), (220, 220, 40), *[(128, 128, 128)] * 252], np.uint8)
    Image.fromarray(colors[labels]).save(folder / f"{name}.jpg", quality=95)
    Image.fromarray(labels).save(folder / f"{name}.png")


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    """Two sets: `things` with three held-out pictures of one red block, `ccp` with one of two garments."""
    for name in heldout_names("things", 3):
        write_still(tmp_path / "stills" / "things", name, labels_of((1, 20, 12, 44, 36)))
    [name] = heldout_names("ccp", 1)
    write_still(tmp_path / "stills" / "ccp", name, labels_of((1, 20, 10, 40, 24), (2, 20, 24, 40, 38)))
    return tmp_path / "stills"


def test_the_two_largest_labels_within_the_bounds_are_the_objects(tmp_path: Path) -> None:
    [name] = heldout_names("set", 1)
    small = (2, 44, 32, 52, 42), (4, 60, 40, 63, 43)
    labels = labels_of((9, 0, 0, 64, 30), (3, 0, 30, 20, 44), (1, 30, 32, 40, 44), *small)
    labels[44:] = 255
    write_still(tmp_path / "set", name, labels)
    found = list(still_samples(tmp_path, "heldout", None))
    assert [sample.label for sample in found] == [3, 1], "9 is over half of the picture, 2 the third, 4 under 1 %"
    assert found[0].ignored[44:].all() and not found[0].ignored[:44].any()
    assert np.array_equal(found[0].gt, labels == 3)


def test_a_set_of_parts_is_one_object_and_a_limit_is_per_set(stills: Path) -> None:
    found = list(still_samples(stills, "heldout", 2))
    assert [sample.set_name for sample in found] == ["ccp", "things", "things"]
    assert found[0].gt.sum() == 20 * 28
    assert spread(list(range(10)), 3) == [0, 3, 6] and spread([1, 2], None) == [1, 2]


def test_of_clips_every_tenth_frame(tmp_path: Path) -> None:
    for frame in range(12):
        for part, suffix in (("JPEGImages", "jpg"), ("Annotations", "png")):
            folder = tmp_path / "davis" / part / "480p" / "dog"
            folder.mkdir(parents=True, exist_ok=True)
            picture = np.zeros((*SIZE, 3), np.uint8) if suffix == "jpg" else labels_of((255, 10, 10, 30, 30))
            Image.fromarray(picture).save(folder / f"{frame:05d}.{suffix}")
    found = list(clip_samples(tmp_path / "davis", None))
    assert [sample.key for sample in found] == [("davis", "dog/00000", 1), ("davis", "dog/00010", 1)]
    assert found[0].gt.sum() == 400


class Growing:
    """Finds the left n tenths of a wide object after n prompts; asked for nothing else."""

    name = "growing"

    def __init__(self, gt: np.ndarray) -> None:
        self.gt = gt
        self.seen: list[Interaction] = []

    def predict(self, image: np.ndarray, interaction: Interaction, token: CancelToken) -> np.ndarray:
        self.seen.append(interaction)
        mask = self.gt.copy()
        mask[:, 10 + 4 * len(interaction.prompts) :] = False
        return mask


def sample(ignored: bool = False) -> Sample:
    gt = labels_of((1, 10, 10, 50, 30)) == 1
    noise = np.zeros(SIZE, np.bool_)
    noise[:, 30:] = ignored
    return Sample("set", "picture", 1, np.zeros((*SIZE, 3), np.uint8), gt, noise)


def test_clicks_go_on_until_the_highest_target_and_see_the_answers_before() -> None:
    growing = Growing(sample().gt)
    ious, seconds = prompt_object(growing, sample(), scribble=False)
    np.testing.assert_allclose(ious, np.arange(1, 10) / 10)
    assert seconds >= 0
    for count, seen in enumerate(growing.seen, 1):
        assert len(seen.prompts) == count
        assert seen.previous.sum() == 80 * (count - 1), "the mask shown is the answer to the prompts before"
        click = seen.prompts[-1]
        pixel = int(click.y), int(click.x)
        assert click.positive and sample().gt[pixel] and not seen.previous[pixel]


def test_pixels_nobody_labelled_count_for_nothing() -> None:
    ious, _ = prompt_object(Growing(sample().gt), sample(ignored=True), scribble=False)
    np.testing.assert_allclose(ious, [0.2, 0.4, 0.6, 0.8, 1.0])


def test_one_scribble() -> None:
    growing = Growing(sample().gt)
    ious, _ = prompt_object(growing, sample(), scribble=True)
    assert len(ious) == 1 and growing.seen[0].kind == "scribble"


def row(ious: tuple[float, ...], name: str = "a", set_name: str = "set") -> Row:
    return Row("grabcut", "clicks", set_name, name, 1, 0.25, 0.5, ious)


def test_figures_of_a_row() -> None:
    good, bad, done = row((0.5, 0.86, 0.84, 0.91)), row((0.2,) * MAX_CLICKS), row((0.95,))
    assert (good.iou_at(1), good.iou_at(3), good.iou_at(5)) == (0.5, 0.84, 0.91)
    assert [good.clicks_to(target) for target in (0.85, 0.9)] == [2, 4]
    assert bad.clicks_to(0.85) == MAX_CLICKS and not bad.reached(0.85)
    assert done.clicks_to(0.9) == 1 and done.iou_at(5) == 0.95
    assert Row.parse(good.cells()) == good


def test_the_table_has_means_per_set_and_over_all() -> None:
    text = as_table([row((0.4,) * MAX_CLICKS), row((0.9,), set_name="other"), row((0.8, 0.9), set_name="other")])
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines()}
    assert lines["set"][:6] == ["1", "40.0", "40.0", "40.0", "20.00", "100.0%"]
    assert lines["other"][:6] == ["2", "85.0", "90.0", "90.0", "1.50", "0.0%"]
    assert lines["all"][0] == "3" and lines["all"][5] == "33.3%"


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    RowFile(path, "grabcut", "clicks").add(row((0.5, 0.9)))
    whole = path.read_text()
    path.write_text(whole + "grabcut,clicks,set,b,1,0.2")  # killed in the middle of a line
    file = RowFile(path, "grabcut", "clicks")
    assert file.rows == [row((0.5, 0.9))] and path.read_text() == whole
    file.add(row((0.3,), "b"))
    assert [r.picture for r in RowFile(path, "grabcut", "clicks").rows] == ["a", "b"]
    with pytest.raises(AppError, match="holds clicks of grabcut, not clicks of light:1"):
        RowFile(path, "light:1", "clicks")
    path.write_text("something,else\n")
    with pytest.raises(AppError, match="no table of this program"):
        RowFile(path, "grabcut", "clicks")


def test_the_command_measures_and_resumes(
    stills: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.csv"
    argv = ["--images", str(stills), "--predictor", "grabcut", "--csv", str(path)]
    assert main([*argv, "--limit", "1"]) == 0
    assert len(path.read_text().splitlines()) == 3
    assert main(argv) == 0
    text = capsys.readouterr().out
    assert text.count("things/") == 3, "no picture is measured twice"
    assert "ccp" in text and "NoC@85" in text
    first = path.read_text()
    monkeypatch.setattr(interaction, "prompt_object", None)  # nothing is left to do
    assert main(argv) == 0 and path.read_text() == first


def test_scribbles_by_the_command(stills: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--images", str(stills), "--predictor", "grabcut", "--prompts", "scribbles", "--limit", "1"]) == 0
    table = capsys.readouterr().out.partition("\n\n")[2]
    assert "IoU@1" in table and "NoC" not in table


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["--images", "/nowhere"], "/nowhere"),
        (["--clips", "/nowhere"], "/nowhere"),
        (["--images", "/nowhere", "--predictor", "light", "--weights", "/no.safetensors"], "/no.safetensors"),
    ],
)
def test_wrong_input_is_named(argv: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--predictor", "grabcut", *argv]) == 2
    assert word in capsys.readouterr().err


def test_something_to_measure_on_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--predictor", "grabcut"])
    assert stop.value.code == 2 and "--images" in capsys.readouterr().err
