"""The health registry: checks run in the background, probes are answered at once from the last results."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TypeVar

import anyio

from uat_resilience._core.arguments import at_least, flag, seconds, text
from uat_resilience._core.era import BreakerState
from uat_resilience._core.hysteresis import HysteresisMachine, Probe, Status, StatusChange
from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import Clock, default_clock
from uat_resilience.lifecycle.check import Check, Question
from uat_resilience.lifecycle.health_report import CheckReport, HealthReport, reported
from uat_resilience.policies.circuit_breaker import CircuitBreaker
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.telemetry.bus import EventBus, default_bus
from uat_resilience.telemetry.events import HealthChanged
from uat_resilience.waiting import threads, world

__all__ = ["CheckReport", "HealthRegistry", "HealthReport"]

Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True, slots=True)
class _Watched:
    """Something whose status is known at any moment, without asking anybody."""

    look: Callable[[], Status]
    kind: Probe
    critical: bool

    def report(self, _: float) -> CheckReport:
        """Return how it is now."""
        return CheckReport(self.look(), self.kind, self.critical, 0.0, 0.0, None)


class HealthRegistry:
    """Run checks in the background, and answer probes at once from their last results.

    A probe must answer when everything else hangs, so it never runs a check. A check that hangs, raises or is
    cancelled hurts only itself. One bad result is a hiccup: a status gets worse only after `fail_after` results in
    a row; the very first result counts at once. What never ran is not ready.

    Thread-safe. `run()` serves threads, `arun()` serves asyncio and trio; both go on until `stop()`, and may be
    called again then: an application may start more than once in one process.

    Args:
        interval: Seconds between two rounds, above 0. Half a minute is seldom enough for what is asked.
        clock: Time source. Default: the replaceable system clock.
        bus: Where `HealthChanged` goes. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self, *, interval: float = 30.0, clock: Clock | None = None, bus: EventBus | None = None
    ) -> None:
        self._interval = seconds("interval", interval)
        self._clock = clock
        self._bus = default_bus if bus is None else bus
        self._checks: dict[str, Check] = {}
        self._watched: dict[str, _Watched] = {}
        self._stopping = DrainSignal()
        self._running = 0
        self._lock = Lock()
        renew_after_fork(self)

    def check(
        self,
        name: str,
        *,
        kind: Probe = Probe.READINESS,
        critical: bool = True,
        timeout: float = 5.0,
        fail_after: int = 2,
        recover_after: int = 1,
    ) -> Callable[[Q], Q]:
        """Register a sync or async function as a check: `@registry.check("database")`.

        It means healthy when it returns None or True, unhealthy when it returns False or raises, or it returns a
        `Status`. It runs detached from deadlines.

        Args:
            name: What is checked.
            kind: What the check is asked for. Liveness never asks a dependency.
            critical: False when the service can do without it: then it makes the whole degraded at worst.
            timeout: Seconds an answer may take, above 0.
            fail_after: Results in a row, at least 1, before the status gets worse.
            recover_after: Results in a row, at least 1, before it gets better.

        Raises:
            TypeError, ValueError: An argument is of the wrong type or out of range, or the name is taken.
        """
        self._claim(name)
        if not isinstance(kind, Probe):
            raise TypeError(f"kind must be a Probe, not {kind!r}")
        judge = HysteresisMachine(
            fail_after=at_least("fail_after", fail_after, 1),
            recover_after=at_least("recover_after", recover_after, 1),
        )
        flag("critical", critical)
        seconds("timeout", timeout)

        def register(ask: Q) -> Q:
            if not callable(ask):
                raise TypeError(f"a check must be a function, not {ask!r}")
            self._checks[name] = Check(
                name,
                ask,
                kind=kind,
                critical=critical,
                timeout=timeout,
                judge=judge,
                clock=self._clock,
            )
            return ask

        return register

    def register(
        self, breaker: CircuitBreaker, *, kind: Probe = Probe.READINESS, critical: bool = False
    ) -> None:
        """Let a breaker's state count: open is unhealthy, half-open degraded. Not critical by default.

        Raises:
            TypeError, ValueError: It is no breaker, or its name is taken.
        """
        if not isinstance(breaker, CircuitBreaker):
            raise TypeError(f"breaker must be a CircuitBreaker, not {breaker!r}")
        self.watch(breaker.name, lambda: _BY_STATE[breaker.state], kind=kind, critical=critical)

    def watch(
        self,
        name: str,
        look: Callable[[], Status],
        *,
        kind: Probe = Probe.READINESS,
        critical: bool = True,
    ) -> None:
        """Let something count whose status is known at any moment: each report calls `look`, which must be quick.

        Raises:
            TypeError, ValueError: An argument is of the wrong type, or the name is taken.
        """
        self._claim(name)
        self._watched[name] = _Watched(look, kind, flag("critical", critical))

    def report(self, kind: Probe | None = None) -> HealthReport:
        """Return what is known now, of one kind of check or of all. Runs no check, and never waits."""
        now = self._time().now()
        asked: dict[str, Check | _Watched] = {**self._checks, **self._watched}
        return reported(
            {name: each.report(now) for name, each in asked.items() if kind in (None, each.kind)}
        )

    def refresh(self) -> None:
        """Run every check once, each in a thread of its own, and wait for all."""
        workers = [
            Thread(target=self._run, args=(check,), daemon=True) for check in self._checks.values()
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    async def arefresh(self) -> None:
        """Run every check once, all at the same time, and wait for all."""
        async with anyio.create_task_group() as group:
            for check in self._checks.values():
                group.start_soon(self._arun, check)

    def run(self) -> None:
        """Run the checks every `interval` seconds until `stop()`. Blocks: give it a thread."""
        with self._rounds() as stopping:
            while not stopping.is_set:
                self.refresh()
                threads.pause(self._time(), self._interval, stopping, policy="health")

    async def arun(self) -> None:
        """Run the checks every `interval` seconds until `stop()`, or until cancelled."""
        with self._rounds() as stopping:
            while not stopping.is_set:
                await self.arefresh()
                await world().pause(self._time(), self._interval, stopping)

    def stop(self) -> None:
        """End `run()` and `arun()`, from any thread: those that run, or else the next. Results stay readable."""
        self._stopping.set()

    def renew(self) -> None:
        """In a forked child: a free lock, and no rounds that run."""
        self._lock = Lock()
        self._running = 0
        self._stopping = DrainSignal()

    @contextmanager
    def _rounds(self) -> Generator[DrainSignal]:
        """Give what ends these rounds. When the last ones have been stopped, further ones may begin."""
        with self._lock:
            self._running += 1
            stopping = self._stopping
        try:
            yield stopping
        finally:
            with self._lock:
                self._running -= 1
                if stopping.is_set and not self._running:
                    self._stopping = DrainSignal()

    def _run(self, check: Check) -> None:
        self._tell(check, check.run(self._time()))

    async def _arun(self, check: Check) -> None:
        self._tell(check, await check.arun(self._time()))

    def _tell(self, check: Check, change: StatusChange | None) -> None:
        if change is not None and self._bus.wants(HealthChanged):
            self._bus.emit(HealthChanged(check.name, self._time().now(), change.old, change.new))

    def _claim(self, name: str) -> None:
        if text("name", name) in self._checks or name in self._watched:
            raise ValueError(f"name must be new, not {name!r}, which is checked already")

    def _time(self) -> Clock:
        return self._clock or default_clock.clock


_BY_STATE = {
    BreakerState.CLOSED: Status.HEALTHY,
    BreakerState.FORCED_CLOSED: Status.HEALTHY,
    BreakerState.HALF_OPEN: Status.DEGRADED,
    BreakerState.OPEN: Status.UNHEALTHY,
    BreakerState.FORCED_OPEN: Status.UNHEALTHY,
}
