"""Services that DNS knows: one instance for each address of a name, as headless services of Kubernetes have it."""

import asyncio
import socket

from uat_resilience._core.arguments import at_least, text
from uat_service.resolver.instance import Instance

__all__ = ["DnsSource"]


class DnsSource:
    """Look instances up in DNS. Safe to share.

    The system's resolver is asked in a thread, as it has no other way; the name server's own times are not known
    to it, so the resolver's `interval` holds.

    Args:
        pattern: The host name of a service, with `{name}` in it: `{name}.shop.svc.cluster.local`.
        port: The port that all services listen on.
        scheme: `http` or `https`. With `https` certificates must be valid for addresses.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(self, *, pattern: str = "{name}", port: int = 8000, scheme: str = "http") -> None:
        if "{name}" not in text("pattern", pattern):
            raise ValueError(f"pattern must have {{name}} in it, not {pattern!r}")
        if scheme not in {"http", "https"}:
            raise ValueError(f"scheme must be http or https, not {scheme!r}")
        self._pattern = pattern
        self._port = at_least("port", port, 1)
        self._scheme = scheme

    async def look_up(self, name: str) -> list[Instance]:
        """Return an instance for each address.

        Raises:
            OSError: The name is not known, or no name server answers. One cannot be told from the other for sure.
        """
        host = self._pattern.replace("{name}", name)
        found = await asyncio.get_running_loop().getaddrinfo(
            host, self._port, type=socket.SOCK_STREAM
        )
        addresses = dict.fromkeys(address[4][0] for address in found)
        return [Instance(f"{self._scheme}://{_bracketed(each)}:{self._port}") for each in addresses]


def _bracketed(address: str | int) -> str:
    return f"[{address}]" if ":" in str(address) else str(address)
