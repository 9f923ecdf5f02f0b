"""Ways to choose the next frame, compared: a video that is corrected, the methods, the chart and the command."""
from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from evaluation.corrected_video import CorrectedVideo
from evaluation.frame_selection import Curve, Played, as_table, curves, main, methods, play
from evaluation.metrics import frame_scores
from evaluation.svg import Line, chart_file, line_chart
from tests.evaluation.vos_trees import davis_tree
from tests.synthetic import SyntheticVideo
from util.config import AppConfig
from util.errors import AppError
from util.types import ImageU8

STATIC = AppConfig(engine="static", device="cpu")


@pytest.fixture
def folders(tmp_path: Path, synthetic_video: SyntheticVideo) -> tuple[Path, Path]:
    return synthetic_video.write_frames(tmp_path / "images"), synthetic_video.write_masks(tmp_path / "masks")


def score(video: SyntheticVideo, frame: int, shown: int) -> float:
    """J&F of a frame that shows the mask of another one."""
    scores = frame_scores(video.masks[frame], video.masks[shown], (1, 2, 3))
    return float(np.mean([one.j_and_f for one in scores.values()]))


def test_a_correction_reaches_the_frames_up_to_the_next_one(
    folders: tuple[Path, Path], synthetic_video: SyntheticVideo
) -> None:
    with CorrectedVideo(*folders, STATIC, limit=6) as video:
        assert len(video) == 6 and video.object_ids == (1, 2, 3)
        assert video.quality == pytest.approx([score(synthetic_video, f, 0) for f in range(6)])
        start = video.moment()
        video.correct(4)
        assert video.quality[0] == video.quality[4] == 1
        assert video.quality[5] == pytest.approx(score(synthetic_video, 5, 4))
        # Between two true masks, both results merged by distance: nearer to frame 4 its mask has won.
        assert video.quality[3] == pytest.approx(score(synthetic_video, 3, 4))
        later = video.quality
        video.correct(4)
        assert video.quality is later, "it is right already"
        video.go_back(start)
        assert video.quality == start.quality
        video.correct(4)
        assert video.quality == pytest.approx(later)


def test_every_frame_needs_its_mask(folders: tuple[Path, Path]) -> None:
    (folders[1] / "00003.png").unlink()
    with pytest.raises(AppError, match="frame 3 has none"):
        CorrectedVideo(*folders, STATIC)
    with CorrectedVideo(*folders, STATIC, limit=3) as video:
        assert len(video) == 3
    with pytest.raises(AppError, match="there are 2"):
        CorrectedVideo(*folders, STATIC, limit=2)


class Upside:
    """Predicts that later frames are better."""

    name = "by place"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def quality(self, image: ImageU8, objects: np.ndarray) -> float:
        self.asked.append(len(objects))
        return len(self.asked) / 1000


class Last:
    """Recommends the last frame, again and again."""

    name = "last"

    def rank(self, quality: list[float], annotations: list[int]) -> list[int]:
        return [len(quality) - 1]


def test_methods_choose_what_their_names_say(folders: tuple[Path, Path]) -> None:
    upside = Upside()
    wanted = methods("predicted", upside, Last())  # type: ignore[arg-type]
    assert [method.name for method in wanted] == [
        "random", "linspace", "worst, true quality", "worst, predicted", "worst, published network",
        "recommend, true quality", "recommend, predicted", "recommend, published network",
    ]
    with CorrectedVideo(*folders, STATIC, limit=6) as video:
        start = video.quality
        played = {(one.method, one.seed): one for one in play(video, "a", wanted, 2, 2)}
    assert len(played) == 9 and ("random", 1) in played
    assert len(set(played["random", 0].frames)) == 2 and 0 not in played["random", 0].frames
    assert played["linspace", 0].frames == (1, 3)
    assert played["worst, true quality", 0].frames[0] == int(np.argmin(start))
    assert played["worst, published network", 0].frames == (1, 2) and upside.asked[:6] == [3] * 6
    assert played["recommend, predicted", 0].frames == (5, 5)
    again = played["recommend, predicted", 0].j_and_f
    assert again[0] == pytest.approx(np.mean(start)) and again[1] == again[2] > again[0]
    assert [m.name for m in methods("margin", None, None)][2:] == ["worst, true quality", "worst, margin"]


def test_a_video_knows_what_propagations_left(folders: tuple[Path, Path]) -> None:
    with CorrectedVideo(*folders, STATIC, limit=6) as video:
        start, first = video.moment(), video.carried_quality
        assert first[0] == 1 and all(0 < value < 1 for value in first[1:])
        assert first[5] < first[1], "the farther from the only key frame"
        (worst,) = methods("predicted", None, None)[-1:]
        assert worst.make(video, 2, "").choose([0]) == int(np.argmin(first))
        video.correct(4)
        second = video.carried_quality
        assert second[4] == 1 and second != first
        video.go_back(start)
        assert video.carried_quality == first


def test_curves_are_means_over_sequences_and_their_gains_vary() -> None:
    wanted = methods("margin", None, None)[:2]
    played = [
        Played("a", "random", 0, (1,), (0.5, 0.6)), Played("a", "random", 1, (2,), (0.5, 0.8)),
        Played("b", "random", 0, (1,), (0.7, 0.8)), Played("b", "random", 1, (1,), (0.7, 0.8)),
        Played("a", "linspace", 0, (1,), (0.5, 0.9)), Played("b", "linspace", 0, (1,), (0.7, 0.7)),
    ]
    random, linspace = curves(played, wanted)
    assert random.mean == pytest.approx((0.6, 0.75)) and linspace.mean == pytest.approx((0.6, 0.8))
    assert random.error == pytest.approx((0, np.std([0.2, 0.1], ddof=1) / 2**0.5))
    assert as_table([random, Curve("x", (0.6, 0.8), (0, 0.2))]).splitlines()[2:] == [
        "| random | 60.0 | 75.0 ± 5.0 |", "| x | 60.0 | 80.0 ± 20.0 |"
    ]


def test_a_chart_is_a_picture_with_its_axis_and_names() -> None:
    lines = [Line("first <one>", [(0, 0.5), (2, 0.75)]), Line("second", [(0, 0.5), (2, 1.5)], 1, is_dashed=True)]
    root = ElementTree.fromstring(chart_file(lines, "rounds", (0.5, 1.0)))
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{space}text")]
    assert "first <one>" in texts and "0.50" in texts and "1.00" in texts and "rounds" in texts
    first, second = (line.attrib["points"].split() for line in root.iter(f"{space}polyline"))
    heights = [float(point.split(",")[1]) for point in first]
    top = float(second[1].split(",")[1])
    assert heights[0] == float(second[0].split(",")[1]) and heights[1] == pytest.approx((heights[0] + top) / 2)
    assert "0.25" in line_chart(lines, "rounds") and "0.62" in line_chart(lines, "rounds", y_range=(0.5, 1))


def test_the_command(tmp_path: Path, synthetic_video: SyntheticVideo, capsys: pytest.CaptureFixture[str]) -> None:
    tree, chart = davis_tree(tmp_path / "tree", synthetic_video, ("a", "b")), tmp_path / "chart.svg"
    command = ["--clips", str(tree), "--out", str(chart), "--engine", "static", "--threads", "1", "--frames", "4"]
    assert main([*command, "--rounds", "1", "--seeds", "2", "--count", "1"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("| next frame | 0 corrected | 1 corrected |") and "| worst, true quality |" in table
    rows = list(csv.DictReader(chart.with_suffix(".csv").read_text().splitlines()))
    assert {row["sequence"] for row in rows} == {"a"} and {row["round"] for row in rows} == {"0", "1"}
    assert sum(row["method"] == "random" for row in rows) == 4
    ElementTree.parse(chart)
    assert main([*command, "--agent", str(tmp_path / "none.pt")]) == 2
    assert "none.pt" in capsys.readouterr().err
