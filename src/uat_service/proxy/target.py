"""Where a request goes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from uat_resilience.integrations.serving.asgi_types import Scope

__all__ = ["Choose", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes, and what is changed on the way.

    Attributes:
        origin: `http://host:port` or `https://host:port`.
        path: The path, quoted, without the query. Default: as the client wrote it.
        headers: Headers in place of the client's of the same name. Names in lower case.
        without: Names of further headers of the client that do not go further, in lower case.
    """

    origin: str
    path: bytes | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    without: frozenset[bytes] = frozenset()


Choose = Callable[[Scope], Awaitable[Target | None]]
"""Returns where a request goes, or None for nowhere, which is answered with 404."""
