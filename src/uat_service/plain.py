"""Turn anything into what JSON can say, whatever it is: no log line is worth an error."""

import json
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from itertools import islice
from math import isfinite
from typing import cast

import msgspec

__all__ = ["as_json", "plain"]

_DEPTH = 6
_ITEMS = 200
_LETTERS = 8_192
_LINE = 65_536
_BIGGEST = 1 << 63


def as_json(entry: Mapping[str, object]) -> bytes:
    """Return a mapping as one line of JSON, ASCII control characters escaped; never raises.

    Long texts, deep and wide structures are cut, and say so.
    """
    try:
        line = _encode(entry)
    except Exception:  # noqa: BLE001 - cycles, strange keys, lone surrogates, objects that raise
        return _careful(entry)
    return line if len(line) <= _LINE else _careful(entry)


def plain(value: object, *, depth: int = 0, letters: int = _LETTERS) -> object:
    """Return a value made of what JSON knows; what it does not know is shown by its `repr`.

    Args:
        value: Anything.
        depth: How deep it is in another one.
        letters: Of a text at most.
    """
    if isinstance(value, Mapping):
        return _mapping(cast("Mapping[object, object]", value), depth, letters)
    if isinstance(value, list | tuple | AbstractSet):
        return _members(cast("Collection[object]", value), depth, letters)
    return _scalar(value, letters)


def _mapping(value: Mapping[object, object], depth: int, letters: int) -> object:
    if depth >= _DEPTH:
        return "..."
    shown = {
        _cut(_shown(name), letters): plain(each, depth=depth + 1, letters=letters)
        for name, each in islice(value.items(), _ITEMS)
    }
    return shown if len(value) <= _ITEMS else shown | {"...": f"{len(value) - _ITEMS} more"}


def _members(value: Collection[object], depth: int, letters: int) -> object:
    if depth >= _DEPTH:
        return "..."
    shown = [plain(each, depth=depth + 1, letters=letters) for each in islice(value, _ITEMS)]
    return shown if len(value) <= _ITEMS else [*shown, f"... {len(value) - _ITEMS} more"]


def _scalar(value: object, letters: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < _BIGGEST else _cut(hex(value), letters)
    if type(value) is datetime and value.tzinfo is UTC:
        return msgspec.to_builtins(value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(float(value))
    if isinstance(value, bytes | bytearray):
        return _cut(value[: letters + 1].decode("utf-8", "backslashreplace"), letters)
    return _cut(_shown(value), letters)


def _careful(entry: Mapping[str, object]) -> bytes:
    letters = _LETTERS
    while True:
        try:
            line = json.dumps(plain(entry, letters=letters), allow_nan=False).encode("ascii")
        except Exception as error:  # noqa: BLE001 - whatever a strange class does when it is looked at
            return json.dumps({"event": "unloggable", "error": type(error).__name__}).encode(
                "ascii"
            )
        if len(line) <= _LINE or letters == 0:
            return line
        letters //= 8


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a `repr` that raises is no reason to lose a line
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def _cut(text: str, letters: int) -> str:
    kept = text[:letters].encode("utf-8", "backslashreplace").decode("utf-8")
    return kept if len(text) <= letters else f"{kept}... {len(text) - letters} more"


_encode = msgspec.json.Encoder(enc_hook=_shown).encode
