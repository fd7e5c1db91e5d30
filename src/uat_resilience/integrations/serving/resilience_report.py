"""What the policies of a service have seen, as one JSON object: the answer of `/resilience`."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Self

from uat_resilience._core.arguments import text
from uat_resilience._core.breaker import BreakerState
from uat_resilience.errors import BulkheadFullError
from uat_resilience.integrations.handle import Handle
from uat_resilience.integrations.tally import Calls, Tally, count_events
from uat_resilience.integrations.watched import Watched, checked_policies, flat
from uat_resilience.policies.circuit_breaker import BreakerSnapshot
from uat_resilience.telemetry import (
    BreakerStateChanged,
    CallAbandoned,
    CallFailed,
    CallRefused,
    CallSucceeded,
    DeadlineMissed,
    EventBus,
    RetryScheduled,
    default_bus,
)
from uat_resilience.telemetry.listeners import End

__all__ = ["ResilienceReport", "Watched"]


class ResilienceReport(Handle):
    """Count what goes through some policies, and show it together with the state they are in.

    A pipeline counts as one: a request is what its outermost policy saw, however often it was tried. Give each
    policy a name of its own: those that share one are counted together.

    Thread-safe. Counts from the moment it is made, until `close()`.

    Args:
        service: Name of the service.
        bus: Where the policies tell. Default: `default_bus`.
        tally: Where metrics count the ends of calls on that bus already (`Instrumentation.tally`), so that each is
            counted once. It must stay open for as long as this. Default: one of its own.

    Raises:
        TypeError, ValueError: `service` is no name.
    """

    def __init__(
        self, service: str, *, bus: EventBus | None = None, tally: Tally | None = None
    ) -> None:
        self._service = text("service", service)
        self._watched: tuple[Watched, ...] = ()
        self._failed_at: dict[str, datetime | None] = {}
        self._tally = Tally(_ANY_DURATION) if tally is None else tally
        bus = default_bus if bus is None else bus
        super().__init__(
            [
                *([bus.meter(self._tally.end)] if tally is None else []),
                bus.subscribe(self._note_failure, CallFailed),
                bus.subscribe(self._count_opening, BreakerStateChanged),
                bus.subscribe(self._count_refusal, CallRefused),
                *count_events(
                    bus, self._tally, {DeadlineMissed: "late", RetryScheduled: "retries"}
                ),
            ]
        )

    def watch(self, *policies: Watched) -> Self:
        """Show these policies too. A pipeline stands for the policies in it.

        Raises:
            TypeError: One of them is no policy.
        """
        self._watched = (*self._watched, *checked_policies(policies))
        for each in policies:
            self._failed_at.update(dict.fromkeys(_names(each), None))
        return self

    def read(self) -> dict[str, object]:
        """Return the report as it is now, made of what JSON knows.

        `resilience_metrics` counts since the start, over all watched policies. `circuit_breaker` is the breaker
        that is worst off, or None without any, and `circuit_breakers` all of them: `state` is 0 closed, 1
        half-open, 2 open, 3 forced open, 4 forced closed; `error_rate` is in percent. `policies` holds snapshots.
        """
        calls, counts = self._tally.read()
        shown = [list(flat(each.name, each.snapshot())) for each in self._watched]
        policies = {name: snapshot for each in shown for name, snapshot in each}
        outermost = [each[0][0] for each in shown if each]

        def ended(kind: End) -> int:
            return sum(_ended(calls, name, kind) for name in outermost)

        def counted(*metrics: str) -> int:
            return sum(counts.get((metric, name, ""), 0) for metric in metrics for name in policies)

        succeeded, failed = ended(CallSucceeded), ended(CallFailed)
        # What the outermost policy itself refuses has no end; what inner ones refuse ends there as abandoned.
        refused = sum(
            counts.get((metric, name, ""), 0) for metric in _REFUSED for name in outermost
        )
        breakers = {
            name: self._breaker(name, snapshot, calls)
            for name, snapshot in policies.items()
            if isinstance(snapshot, BreakerSnapshot)
        }
        return {
            "service": self._service,
            "resilience_metrics": {
                "total_requests": succeeded + failed + ended(CallAbandoned) + refused,
                "successful_requests": succeeded,
                "failed_requests": failed,
                "rejected_requests": counted(*_REFUSED),
                "timeout_requests": counted("late"),
                "circuit_breaker_trips": counted("trips"),
                "retry_attempts": counted("retries"),
                "bulkhead_rejections": counted("full"),
            },
            "circuit_breaker": max(breakers.values(), key=_severity, default=None),
            "circuit_breakers": breakers,
            "policies": {name: _plain(snapshot) for name, snapshot in policies.items()},
            "timestamp": _written(datetime.now(UTC)),
        }

    def json(self) -> bytes:
        """Return the report as JSON."""
        return json.dumps(self.read()).encode()

    def _breaker(
        self, name: str, snapshot: BreakerSnapshot, calls: dict[str, Calls]
    ) -> dict[str, object]:
        succeeded, failed = _ended(calls, name, CallSucceeded), _ended(calls, name, CallFailed)
        requests, last = succeeded + failed, self._failed_at.get(name)
        return {
            "state": int(snapshot.state),
            "failures": snapshot.failures,
            "successes": succeeded,
            "requests": requests,
            "errors": failed,
            "error_rate": 100.0 * failed / requests if requests else 0.0,
            "last_fail_time": None if last is None else _written(last),
        }

    def _note_failure(self, event: CallFailed) -> None:
        if event.policy in self._failed_at:
            self._failed_at[event.policy] = datetime.now(UTC)

    def _count_opening(self, event: BreakerStateChanged) -> None:
        if event.new is BreakerState.OPEN:
            self._tally.count("trips", event.policy)

    def _count_refusal(self, event: CallRefused) -> None:
        full = isinstance(event.error, BulkheadFullError)
        self._tally.count("full" if full else "refused", event.policy)


_ANY_DURATION = (1.0,)  # Durations are not shown, and a tally has a bound.
_REFUSED = ("refused", "full")
# The worst first to last: what serves, what tries, what does not serve.
_ORDER = (
    BreakerState.FORCED_CLOSED,
    BreakerState.CLOSED,
    BreakerState.HALF_OPEN,
    BreakerState.FORCED_OPEN,
    BreakerState.OPEN,
)


def _severity(breaker: dict[str, object]) -> int:
    return next(place for place, state in enumerate(_ORDER) if state == breaker["state"])


def _names(policy: Watched) -> list[str]:
    return [name for name, _ in flat(policy.name, policy.snapshot())]


def _ended(calls: dict[str, Calls], name: str, kind: End) -> int:
    return sum(calls[name].buckets[kind]) if name in calls else 0


def _plain(value: object) -> object:
    """Return what JSON can say of a value; what is not a number there has none."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
