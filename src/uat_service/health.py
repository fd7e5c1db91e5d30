"""`GET /health`: how a service is, and what it needs, for people, old checkers and load balancers."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog

from uat_resilience import HealthRegistry
from uat_resilience.clock import Clock, default_clock
from uat_resilience.lifecycle import CheckReport, Status
from uat_service.plain import as_json

__all__ = ["Details", "HealthPage"]

Details = Callable[[], Mapping[str, object]]
"""Returns what a service adds to its health page. Called at each request, so it must be quick."""

_OURS = frozenset({"shutdown", "startup"})


class HealthPage:
    """Answer with the state of a service: 200 when healthy or degraded, 503 when it is not to be used.

    Answers come from the last results of the checks, at once. Of errors only the type is shown: messages may hold
    secrets. What `details` adds wins over our own keys, but for `status` and `dependencies`; details that raise
    are left out, and said in the log.

    Args:
        health: The checks.
        service: Name of the service.
        version: Its version.
        details: Adds keys of the service. Default: none.
        clock: Time source. Default: the replaceable system clock.
    """

    def __init__(
        self,
        health: HealthRegistry,
        *,
        service: str,
        version: str,
        details: Details | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._health = health
        self._service = service
        self._version = version
        self._details = details
        self._clock = clock
        self._began = self._now()

    def read(self) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        report = self._health.report()
        body: dict[str, object] = {
            "service": self._service,
            "version": self._version,
            "uptime_seconds": round(self._now() - self._began, 3),
            "timestamp": int(datetime.now(UTC).timestamp()),
            **self._added(),
            "status": report.status.name.lower(),
            "dependencies": {
                name: _shown(each) for name, each in report.checks.items() if name not in _OURS
            },
        }
        return (503 if report.status is Status.UNHEALTHY else 200), as_json(body)

    def _added(self) -> Mapping[str, object]:
        if self._details is None:
            return {}
        try:
            return dict(self._details())
        except Exception as error:  # noqa: BLE001 - what a service adds must not hide how it is
            _logger.warning("health details failed", error=type(error).__name__)
            return {}

    def _now(self) -> float:
        return (self._clock or default_clock.clock).now()


def _shown(check: CheckReport) -> dict[str, object]:
    return {
        "status": "unknown" if check.status is None else check.status.name.lower(),
        "required": check.critical,
        "checked_seconds_ago": None if check.checked is None else round(check.checked, 3),
        "elapsed_seconds": None if check.elapsed is None else round(check.elapsed, 6),
        "error": check.error,
    }


_logger = structlog.get_logger("uat_service")
