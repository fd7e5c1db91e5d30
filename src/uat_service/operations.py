"""The routes for operators, in front of the application: they need no framework, and no permission of its.

/health                                              how the service is, with its dependencies
/health/live  /health/ready  /health/startup         probes; also as /livez  /readyz  /startupz
/metrics                                             Prometheus text, or OpenMetrics
/resilience                                          what its policies have seen
"""

import json
from collections.abc import Awaitable, Callable, Mapping

from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.asgi_types import (
    App,
    Receive,
    Scope,
    Send,
    encoded,
    path_within,
)
from uat_resilience.integrations.serving.health_routes import HealthRoutes, Reply
from uat_resilience.integrations.serving.problem import MEDIA_TYPE, Problem
from uat_resilience.integrations.serving.resilience_report import ResilienceReport
from uat_resilience.lifecycle import HealthRegistry
from uat_service.health import HealthPage
from uat_service.metrics import Metrics

__all__ = ["Operations", "probes"]

_Page = Callable[[Scope], Awaitable[tuple[int, str, bytes]]]

_JSON = "application/json"
_ALIASES = {
    "/livez": "/health/live",
    "/readyz": "/health/ready",
    "/startupz": "/health/startup",
}
_READ = frozenset({"GET", "HEAD"})
_ALLOWED = ("Allow", "GET, HEAD, OPTIONS")


class Operations:
    """Answer what operators ask, and hand everything else to the application.

    Args:
        app: The application.
        health: Answers `/health`.
        probes: Answers the probes, and `/resilience` when it has a report.
        metrics: Answers `/metrics`.
    """

    def __init__(
        self, app: App, *, health: HealthPage, probes: HealthRoutes, metrics: Metrics
    ) -> None:
        self._app = app
        self._metrics = metrics
        replies = dict(probes.replies)
        replies |= {alias: replies[path] for alias, path in _ALIASES.items()}
        replies["/health"] = health.read
        self._pages: dict[str, _Page] = {path: _page(reply) for path, reply in replies.items()}
        self._pages["/metrics"] = self._exposition

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection, as ASGI has it."""
        page = self._pages.get(path_within(scope)) if scope["type"] == "http" else None
        if page is None:
            return self._app(scope, receive, send)
        return _show(page, scope, send)

    async def _exposition(self, scope: Scope) -> tuple[int, str, bytes]:
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
        return 200, *await self._metrics.exposition(accept.decode("latin-1"))


async def _show(page: _Page, scope: Scope, send: Send) -> None:
    scope["path_template"] = path_within(scope)
    if scope["method"] in _READ:
        await _send(send, *await page(scope))
    elif scope["method"] == "OPTIONS":
        await send({"type": "http.response.start", "status": 204, "headers": encoded([_ALLOWED])})
        await send({"type": "http.response.body", "body": b""})
    else:
        found = Problem(405, "method-not-allowed", "Method Not Allowed", headers=(_ALLOWED,))
        correlation = current_correlation.get()
        body = found.body(None if correlation is None else correlation.request_id)
        await _send(send, 405, MEDIA_TYPE, body, _ALLOWED)


def probes(
    health: HealthRegistry,
    report: ResilienceReport,
    resilience: Callable[[Mapping[str, object]], Mapping[str, object]] | None,
) -> HealthRoutes:
    """Return what answers the probes, and `/resilience`.

    Args:
        health: Knows how the service is.
        report: Of its own policies.
        resilience: Makes the answer of that report, or None to answer it as it is.
    """
    routes = HealthRoutes(health, report=report)
    if resilience is not None:
        routes.replies["/resilience"] = lambda: (
            200,
            json.dumps(resilience(report.read())).encode(),
        )
    return routes


def _page(reply: Callable[[], Reply]) -> _Page:
    async def answer(_: Scope) -> tuple[int, str, bytes]:
        status, body = reply()
        return status, _JSON, body

    return answer


async def _send(send: Send, status: int, kind: str, body: bytes, *more: tuple[str, str]) -> None:
    told = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": encoded(told)})
    await send({"type": "http.response.body", "body": body})
