"""Which frame comes next by rule, against what the published program chose."""
from __future__ import annotations

import pytest

from inference_core.frame_choice import frames_around, spaced_frames, worst_frame
from tests.golden_rules import golden_rules


@pytest.mark.golden
def test_golden_subsequences() -> None:
    choose = {"equal": spaced_frames, "consecutive": frames_around}
    for first, num_frames, count, style, expected in golden_rules()["gen_subseq(first_frame,n_frame,len,style)"]:
        if expected == "AssertionError":
            with pytest.raises(ValueError, match=str(count)):
                choose[style](first, num_frames, count)
        else:
            assert choose[style](first, num_frames, count) == expected, (first, num_frames, count, style)


@pytest.mark.golden
def test_golden_worst_frame() -> None:
    rules = golden_rules()["select_next_frame"]
    assert worst_frame(rules["values"]) == rules["worst_no_prev"]
    for annotated, expected in rules["worst_prev"]:
        assert worst_frame(rules["values"], annotated) == expected


@pytest.mark.parametrize("num_frames", [9, 25, 60, 101])
@pytest.mark.parametrize("count", [5, 8])
def test_chosen_frames_are_in_the_video_and_the_first_is_among_them(num_frames: int, count: int) -> None:
    for first in range(num_frames):
        for choose in (spaced_frames, frames_around):
            frames = choose(first, num_frames, count)
            assert len(set(frames)) == count and first in frames and frames == sorted(frames)
            assert frames[0] >= 0 and frames[-1] < num_frames


def test_the_first_of_equally_bad_frames_is_the_worst() -> None:
    assert worst_frame([0.5, 0.2, 0.2]) == 1
    with pytest.raises(ValueError, match="empty"):
        worst_frame([])
