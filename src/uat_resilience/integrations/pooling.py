"""What the pools of httpcore2 and the library they work for know of each other."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

import httpcore2

from uat_resilience.integrations.http.repeating import Repeat

__all__ = ["Library", "Limits", "Request", "translation"]

FRESH = 0.5
"""Seconds a connection may have been idle to carry what must not be sent twice."""

R = TypeVar("R")


class LibraryLimits(Protocol):
    """Limits, as httpx and httpx2 have them."""

    max_connections: int | None
    max_keepalive_connections: int | None
    keepalive_expiry: float | None


class Url(Protocol):
    """A URL, as httpx and httpx2 have it."""

    @property
    def raw_scheme(self) -> bytes: ...
    @property
    def raw_host(self) -> bytes: ...
    @property
    def port(self) -> int | None: ...
    @property
    def raw_path(self) -> bytes: ...


class Headers(Protocol):
    """Headers, as httpx and httpx2 have them."""

    @property
    def raw(self) -> list[tuple[bytes, bytes]]: ...
    def __contains__(self, key: object, /) -> bool: ...


class Request(Protocol):
    """A request, as httpx and httpx2 have it."""

    method: str
    stream: Any
    extensions: dict[str, Any]

    @property
    def url(self) -> Url:
        """Where it goes."""
        ...

    @property
    def headers(self) -> Headers:
        """What it says about itself."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections, and for how long they are kept.

    Attributes:
        total: Connections at most, or None for no limit.
        idle: Idle connections kept at most, or None for no limit.
        expiry: Seconds that an idle connection is kept, or None for no limit.
    """

    total: int | None = None
    idle: int | None = None
    expiry: float | None = 4.0

    @classmethod
    def given(cls, inner: object, limits: "LibraryLimits | None", verify: object) -> "Limits":
        """Return the limits of the built-in pool, from the arguments of a transport.

        Raises:
            ValueError: There are some, beside a transport that has its own.
        """
        if inner is not None and (limits is not None or verify is not True):
            raise ValueError(
                "limits and verify must be given to inner itself when inner is given, "
                f"not limits={limits!r}, verify={verify!r}"
            )
        if limits is None:
            return cls()
        return cls(
            limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry
        )

    @property
    def fresh(self) -> float:
        """Seconds that a connection is kept for requests that must not be sent twice."""
        return FRESH if self.expiry is None else min(FRESH, self.expiry)


@dataclass(frozen=True, slots=True)
class Library(Generic[R]):
    """The library that the connections work for.

    Attributes:
        respond: Makes a response of status, headers, body and extensions.
        errors: Its errors, by those of httpcore2.
        repeat: Returns when a request may be sent again.
    """

    respond: Callable[[int, list[tuple[bytes, bytes]], Any, dict[str, Any]], R]
    errors: Mapping[type[Exception], type[Exception]]
    repeat: Callable[[Any], Repeat]

    @contextmanager
    def translated(self) -> Generator[None]:
        """Raise the library's errors in place of those of httpcore2."""
        try:
            yield
        except Exception as error:
            ours = self.errors.get(type(error))
            if ours is None:
                raise
            raise ours(str(error)) from error


def translation(library: ModuleType) -> dict[type[Exception], type[Exception]]:
    """Return the errors of httpx or httpx2 by those of httpcore2, which bear the same names."""
    return {kind: getattr(library, kind.__name__) for kind in _ERRORS}


_ERRORS: tuple[type[Exception], ...] = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.LocalProtocolError,
    httpcore2.NetworkError,
    httpcore2.PoolTimeout,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.ReadError,
    httpcore2.ReadTimeout,
    httpcore2.RemoteProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
    httpcore2.WriteError,
    httpcore2.WriteTimeout,
)
