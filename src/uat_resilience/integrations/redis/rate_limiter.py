"""The rate limiter of a fleet: bound how many calls all processes together begin in a stretch of time."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import flag, text
from uat_resilience._core.deadline import tightest
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock
from uat_resilience.integrations.redis.away import RedisAwayError
from uat_resilience.integrations.redis.link import Client, RedisLink, linked
from uat_resilience.integrations.redis.scripts import GIVE_BACK, TAKE
from uat_resilience.policies.admission import Admission
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.rate_limiter import RateLimiter, RateLimiterSnapshot
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import FallbackUsed, SlotQueued
from uat_resilience.waiting import Waiter, world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["RedisRateLimiter", "RedisRateLimiterSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class RedisRateLimiterSnapshot(RateLimiterSnapshot):
    """A shared rate limiter at one moment, as this process last heard of it. Reading it asks nobody.

    Attributes:
        degraded: True while Redis is left alone and this process decides for itself.
    """

    degraded: bool


@dataclass(frozen=True, slots=True)
class _Reservation:
    """What Redis answered to a call that it let in."""

    wait: float
    since: int
    spent: int
    weight: int


class RedisRateLimiter(RateLimiter):
    """Bound how many calls all processes together begin: `rate` in `per` seconds, `burst` at once after a rest.

    A `RateLimiter` whose bucket is in Redis. One decision is one round trip, by the clock of the Redis server, so
    a limit of N over any number of processes admits N, and their own clocks do not matter. A call that has to wait
    has its turn in Redis and waits for it here. When it is cancelled its reservation is given back, unless
    somebody has reserved behind it, who was told a time already: then the token is spent.

    While Redis is away each process keeps to the limit by itself, so a fleet of M admits up to M times as much.
    `local=False` refuses instead, with `RedisUnavailableError`. Each call that was decided without Redis is told
    as `FallbackUsed`.

    Safe to share between threads and tasks of one event loop. In trio it raises RuntimeError: redis-py has none.

    Args:
        rate: Calls in `per` seconds, above 0.
        per: Seconds, above 0.
        client: Where the bucket is: a client of redis-py, or a `RedisLink` that policies share.
        name: What all processes call this limit; part of its key in Redis.
        burst: Calls at once after a rest, at least 1. Default: `max(1, int(rate))`.
        max_wait: Seconds a call waits at most, 0 or more, or None for no limit but the deadline.
        local: False to refuse calls while Redis is away, in place of deciding in this process.
        clock: Time source of waits and of the local twin. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_heard", "_here", "_keys", "_link", "_local")

    def __init__(
        self,
        rate: float,
        per: float = 1.0,
        *,
        client: Client | RedisLink,
        name: str,
        burst: int | None = None,
        max_wait: float | None = 0.0,
        local: bool = True,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(
            rate,
            per,
            burst=burst,
            max_wait=max_wait,
            name=text("name", name),
            clock=clock,
            bus=bus,
        )
        self._local = flag("local", local)
        self._link = linked(client, name=name, clock=clock, bus=self._bus)
        self._keys = [self._link.key(name, "rate")]
        self._heard: tuple[float, float] | None = None
        self._here: set[Waiter] = set()

    @property
    def in_use(self) -> bool:
        """True while calls wait, or until the twin is rested. What was spent in the fleet is kept in Redis."""
        twin = super().snapshot()
        return bool(self._here) or twin.waiting > 0 or twin.available < twin.burst

    def snapshot(self) -> RedisRateLimiterSnapshot:
        """Return the limiter as this process last heard of it, without asking Redis."""
        twin, heard, degraded = super().snapshot(), self._heard, self._link.away
        available = twin.available
        if heard is not None and not degraded:
            told, at = heard
            available = min(twin.burst, told + (self._time().now() - at) * twin.rate)
        waiting = twin.waiting + len(self._here)
        return RedisRateLimiterSnapshot(available, waiting, twin.rate, twin.burst, degraded)

    def describe(self) -> str:
        """Say in a few words what it does."""
        return f"{super().describe()}, shared by Redis"

    def renew(self) -> None:
        """In a forked child: nobody waiting."""
        super().renew()
        self._here = set()

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""
        return Admission[None].wrap(self, fn, name)  # The twin has a short cut to its own bucket.

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        return Admission[None].awrap(self, fn, name)

    def _admit(self, outcomes: Outcomes, weight: int = 1) -> None:
        try:
            answer = self._link.ask(outcomes.policy, TAKE, self._keys, *self._request(weight))
        except RedisAwayError as away:
            self._decide_alone(outcomes, away)
            super()._admit(outcomes, weight)
            return
        turn = self._read(outcomes, answer, weight)
        if turn is not None:
            self._wait(outcomes, turn)

    async def _aadmit(self, outcomes: Outcomes, weight: int = 1) -> None:
        try:
            answer = await self._link.aask(
                outcomes.policy, TAKE, self._keys, *self._request(weight)
            )
        except RedisAwayError as away:
            self._decide_alone(outcomes, away)
            await super()._aadmit(outcomes, weight)
            return
        turn = self._read(outcomes, answer, weight)
        if turn is not None:
            await self._await(outcomes, turn)

    def _request(self, weight: int) -> tuple[int, str, int, int]:
        deadline = current_deadline.get()
        left = tightest(self._gate.max_wait, None if deadline is None else deadline.remaining())
        patience = -1 if left is None else int(max(0.0, left) * _MICRO)
        bucket = self._gate.bucket
        return bucket.burst, repr(_MICRO * bucket.per / bucket.rate), weight, patience

    def _read(self, outcomes: Outcomes, answer: Sequence[int], weight: int) -> _Reservation | None:
        """Return the turn that was given, None when it is now.

        Raises:
            RateLimitedError: None was given.
        """
        taken, wait, here, since, spent = answer
        self._heard = (max(0.0, here / _MICRO), self._time().now())
        if not taken:
            # As long as the twin would say: from when on the wait is no longer too long.
            patience = self._request(weight)[-1]
            self._refuse(outcomes, max(1, wait - patience) / _MICRO)
        return _Reservation(wait / _MICRO, since, spent, weight) if wait else None

    def _wait(self, outcomes: Outcomes, turn: _Reservation) -> None:
        clock, waiter = self._time(), ThreadWaiter()
        self._queue(outcomes, waiter)
        try:
            waiter.wait(clock, clock.now() + turn.wait)
        except BaseException:
            with suppress(RedisAwayError, TimeoutError):  # Else the token is spent.
                self._link.ask(outcomes.policy, GIVE_BACK, self._keys, *self._back(turn))
            raise
        finally:
            self._here.discard(waiter)

    async def _await(self, outcomes: Outcomes, turn: _Reservation) -> None:
        clock, waiter = self._time(), world().waiter()
        self._queue(outcomes, waiter)
        try:
            await waiter.wait(clock, clock.now() + turn.wait)
        except BaseException:
            self._link.later(self._give_back(outcomes, turn))
            raise
        finally:
            self._here.discard(waiter)

    async def _give_back(self, outcomes: Outcomes, turn: _Reservation) -> None:
        with suppress(RedisAwayError, TimeoutError):  # Else the token is spent.
            await self._link.aask(outcomes.policy, GIVE_BACK, self._keys, *self._back(turn))

    @staticmethod
    def _back(turn: _Reservation) -> tuple[int, int, int]:
        return turn.since, turn.spent, turn.weight

    def _queue(self, outcomes: Outcomes, waiter: Waiter) -> None:
        self._here.add(waiter)
        if self._bus.wants(SlotQueued):
            self._bus.emit(SlotQueued(outcomes.policy, self._time().now(), len(self._here)))

    def _decide_alone(self, outcomes: Outcomes, away: RedisAwayError) -> None:
        """Tell of a decision without Redis.

        Raises:
            RedisUnavailableError: Without Redis nothing is decided.
        """
        if self._bus.wants(FallbackUsed):
            self._bus.emit(FallbackUsed(outcomes.policy, self._time().now(), away.error))
        if not self._local:
            raise outcomes.refused(away.refusal(outcomes.policy)) from away.error
