"""The circuit breaker: stop calling a dependency that keeps failing, and try it again later."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import text
from uat_resilience._core.era import BreakerState, Ticket
from uat_resilience._core.ramp import Ramp
from uat_resilience._core.transitions import Move
from uat_resilience._core.trip import ConsecutiveFailures, TripRule
from uat_resilience.clock import Clock
from uat_resilience.policies.breaker_gate import BreakerGate
from uat_resilience.policies.breaker_permit import BreakerPermit
from uat_resilience.policies.breaker_settings import DEFAULT_RECOVERY, BreakerSettings
from uat_resilience.policies.breaker_snapshot import BreakerSnapshot, pictured
from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.matching import ExceptionSpec
from uat_resilience.policies.permit import Permit
from uat_resilience.policies.streams import HeldByStreams
from uat_resilience.policies.unset import Unset
from uat_resilience.telemetry.bus import EventBus

__all__ = ["BreakerSnapshot", "CircuitBreaker"]

P = ParamSpec("P")
T = TypeVar("T")


class CircuitBreaker(HeldByStreams):
    """Stop calling a dependency that keeps failing, and try it again later.

    Closed, it lets calls pass and judges how they end. When its trip rule says so it opens: calls are refused
    with `CircuitOpenError` and the dependency gets time to recover. After `recovery_time` a few probes pass:
    enough successes close it, the first failure opens it again.

    Safe to share between threads, tasks and event loops. The healthy path takes no lock. A cancelled call
    counts as nothing, and a cancelled probe gives its place back. Each admitted call belongs to the era it
    began in: a late result never changes a newer one.

    Args:
        name: What the dependency is called in events, errors and metrics.
        trip: When to open: `ConsecutiveFailures`, `FailureRate`, `SlowRate`, or two of them joined by `|`.
        on: Exceptions that count as failures: a type, a tuple, or a predicate. Others mean that the
            dependency answered, and count as success.
        ignore: Exceptions that count as neither. Wins over `on`.
        on_result: Called with each result; True makes it a failure.
        recovery_time: Seconds an opening lasts, above 0, or a callable that is given the number of
            openings since the last close (from 1) and returns seconds. Half a minute lets a process restart.
            A callable that raises or returns nonsense means 30 s, and a `CallbackFailed` event.
        probes: Calls let in at once while half-open, at least 1. One is the gentlest.
        close_after: Successful probes that close the breaker, at least 1.
        probe_lease: Seconds after which a probe that has not ended no longer blocks the next one.
            Default: as long as this opening lasted.
        ramp: How to give the load back after a recovery, or None for all at once: `Ramp(30.0)` lets a tenth of
            the calls in at first and all of them after half a minute. The others are refused.
        observe: Decide and tell, but never refuse: for trying settings on live traffic.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_gate",)
    kind = "circuit_breaker"

    def __init__(
        self,
        name: str,
        *,
        trip: TripRule = ConsecutiveFailures(5),  # noqa: B008 - frozen
        on: ExceptionSpec = Exception,
        ignore: ExceptionSpec = (),
        on_result: Callable[[Any], bool] | None = None,
        recovery_time: float | Callable[[int], float] = DEFAULT_RECOVERY,
        probes: int = 1,
        close_after: int = 1,
        probe_lease: float | None = None,
        ramp: Ramp | None = None,
        observe: bool = False,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=text("name", name), clock=clock, bus=bus)
        settings = BreakerSettings(
            trip=trip,
            on=on,
            ignore=ignore,
            on_result=on_result,
            recovery_time=recovery_time,
            probes=probes,
            close_after=close_after,
            probe_lease=probe_lease,
            observe=observe,
        )
        self._gate = BreakerGate(name, settings, ramp=ramp, clock=clock, bus=self._bus)
        renew_after_fork(self)

    @property
    def state(self) -> BreakerState:
        """Where the breaker stands. Reading it moves nothing: OPEN is left when the next call arrives."""
        return self._gate.machine.era.state

    @property
    def in_use(self) -> bool:
        """True unless closed: dropping an open breaker would let every call through."""
        return self.state is not BreakerState.CLOSED

    def snapshot(self) -> BreakerSnapshot:
        """Return the breaker at this moment, with what its window has forgotten left out."""
        machine, mailbox, now = self._gate.machine, self._gate.mailbox, self._gate.now()
        with mailbox.lock:
            snapshot = pictured(machine, now)
        mailbox.sweep()
        return snapshot

    def force_open(self) -> None:
        """Refuse every call until `reset()` or `force_closed()`."""
        self._gate.force(Move.FORCE_OPEN)

    def force_closed(self) -> None:
        """Let every call pass, unjudged, until `reset()` or `force_open()`."""
        self._gate.force(Move.FORCE_CLOSED)

    def reset(self) -> None:
        """Close the breaker and start counting again."""
        self._gate.force(Move.RESET)

    def update(
        self,
        *,
        trip: TripRule | Unset = Unset.UNSET,
        on: ExceptionSpec | Unset = Unset.UNSET,
        ignore: ExceptionSpec | Unset = Unset.UNSET,
        on_result: Callable[[Any], bool] | Unset | None = Unset.UNSET,
        recovery_time: float | Callable[[int], float] | Unset = Unset.UNSET,
        probes: int | Unset = Unset.UNSET,
        close_after: int | Unset = Unset.UNSET,
        probe_lease: float | Unset | None = Unset.UNSET,
        observe: bool | Unset = Unset.UNSET,
    ) -> None:
        """Go by other settings from now on; what is not given stays. Functions already wrapped see them too.

        State, generation and running probes stay. An opening and a lease that run end when they were to: `reset()`
        closes at once. A trip rule of the same kind over the same window keeps the counts and judges them at the
        next recorded call. Another rule starts counting, with calls that begin from now on.

        Thread-safe, all or nothing. Not for signal handlers, which may run while the lock is held.

        Args:
            trip: When to open.
            on: Exceptions that count as failures.
            ignore: Exceptions that count as neither.
            on_result: Called with each result; True makes it a failure. None judges no results.
            recovery_time: Seconds the next openings last, above 0, or a callable that returns them.
            probes: Calls let in at once while half-open, at least 1.
            close_after: Successful probes that close the breaker, at least 1.
            probe_lease: Seconds after which a probe no longer blocks the next one, for probes that begin from now
                on; None for as long as the opening lasted.
            observe: Decide and tell, but never refuse.

        Raises:
            TypeError, ValueError: As for the constructor. Nothing has changed then.
        """
        changes = {key: value for key, value in locals().items() if key != "self"}
        self._gate.update(
            {key: value for key, value in changes.items() if value is not Unset.UNSET}
        )

    def describe(self) -> str:
        """Say in a few words what it does."""
        return f"refuses while open, opens on {self._gate.machine.trip!r}"

    def permit(self) -> Permit:
        """Guard a block: `with breaker.permit(): ...`, or `async with`. Taken on entering.

        Raises:
            CircuitOpenError: On entering, when the call must not be made.
        """
        return self.permit_as(self.name)

    def permit_as(self, name: str) -> Permit:  # noqa: ARG002 - its own is given
        """Return a permit that tells under the breaker's own name."""
        return BreakerPermit(self._gate)

    def condemns(self, result: object) -> bool:
        """Return True when `on_result` makes the result a failure."""
        on_result = self._gate.on_result
        return on_result is not None and bool(on_result(result))

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:  # noqa: ARG002 - its own is given
        """Return `fn` guarded for sync code."""
        gate, machine, bus = self._gate, self._gate.machine, self._bus

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            era = machine.era
            ticket: Ticket = era if era.admits else gate.admit()
            started = gate.now() if gate.timed or bus.outcomes_wanted else None
            try:
                result = fn(*args, **kwargs)
                if type(result) is COROUTINE:
                    raise refuse_coroutine(result)
            except BaseException as error:
                gate.raised(ticket, started, error)
                raise
            if gate.judging:
                gate.returned(ticket, started, result)
                return result
            if ticket is not era or not era.judge.quiet:
                gate.record(ticket, 0, None)
            if started is not None:
                gate.outcomes.succeeded(started)
            return result  # In the healthy case no lock was taken, and nothing written.

        return guarded

    def awrap(
        self,
        fn: Callable[P, Awaitable[T]],
        name: str,  # noqa: ARG002 - its own is given
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        gate, machine, bus = self._gate, self._gate.machine, self._bus

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            era = machine.era
            ticket: Ticket = era if era.admits else gate.admit()
            started = gate.now() if gate.timed or bus.outcomes_wanted else None
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                gate.raised(ticket, started, error)
                raise
            if gate.judging:
                gate.returned(ticket, started, result)
                return result
            if ticket is not era or not era.judge.quiet:
                gate.record(ticket, 0, None)
            if started is not None:
                gate.outcomes.succeeded(started)
            return result  # In the healthy case no lock was taken, and nothing written.

        return guarded

    def renew(self) -> None:
        """In a forked child: a free lock, and no probe that nobody runs."""
        self._gate.mailbox.renew()
        self._gate.machine.release_probes()
