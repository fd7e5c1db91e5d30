"""Which service a path is for, and what is left of it: byte for byte as the client wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Address", "Addresses"]

_PROXY = b"/proxy/"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request is to go.

    Attributes:
        service: Name of the service.
        path: As the service gets it.
        route: What this kind of path is called in logs and metrics.
    """

    service: str
    path: bytes
    route: str


class Addresses:
    """Read paths: `/proxy/SERVICE/...`, and `/ALIAS/...` for those that have one.

    Args:
        aliases: Services by the first part of a path.
    """

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = {
            name.encode("ascii", "ignore"): (service, f"/{name}/{{path}}")
            for name, service in aliases.items()
        }

    def __call__(self, path: bytes) -> Address | None:
        """Return where a path leads, or None when it is none of these."""
        if path.startswith(_PROXY):
            name, _, rest = path[len(_PROXY) :].partition(b"/")
            service = name.decode("ascii", "replace")
            return Address(service, b"/" + rest, "/proxy/{service}/{path}") if name else None
        first, _, rest = path[1:].partition(b"/")
        found = self._aliases.get(first)
        return None if found is None else Address(found[0], b"/" + rest, found[1])
