"""Values as bytes and back: frozen dataclasses made of numbers, text, bytes, tuples, sets and mappings of them.

What a value consists of is read off its annotations, so a new kind of change is kept on disk without a line here. The
bytes are a JSON tree followed by the byte strings it refers to; nothing in them can name code to run. A field that is
missing takes its default, which lets newer programs read what older ones wrote.
"""
from __future__ import annotations

import dataclasses
import json
import struct
import types
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_LENGTH = struct.Struct("<I")

Variants = Mapping[type, Mapping[str, type]]
"""An interface -> its implementations by name. The name is what stands in the file."""


class Codec:
    """Args: variants: what may stand where an annotation names an interface."""

    def __init__(self, variants: Variants) -> None:
        self._variants = variants
        self._names = {kind: {cls: name for name, cls in table.items()} for kind, table in variants.items()}

    def pack(self, value: object, hint: object) -> bytes:
        """Raises TypeError for a value that is not what `hint` says or cannot be kept."""
        blobs: list[bytes] = []
        tree = self._encode(value, hint, blobs)
        text = json.dumps([[len(blob) for blob in blobs], tree], allow_nan=False, separators=(",", ":")).encode()
        return b"".join((_LENGTH.pack(len(text)), text, *blobs))

    def unpack(self, data: bytes, hint: object) -> Any:  # noqa: ANN401 - what `hint` says
        """Raises ValueError for bytes that `pack` did not make for this hint."""
        try:
            (length,) = _LENGTH.unpack_from(data)
            start = _LENGTH.size + length
            lengths, tree = json.loads(data[_LENGTH.size : start])
            blobs: list[bytes] = []
            for nbytes in lengths:
                blobs.append(data[start : start + nbytes])
                start += nbytes
            return self._decode(tree, hint, blobs)
        except (struct.error, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"not a kept {hint}: {error!r}") from error

    # -- one way

    def _encode(self, value: object, hint: object, blobs: list[bytes]) -> object:
        origin = get_origin(hint)
        if hint is bytes:
            _expect(isinstance(value, bytes), value, hint)
            blobs.append(value)  # type: ignore[arg-type]
            return len(blobs) - 1
        if hint in (int, float, str, bool, type(None)):
            return _plain(value, hint)
        if origin is Literal:
            _expect(value in get_args(hint), value, hint)
            return value
        if origin in (Union, types.UnionType):
            return self._encode_union(value, get_args(hint), blobs)
        if hint is range:
            _expect(isinstance(value, range), value, hint)
            return [value.start, value.stop, value.step]  # type: ignore[attr-defined]
        if isinstance(hint, type) and hint in self._variants:
            name = self._names[hint].get(type(value))
            _expect(name is not None, value, hint)
            return [name, self._encode(value, type(value), blobs)]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            _expect(type(value) is hint, value, hint)
            return {name: self._encode(getattr(value, name), kind, blobs) for name, kind in _fields(hint).items()}
        return self._encode_group(value, hint, blobs)

    def _encode_union(self, value: object, choices: tuple[object, ...], blobs: list[bytes]) -> object:
        """None as it is; one other choice as it is; of several, dataclasses, with the place of the right one."""
        if value is None and type(None) in choices:
            return None
        others = [choice for choice in choices if choice is not type(None)]
        if len(others) == 1:
            return self._encode(value, others[0], blobs)
        _expect(type(value) in others, value, choices)
        return [type(value).__name__, self._encode(value, type(value), blobs)]

    def _encode_group(self, value: Any, hint: object, blobs: list[bytes]) -> object:  # noqa: ANN401 - checked here
        origin, parts = get_origin(hint), get_args(hint)
        if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
            kinds = _fields(hint)
            return [self._encode(item, kind, blobs) for item, kind in zip(value, kinds.values(), strict=True)]
        if origin is tuple:
            _expect(isinstance(value, tuple), value, hint)
            kinds_of = _repeated(parts, len(value))
            return [self._encode(item, kind, blobs) for item, kind in zip(value, kinds_of, strict=True)]
        if origin is frozenset:
            _expect(isinstance(value, frozenset), value, hint)
            return [self._encode(item, parts[0], blobs) for item in sorted(value)]
        if isinstance(origin, type) and issubclass(origin, Mapping):
            _expect(isinstance(value, Mapping), value, hint)
            return [[self._encode(k, parts[0], blobs), self._encode(v, parts[1], blobs)] for k, v in value.items()]
        raise TypeError(f"values of {hint} cannot be kept")

    # -- and back

    def _decode(self, tree: Any, hint: object, blobs: list[bytes]) -> Any:  # noqa: ANN401 - as `hint` says
        origin = get_origin(hint)
        if hint is bytes:
            return blobs[tree]
        if hint in (int, float, str, bool, type(None)):
            return _plain(tree, hint)
        if origin is Literal:
            _expect(tree in get_args(hint), tree, hint)
            return tree
        if origin in (Union, types.UnionType):
            others = [choice for choice in get_args(hint) if choice is not type(None)]
            if tree is None and len(others) < len(get_args(hint)):
                return None
            if len(others) == 1:
                return self._decode(tree, others[0], blobs)
            by_name = {getattr(choice, "__name__", ""): choice for choice in others}
            return self._decode(tree[1], by_name[tree[0]], blobs)
        if hint is range:
            return range(*map(int, tree))
        if isinstance(hint, type) and hint in self._variants:
            return self._decode(tree[1], self._variants[hint][tree[0]], blobs)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            kinds = _fields(hint)
            return hint(**{name: self._decode(item, kinds[name], blobs) for name, item in tree.items()})
        return self._decode_group(tree, hint, blobs)

    def _decode_group(self, tree: Any, hint: object, blobs: list[bytes]) -> Any:  # noqa: ANN401 - as `hint` says
        origin, parts = get_origin(hint), get_args(hint)
        if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
            kinds = _fields(hint).values()
            return hint(*(self._decode(item, kind, blobs) for item, kind in zip(tree, kinds, strict=True)))
        if origin is tuple:
            kinds_of = _repeated(parts, len(tree))
            return tuple(self._decode(item, kind, blobs) for item, kind in zip(tree, kinds_of, strict=True))
        if origin is frozenset:
            return frozenset(self._decode(item, parts[0], blobs) for item in tree)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {self._decode(k, parts[0], blobs): self._decode(v, parts[1], blobs) for k, v in tree}
        raise TypeError(f"values of {hint} cannot be kept")


@lru_cache(maxsize=256)
def _fields(kind: type) -> dict[str, object]:
    """Name -> annotation of what a dataclass or named tuple consists of."""
    hints: dict[str, object] = get_type_hints(kind)
    if dataclasses.is_dataclass(kind):
        return {item.name: hints[item.name] for item in dataclasses.fields(kind)}
    return {name: hints[name] for name in kind._fields}  # type: ignore[attr-defined]


def _repeated(parts: tuple[object, ...], count: int) -> Iterable[object]:
    return [parts[0]] * count if len(parts) == 2 and parts[1] is Ellipsis else parts


def _plain(value: object, hint: object) -> object:
    """A number, text or None; numpy's numbers become Python's."""
    if hint is int:
        _expect(not isinstance(value, bool) and hasattr(value, "__index__"), value, hint)
        return int(value)  # type: ignore[call-overload]
    if hint is float:
        _expect(isinstance(value, int | float) and not isinstance(value, bool), value, hint)
        return value
    kinds: dict[object, type | Callable[[object], object]] = {str: str, bool: bool, type(None): type(None)}
    _expect(type(value) is kinds[hint], value, hint)
    return value


def _expect(holds: bool, value: object, hint: object) -> None:
    if not holds:
        raise TypeError(f"{value!r} is not {hint}")
