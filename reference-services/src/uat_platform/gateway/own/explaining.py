"""Why a request goes where it goes: what the rules make of it, without sending it."""

from urllib.parse import quote

import msgspec

from uat_platform.gateway.limits import DEFAULT
from uat_platform.gateway.parts import Parts
from uat_platform.gateway.routes import Missed, Route
from uat_platform.gateway.routes.definition import OWN
from uat_service.proxy import RefusedRequestError

__all__ = ["Explained", "explain"]


class Explained(msgspec.Struct, omit_defaults=True):
    """What becomes of a request.

    `outcome` is `route`, `own` (one of the gateway's routes), `not-found`, `method-not-allowed` or `refused`.
    """

    outcome: str
    version: int
    route: str | None = None
    upstream: str | None = None
    upstream_path: str | None = None
    auth: str | None = None
    scopes: list[str] = []
    limit: str | None = None
    deadline: float | None = None
    allowed: list[str] = []
    instances: list[str] = []
    policies: list[str] = []


async def explain(parts: Parts, *, path: str, method: str, host: str) -> Explained:
    """Return what becomes of a request with this path, method and host."""
    version = parts.routes.now
    raw, _, query = path.partition("?")
    quoted = quote(raw, safe="/%:@!$&'()*+,;=-._~").encode("ascii")
    scope = {
        "type": "http",
        "method": method.upper(),
        "raw_path": quoted,
        "query_string": query.encode("utf-8", "replace"),
        "headers": [(b"host", host.encode("latin-1", "replace"))] if host else [],
    }
    if raw in OWN or raw.startswith(tuple(own + "/" for own in OWN)):
        return Explained("own", version.number)
    try:
        found = version.matcher.match(scope)
    except RefusedRequestError:
        return Explained("refused", version.number)
    if isinstance(found, Missed):
        outcome = "method-not-allowed" if found.allowed else "not-found"
        return Explained(outcome, version.number, allowed=[*found.allowed])
    sent = quoted if found.path is None else found.path
    return await _explained(parts, found.route, sent.decode("ascii"))


async def _explained(parts: Parts, route: Route, path: str) -> Explained:
    version, upstream = parts.routes.now, parts.upstreams.get(route.upstream)
    limit = version.table.limits.get(route.limit, DEFAULT)
    known = [] if upstream is None else await upstream.find()
    policies = [] if upstream is None else upstream.pipeline.describe().splitlines()[1:-1]
    return Explained(
        "route",
        version.number,
        route=route.name,
        upstream=route.upstream,
        upstream_path=path,
        auth=route.auth,
        scopes=[*route.scopes],
        limit=f"{route.limit}: {limit.rate:g} in {limit.per:g} s, {limit.burst} at once",
        deadline=route.deadline,
        instances=[each.url for each in known],
        policies=[line.strip() for line in policies],
    )
