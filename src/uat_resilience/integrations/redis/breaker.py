"""The circuit breaker of a fleet: what one process finds out, all of them know."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, fields
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import seconds
from uat_resilience._core.ramp import Ramp
from uat_resilience._core.trip import ConsecutiveFailures, TripRule
from uat_resilience.clock import Clock
from uat_resilience.integrations.redis.fleet import Fleet
from uat_resilience.integrations.redis.link import Client, RedisLink, linked
from uat_resilience.integrations.redis.shared_permit import SharedPermit
from uat_resilience.policies.breaker_settings import DEFAULT_RECOVERY
from uat_resilience.policies.circuit_breaker import BreakerSnapshot, CircuitBreaker
from uat_resilience.policies.matching import ExceptionSpec
from uat_resilience.policies.permit import Permit
from uat_resilience.telemetry.bus import EventBus

__all__ = ["SharedBreaker", "SharedBreakerSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SharedBreakerSnapshot(BreakerSnapshot):
    """A shared breaker at one moment, as this process knows it. Reading it asks nobody.

    Attributes:
        degraded: True while Redis is left alone and this process decides for itself.
    """

    degraded: bool


class SharedBreaker(CircuitBreaker):
    """Stop calling a dependency that keeps failing, in all processes as soon as one has found out.

    A `CircuitBreaker` that judges its own calls, and tells the fleet what came of it. When it opens, the others
    open too, for as long as its opening lasts, with their next call after `refresh` seconds at the latest. When
    that is over, one call of the fleet is the probe, under a lease; the others are refused until it has ended.
    If it closes the breaker, the others close with their next call.

    A closed breaker costs a call nothing but one round trip every `refresh` seconds; refusing costs none. While
    Redis is away it is an ordinary `CircuitBreaker`. What was found out then is told only if Redis is back in that
    moment: these are hints, every process stays its own judge. A process that is itself the trouble opens the
    breaker of all of them; a trip rule that looks at more than a few calls makes that less likely.

    Safe to share between threads and tasks of one event loop. In trio it raises RuntimeError: redis-py has none.

    `update` changes this process: tell all of them. The lease of a probe in the fleet stays as it was made, one
    probe at a time stays the rule, and with `observe=True` what the fleet refuses is still refused.

    Args:
        name: What the dependency is called by all processes; part of the keys in Redis.
        client: Where the fleet meets: a client of redis-py, or a `RedisLink` that policies share.
        refresh: Seconds between two looks at what the fleet knows while closed, above 0.
        trip: As in `CircuitBreaker`, and so is everything below.
        on: Exceptions that count as failures.
        ignore: Exceptions that count as neither.
        on_result: Called with each result; True makes it a failure.
        recovery_time: Seconds an opening lasts, or a callable that returns them.
        close_after: Successful probes of this process that close the breaker.
        probe_lease: Seconds after which a probe that has not ended no longer blocks the next one, in the fleet as
            well. Default: `recovery_time`, or 30 s when that is a callable.
        ramp: How to give the load back after a recovery.
        clock: Time source. Default: the replaceable system clock. What the fleet knows goes by the clock of Redis.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_fleet", "_link")

    def __init__(
        self,
        name: str,
        *,
        client: Client | RedisLink,
        refresh: float = 1.0,
        trip: TripRule = ConsecutiveFailures(5),  # noqa: B008 - frozen
        on: ExceptionSpec = Exception,
        ignore: ExceptionSpec = (),
        on_result: Callable[[Any], bool] | None = None,
        recovery_time: float | Callable[[int], float] = DEFAULT_RECOVERY,
        close_after: int = 1,
        probe_lease: float | None = None,
        ramp: Ramp | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(
            name,
            trip=trip,
            on=on,
            ignore=ignore,
            on_result=on_result,
            recovery_time=recovery_time,
            close_after=close_after,
            probe_lease=probe_lease,
            ramp=ramp,
            clock=clock,
            bus=bus,
        )
        self._link = linked(client, name=name, clock=clock, bus=self._bus)
        lasting = DEFAULT_RECOVERY if callable(recovery_time) else recovery_time
        self._fleet = Fleet(
            self._link,
            self._gate,
            name=name,
            refresh=seconds("refresh", refresh),
            lease=lasting if probe_lease is None else probe_lease,
            bus=self._bus,
        )

    def snapshot(self) -> SharedBreakerSnapshot:
        """Return the breaker as this process knows it, without asking Redis."""
        twin = super().snapshot()
        known = {each.name: getattr(twin, each.name) for each in fields(twin)}
        return SharedBreakerSnapshot(**known, degraded=self._link.away)

    def permit_as(self, name: str) -> Permit:
        """Return a permit; it tells under the breaker's own name, which was given."""
        return SharedPermit(self._fleet, super().permit_as(name))

    def describe(self) -> str:
        """Say in a few words what it does."""
        return f"{super().describe()}, shared by Redis"

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""
        fleet, inner = self._fleet, super().wrap(fn, name)

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            probe = fleet.consult()
            try:
                return inner(*args, **kwargs)
            finally:
                fleet.report(probe)

        return guarded

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        fleet, inner = self._fleet, super().awrap(fn, name)

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            probe = await fleet.aconsult()
            try:
                result = await inner(*args, **kwargs)
            except BaseException as error:
                await fleet.areport(probe, error)
                raise
            await fleet.areport(probe, None)
            return result

        return guarded
