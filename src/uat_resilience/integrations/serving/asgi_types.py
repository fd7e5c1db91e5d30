"""ASGI in types: what a server gives an application, and what it takes back."""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from uat_resilience.integrations import headers

__all__ = [
    "App",
    "Message",
    "RawHeaders",
    "Receive",
    "Scope",
    "Send",
    "encoded",
    "lookup",
    "path_within",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]


def lookup(scope: Scope) -> Callable[[str], str | None] | None:
    """Return what finds a header of ours by its name, of several with one name the last; None if there is none."""
    given: RawHeaders = scope["headers"]
    table = dict(given)
    if _KNOWN.isdisjoint(table):
        return None  # Most requests, and found out in one look.

    def header(name: str) -> str | None:
        value = table.get(_RAW[name])
        return None if value is None else value.decode("latin-1")

    return header


def path_within(scope: Scope) -> str:
    """Return the path below where the application is mounted: servers and frameworks leave that in front."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root else path


def encoded(told: Iterable[tuple[str, str]]) -> RawHeaders:
    """Return headers as ASGI sends them.

    Raises:
        ValueError: A name or a value has a line break. Not every server looks, and what follows it would be a
            header of its own.
    """
    return [(_line(name, name).lower(), _line(name, value)) for name, value in told]


def _line(name: str, part: str) -> bytes:
    if _BREAK.search(part):
        raise ValueError(f"header {name!r} must have no line break")
    return part.encode("latin-1")


_BREAK = re.compile(r"[\r\n\0]")

# Servers hand the names over in lower case.
_RAW = {
    name: name.lower().encode("ascii")
    for name in (
        headers.DEADLINE,
        headers.GRPC_DEADLINE,
        headers.REQUEST_ID,
        headers.RETRY_ATTEMPT,
        headers.TRACE_PARENT,
        headers.TRACE_STATE,
    )
}
_KNOWN = frozenset(_RAW.values())
