"""The stack as it is in effect, with the source of each value, and no secrets."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from uat_service.addresses import HIDDEN, without_password
from uat_service.stack.reading import Described

__all__ = ["Value", "effective"]

_SECRET = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|DSN", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Value:
    """One value.

    Attributes:
        path: Where it stands, such as `services.api.port`.
        value: What it is; a secret is not shown.
        source: The file, the variable or the option that it comes from, or "default".
    """

    path: str
    value: object
    source: str


def effective(described: Described) -> list[Value]:
    """Return all values."""
    whole = described.stack.model_dump(mode="json")
    return [
        Value(path, _shown(path, value), described.sources.get(path, "default"))
        for path, value in _flat(whole)
        if not re.fullmatch(r"services\.[^.]+\.name", path)
    ]


def _flat(tables: Mapping[str, object], path: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tables.items():
        if isinstance(value, dict) and value:
            yield from _flat(cast("Mapping[str, object]", value), f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _shown(path: str, value: object) -> object:
    before, _, name = path.rpartition(".")
    if before.endswith("env") and _SECRET.search(name):
        return HIDDEN
    return without_password(value) if isinstance(value, str) else value
