"""What the window does when the memory runs out during a propagation."""
from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import pytest

from inference_core.api import FrameResult, MemoryExhausted, PropagationRequest
from tests.gui.driver import Driver, FakeBuilder
from tests.gui.test_main_window_jobs import build, marked, wait_finished  # noqa: F401 - fixtures
from util.jobs import CancelToken

EXHAUSTED = MemoryExhausted("There is no memory left for the next frame.", "Choose a smaller size.")


@pytest.mark.parametrize("is_exhausted", [False, True])
def test_lowered_settings_are_told_and_finished_frames_stay(
    marked: Driver, build: FakeBuilder, monkeypatch: pytest.MonkeyPatch, is_exhausted: bool  # noqa: F811
) -> None:
    """The pass begins at frame 5 and has reached frame 8 when there is nothing left to give up."""
    core, told = build.cores[0], []
    plain, show = core.propagate, marked.window.controller.show_message

    def short_of_memory(request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        for result in plain(request, token):
            if is_exhausted and result.frame == 9:
                raise EXHAUSTED
            yield replace(result, notice="Objects are computed 1 at a time." if result.frame == 7 else "")

    monkeypatch.setattr(core, "propagate", short_of_memory)
    monkeypatch.setattr(marked.window.controller, "show_message", lambda text: (told.append(text), show(text)))
    marked.trigger("propagate.forward")
    wait_finished(marked)
    assert "Frame 7: Objects are computed 1 at a time." in told
    last = 8 if is_exhausted else 11
    assert [frame for frame in range(12) if marked.mask(frame).any()] == list(range(5, last + 1))
    assert [error.message for error in marked.dialogs.errors] == [EXHAUSTED.message] * is_exhausted
    assert marked.window.job_bar.facts.name.text().startswith("The memory ran out") == is_exhausted
    marked.trigger("edit.undo")
    assert [frame for frame in range(12) if marked.mask(frame).any()] == [5]
