"""Whose requests belong together."""

from uat_resilience.integrations.serving.asgi_types import Scope

__all__ = ["Affinity"]


class Affinity:
    """Find the key of a request: a header, or else the address of its client.

    Args:
        header: Name of the header.
    """

    def __init__(self, header: str) -> None:
        self._header = header.lower().encode("latin-1")

    def __call__(self, scope: Scope) -> bytes:
        """Return the key."""
        for name, value in scope["headers"]:
            if name == self._header:
                return bytes(value)
        client: tuple[str, int] | None = scope.get("client")
        return b"" if client is None else client[0].encode("latin-1")
