"""Find the route of a request.

The longest path wins. Among routes with the same path an exact host goes before `*.`, and that before none; then
more headers before fewer, then some methods before all, then the order of the file. A route whose rules do not
hold leaves the request to shorter paths.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from uat_platform.gateway.routes.definition import Route, Table
from uat_platform.gateway.routes.paths import after, canonical
from uat_resilience.integrations.serving.asgi_types import RawHeaders, Scope

__all__ = ["Found", "Matcher", "Missed"]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a request goes.

    Attributes:
        route: Its route.
        path: The path to ask for, or None for the one that came.
    """

    route: Route
    path: bytes | None


@dataclass(frozen=True, slots=True)
class Missed:
    """No route is for the request.

    Attributes:
        allowed: Methods that there are routes for, where only the method was wrong.
    """

    allowed: tuple[str, ...] = ()


class _Rule:
    """One route, ready to be compared."""

    __slots__ = ("_headers", "_hosts", "_rewrite", "_segments", "methods", "rank", "route")

    def __init__(self, route: Route) -> None:
        self.route = route
        reads = frozenset({"HEAD"}) if "GET" in route.methods else frozenset[str]()
        self.methods = reads.union(route.methods)
        self._hosts = route.hosts
        self._headers = [
            (name.lower().encode("ascii"), value.encode("latin-1", "replace"))
            for name, value in route.headers.items()
        ]
        self._segments = 0 if route.path == "/" else route.path.count("/")
        self._rewrite = None if route.rewrite is None else route.rewrite.rstrip("/").encode("ascii")
        exact = any(not host.startswith("*.") for host in route.hosts)
        self.rank = (
            0 if exact else 1 if route.hosts else 2,
            -len(route.headers),
            0 if route.methods else 1,
        )

    def holds(self, host: str, headers: RawHeaders) -> bool:
        """Return whether host and headers are as the rule has them."""
        if self._hosts and not any(_is(host, each) for each in self._hosts):
            return False
        return all(pair in headers for pair in self._headers)

    def found(self, raw: bytes) -> Found:
        """Return where a request with this path goes."""
        if self._rewrite is None:
            return Found(self.route, None)
        rest = after(raw, self._segments)
        return Found(self.route, (self._rewrite + rest) or b"/")


class Matcher:
    """Find routes in a table. Frozen.

    Args:
        table: The routes.
    """

    def __init__(self, table: Table) -> None:
        rules: dict[bytes, list[_Rule]] = {}
        for route in table.routes:
            rules.setdefault(route.path.rstrip("/").encode("ascii"), []).append(_Rule(route))
        for each in rules.values():
            each.sort(key=lambda rule: rule.rank)
        self._rules = rules
        self._depth = max((prefix.count(b"/") for prefix in rules), default=0)

    def match(self, scope: Scope) -> Found | Missed:
        """Return where a request goes.

        Raises:
            RefusedRequestError: Its path may be read in two ways.
        """
        raw: bytes = scope["raw_path"]
        path, headers = canonical(raw), scope["headers"]
        # A WebSocket begins as a GET.
        method: str = scope.get("method", "GET")
        host: str | None = None
        allowed: set[str] = set()
        for prefix in self._prefixes(path):
            for rule in self._rules.get(prefix, ()):
                if host is None:
                    host = _host(headers)
                if not rule.holds(host, headers):
                    continue
                if not rule.methods or method in rule.methods:
                    return rule.found(raw)
                allowed |= rule.methods
        return Missed(tuple(sorted(allowed)))

    def _prefixes(self, path: bytes) -> Iterator[bytes]:
        """Return the beginnings of a path that end with a segment, the longest first."""
        ends: list[int] = []
        place = 0
        while len(ends) < self._depth:
            place = path.find(b"/", place + 1)
            if place < 0:
                ends.append(len(path))
                break
            ends.append(place)
        for end in reversed(ends):
            yield path[:end]
        yield b""


def _host(headers: RawHeaders) -> str:
    for name, value in headers:
        if name == b"host":
            host = value.decode("latin-1").lower()
            return host if host.endswith("]") else host.rpartition(":")[0] or host
    return ""


def _is(host: str, rule: str) -> bool:
    return host.endswith(rule[1:]) if rule.startswith("*.") else host == rule
