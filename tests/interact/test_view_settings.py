"""How a project is looked at: kept in its settings, nonsense counts as absent, other settings stay."""
from __future__ import annotations

import pytest

from interact.objects import ObjectList, SceneObject
from interact.view_settings import ViewSettings, read_view, with_view
from storage.json_fields import Json


def test_what_is_kept_comes_back() -> None:
    view = ViewSettings(-20, 100, {3: 0.25, 12: 0.0})
    settings = with_view({"other": 1}, view)
    assert read_view(settings) == view and settings["other"] == 1
    assert with_view(settings, ViewSettings(opacities={3: 1.0})) == {"other": 1}, "as usual is left out"
    assert read_view({}) == ViewSettings()


@pytest.mark.parametrize("content", [
    None, 7, [], {}, {"brightness": "much", "contrast": 1000, "opacities": []},
    {"brightness": 1.5, "contrast": True, "opacities": {"x": 0.5, "1": "half", "2": 7, "3": True}},
])  # fmt: skip
def test_nonsense_is_no_setting(content: Json) -> None:
    assert read_view({"view": content}) == ViewSettings()


def test_opacities_belong_to_objects_that_are_there() -> None:
    objects = ObjectList([SceneObject(1, "a"), SceneObject(2, "b")], opacities={2: 0.5, 9: 0.1})
    told: list[int] = []
    objects.changed.connect(lambda: told.append(1))
    objects.set_opacity(1, 0.2)
    objects.set_opacity(1, 0.2)
    assert objects.opacities == ((1, 0.2), (2, 0.5)) and told == [1]
    objects.replace([SceneObject(2, "b")])
    assert objects.opacities == ((2, 0.5),)
    objects.replace([SceneObject(1, "a"), SceneObject(2, "b")])
    assert objects.opacity(1) == 0.2, "undo of a deletion brings it back"
    with pytest.raises(ValueError, match=r"0\.\.1"):
        objects.set_opacity(1, 1.5)
