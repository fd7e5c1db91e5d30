"""Coalesce: make one call for everybody who asks for the same thing at the same time."""

from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import at_least, callback, seconds_or_zero
from uat_resilience.ambient import Deadline, current_deadline, put_back
from uat_resilience.clock import Clock
from uat_resilience.errors import TimedOutError
from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.flights import Flights, Landed, Seat, copied
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.policy import Guard
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.waiting import refuse_to_block, unenforced_deadline, world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["Coalesce", "CoalesceSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CoalesceSnapshot:
    """A coalescer at one moment.

    Attributes:
        flights: Calls under way that others may be waiting for.
        kept: Values kept.
    """

    flights: int
    kept: int


class Coalesce(Guard):
    """Make one call for all who ask for the same thing at the same time, and keep its value for a while.

    The first caller of a key leads: its call really runs, detached from its deadline so that what it fetches is
    not cut short for the others (a scope that already cuts its task still does). The others wait for what it
    brings, in threads, tasks and event loops alike. When the leader is cancelled the first follower takes over.
    A follower that is cancelled leaves, and changes nothing for the others. An error goes to the leader as it is,
    and to each follower as a copy with the error as its cause.

    Safe to share between threads, tasks and event loops.

    Args:
        key: Called with the arguments of each call; returns a hashable name of what is asked for. Leave nothing
            out that changes the answer, such as the user.
        ttl: Seconds a value is kept and given without any call, 0 or more. None is kept by default: one call for
            all who ask at the same time is never stale.
        stale_if_error: Seconds after that in which it still stands in for an error, 0 or more.
        maximum: Values kept at most, at least 1; the least recently used goes first.
        name: Name in events. Default: `coalesce`, or `pipeline/coalesce` in a named pipeline.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_flights", "_key")
    kind = "coalesce"

    def __init__(
        self,
        key: Callable[..., Hashable],
        *,
        ttl: float = 0.0,
        stale_if_error: float = 0.0,
        maximum: int = 1000,
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        self._key = callback("key", key, "a callable of the call's arguments")
        self._flights: Flights[Any] = Flights(
            ttl=seconds_or_zero("ttl", ttl),
            stale_if_error=seconds_or_zero("stale_if_error", stale_if_error),
            maximum=at_least("maximum", maximum, 1),
        )
        renew_after_fork(self)

    @property
    def in_use(self) -> bool:
        """True while a call is under way that others may be waiting for."""
        return self.snapshot().flights > 0

    def snapshot(self) -> CoalesceSnapshot:
        """Return the coalescer at this moment."""
        return CoalesceSnapshot(*self._flights.counts())

    def invalidate(self, key: Hashable) -> None:
        """Drop the kept value of a key. A call under way is not stopped, and its value is kept when it comes."""
        self._flights.forget(key)

    def describe(self) -> str:
        """Say in a few words what it does."""
        return "one call at a time for each key"

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""
        outcomes = Outcomes(name, self._bus, self._clock)

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not switches.guarding:
                return fn(*args, **kwargs)
            key = self._key(*args, **kwargs)
            return self._share(outcomes, lambda: fn(*args, **kwargs), key)

        return outcomes.around(guarded)

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        outcomes = Outcomes(name, self._bus, self._clock)

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not switches.guarding:
                return await fn(*args, **kwargs)
            key = self._key(*args, **kwargs)
            return await self._ashare(outcomes, lambda: fn(*args, **kwargs), key)

        return outcomes.aaround(guarded)

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody under way."""
        self._flights.renew()

    def _share(self, outcomes: Outcomes, call: Callable[[], T], key: Hashable) -> T:
        clock = outcomes.clock()
        while True:
            landed: Landed[T] | None = self._flights.fresh(key, clock.now())
            if landed is not None:
                return landed.value
            if self._flights.lead(key):
                return self._fly(call, key, clock)
            refuse_to_block(outcomes.policy, "guard an async function, or use acall()")
            seat: Seat[T] = Seat(key, waiter := ThreadWaiter())
            if not self._flights.join(seat):
                continue  # It has landed meanwhile: look again.
            limit = current_deadline.get()
            try:
                waiter.wait(clock, None if limit is None else clock.now() + limit.remaining())
            except BaseException:
                self._flights.leave(seat)
                raise
            if seat.leads:
                return self._fly(call, key, clock)
            return self._brought(seat, limit)

    async def _ashare(
        self, outcomes: Outcomes, call: Callable[[], Awaitable[T]], key: Hashable
    ) -> T:
        clock = outcomes.clock()
        while True:
            landed: Landed[T] | None = self._flights.fresh(key, clock.now())
            if landed is not None:
                return landed.value
            if self._flights.lead(key):
                return await self._afly(call, key, clock)
            here = world()
            seat: Seat[T] = Seat(key, waiter := here.waiter())
            if not self._flights.join(seat):
                continue
            limit = unenforced_deadline(here)
            try:
                await waiter.wait(clock, None if limit is None else clock.now() + limit.remaining())
            except BaseException:
                self._flights.leave(seat)
                raise
            if seat.leads:
                return await self._afly(call, key, clock)
            return self._brought(seat, limit)

    def _fly(self, call: Callable[[], T], key: Hashable, clock: Clock) -> T:
        detached = current_deadline.set(None)
        try:
            result = call()
            if type(result) is COROUTINE:
                raise refuse_coroutine(result)
        except Exception as error:
            stale: Landed[T] | None = self._flights.crash(key, error, clock.now())
            if stale is None:
                raise
            return stale.value
        except BaseException:
            self._flights.hand_over(key)
            raise
        finally:
            put_back(current_deadline, detached)
        self._flights.land(key, result, clock.now())
        return result

    async def _afly(self, call: Callable[[], Awaitable[T]], key: Hashable, clock: Clock) -> T:
        detached = current_deadline.set(None)
        try:
            result = await call()
        except Exception as error:
            stale: Landed[T] | None = self._flights.crash(key, error, clock.now())
            if stale is None:
                raise
            return stale.value
        except BaseException:
            self._flights.hand_over(key)
            raise
        finally:
            put_back(current_deadline, detached)
        self._flights.land(key, result, clock.now())
        return result

    def _brought(self, seat: Seat[T], limit: Deadline | None) -> T:
        if seat.landed is not None:
            return seat.landed.value
        if seat.error is not None:
            raise copied(seat.error)
        self._flights.leave(seat)
        # Nothing but a deadline ends a wait without an answer.
        policy, after = (self.name, 0.0) if limit is None else (limit.policy, limit.after)
        raise TimedOutError(policy, after=after)
