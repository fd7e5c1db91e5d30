"""The routes that operators ask: is it alive, is it ready, has it started, and what do its policies see."""

import json
from collections.abc import Callable
from functools import partial

from uat_resilience._core.hysteresis import Probe, Status
from uat_resilience.integrations.lines import spelled
from uat_resilience.integrations.serving.asgi_types import (
    App,
    Receive,
    Scope,
    Send,
    encoded,
    path_within,
)
from uat_resilience.integrations.serving.resilience_report import ResilienceReport
from uat_resilience.lifecycle.health import HealthRegistry

__all__ = ["HealthRoutes", "Reply"]

Reply = tuple[int, bytes]
"""Status and body: JSON."""

_PROBES = {
    "/health/live": Probe.LIVENESS,
    "/health/ready": Probe.READINESS,
    "/health/startup": Probe.STARTUP,
}
_REPORT = "/resilience"
_READ = frozenset({"GET", "HEAD"})


class HealthRoutes:
    """Answer `/health/live`, `/health/ready` and `/health/startup`, and `/resilience` where there is a report.

    An ASGI application: mount it in a framework, or put it in front of another application, which then gets every
    other path. Answers come from the last results of the checks, at once: 200, or 503 when unhealthy. They name
    checks and types of errors and never a message, which may hold secrets.

    Args:
        health: The checks. Somebody must run them: `health.arun()`.
        report: What `/resilience` shows. Default: that route is not there.
        app: Gets what is not for these routes. Default: 404.

    Attributes:
        replies: What is answered on which path, for frameworks that have routes of their own.

    Raises:
        TypeError: An argument is of the wrong type.
    """

    def __init__(
        self,
        health: HealthRegistry,
        *,
        report: ResilienceReport | None = None,
        app: App | None = None,
    ) -> None:
        if not isinstance(health, HealthRegistry):
            raise TypeError(f"health must be a HealthRegistry, not {health!r}")
        if report is not None and not isinstance(report, ResilienceReport):
            raise TypeError(f"report must be a ResilienceReport, not {report!r}")
        if app is not None and not callable(app):
            raise TypeError(f"app must be an ASGI application, or None, not {app!r}")
        self._health = health
        self._app = app
        self.replies: dict[str, Callable[[], Reply]] = {
            path: partial(self._probe, kind) for path, kind in _PROBES.items()
        }
        if report is not None:
            self.replies[_REPORT] = partial(_shown, report)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        reply = None
        if scope["type"] == "http" and scope["method"] in _READ:
            reply = self.replies.get(path_within(scope))
        if reply is not None:
            await _send(send, *reply())
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _send(send, 404, b'{"status": 404, "title": "Not found"}')
        else:
            raise ValueError(f"only HTTP requests are served here, not {scope['type']}")

    def _probe(self, kind: Probe) -> Reply:
        report = self._health.report(kind)
        checks = {
            name: {
                "status": None if each.status is None else spelled(each.status),
                "critical": each.critical,
                "checked_seconds_ago": each.checked,
                "elapsed_seconds": each.elapsed,
                "error": each.error,
            }
            for name, each in report.checks.items()
        }
        body = json.dumps({"status": spelled(report.status), "checks": checks})
        return (503 if report.status is Status.UNHEALTHY else 200), body.encode()


def _shown(report: ResilienceReport) -> Reply:
    return 200, report.json()


async def _send(send: Send, status: int, body: bytes) -> None:
    told = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": encoded(told)})
    await send({"type": "http.response.body", "body": body})
