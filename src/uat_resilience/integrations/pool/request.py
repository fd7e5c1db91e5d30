"""A request, as httpx and httpx2 have it."""

from typing import Any, Protocol

__all__ = ["Headers", "Request", "Url"]


class Url(Protocol):
    """A URL, as httpx and httpx2 have it."""

    @property
    def raw_scheme(self) -> bytes:
        """The protocol."""
        ...

    @property
    def raw_host(self) -> bytes:
        """The host."""
        ...

    @property
    def port(self) -> int | None:
        """Its port, or None for the usual one of the protocol."""
        ...

    @property
    def raw_path(self) -> bytes:
        """The path and the query."""
        ...


class Headers(Protocol):
    """Headers, as httpx and httpx2 have them."""

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """All of them, as they are written."""
        ...

    def get(self, key: str, /) -> str | None:
        """Return one by its name, in any case, or None."""
        ...

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
