"""The rate limiter: bound how many calls are begun in a stretch of time."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import at_least, positive, seconds, wait_or_none
from uat_resilience._core.gcra import GcraMachine
from uat_resilience.clock import Clock, default_clock
from uat_resilience.errors import RateLimitedError
from uat_resilience.policies.admission import Admission, AdmissionPermit
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import Permit, Verdict
from uat_resilience.policies.rate_gate import RateGate, usual_burst
from uat_resilience.policies.rate_snapshot import RateLimiterSnapshot, pictured
from uat_resilience.policies.unset import Unset
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus

__all__ = ["RateLimiter", "RateLimiterSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")


class RateLimiter(Admission[None]):
    """Bound how many calls are begun: `rate` in `per` seconds, and `burst` at once after a rest.

    The generic cell rate algorithm (ITU-T I.371), exactly: in any stretch of t seconds at most
    `burst + t * rate / per` calls fall due. A call that has to wait is told beforehand how long, first come, first
    served, and small requests never starve a large one; when that is longer than `max_wait`, or would outlive the
    ambient deadline, it is refused at once with `RateLimitedError`, whose `retry_after` says when to come
    back. A token that was used is used, however the call ends.

    Safe to share between threads, tasks and event loops. A call that is cancelled while it waits gives its
    reservation back, and those behind it move up.

    Args:
        rate: Calls in `per` seconds, above 0.
        per: Seconds, above 0.
        burst: Calls at once after a rest, at least 1. Default: what a second of `rate` is at `per=1.0`,
            `max(1, int(rate))`.
        max_wait: Seconds a call waits at most, 0 or more, or None for no limit but the deadline. The default
            refuses at once: a limit that makes its callers wait hides that they are too many.
        name: Name in events and errors. Default: `rate_limiter`, or `pipeline/rate_limiter` in a named pipeline.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_gate",)
    kind = "rate_limiter"

    def __init__(
        self,
        rate: float,
        per: float = 1.0,
        *,
        burst: int | None = None,
        max_wait: float | None = 0.0,
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        self._gate = RateGate(
            GcraMachine(
                rate=positive("rate", rate),
                per=seconds("per", per),
                burst=usual_burst(rate) if burst is None else at_least("burst", burst, 1),
            ),
            max_wait=wait_or_none("max_wait", max_wait),
            bus=self._bus,
        )
        renew_after_fork(self)

    @property
    def in_use(self) -> bool:
        """True until it is rested: dropping it earlier would give its callers a second burst."""
        now = self.snapshot()
        return now.waiting > 0 or now.available < now.burst

    def snapshot(self) -> RateLimiterSnapshot:
        """Return the limiter at this moment."""
        now, mailbox, bucket = self._time().now(), self._gate.mailbox, self._gate.bucket
        with mailbox.lock:
            snapshot = pictured(bucket, now)
        mailbox.sweep()
        return snapshot

    def update(
        self,
        *,
        rate: float | Unset = Unset.UNSET,
        per: float | Unset = Unset.UNSET,
        burst: int | Unset | None = Unset.UNSET,
        max_wait: float | Unset | None = Unset.UNSET,
    ) -> None:
        """Go by other settings from now on; what is not given stays. Functions already wrapped see them too.

        What was spent stays spent: as many tokens are missing from the bucket after the change as before, so no
        token is given twice, however often the limit is changed. Calls that wait keep their order; they are never
        made to wait for longer than they were told, and those that fall due earlier under the new limit are woken.

        Thread-safe, all or nothing. Not for signal handlers, which may run while the lock is held.

        Args:
            rate: Calls in `per` seconds, above 0.
            per: Seconds, above 0.
            burst: Calls at once after a rest, at least 1, or None for what the rate makes it: `max(1, int(rate))`.
                Not given, it stays though the rate changes.
            max_wait: Seconds a call waits at most, 0 or more, or None for no limit but the deadline.

        Raises:
            TypeError, ValueError: As for the constructor. Nothing has changed then.
        """
        self._gate.update(
            self._time().now(),
            rate=rate if isinstance(rate, Unset) else positive("rate", rate),
            per=per if isinstance(per, Unset) else seconds("per", per),
            burst=burst
            if burst is None or isinstance(burst, Unset)
            else at_least("burst", burst, 1),
            max_wait=max_wait
            if isinstance(max_wait, Unset)
            else wait_or_none("max_wait", max_wait),
        )

    def permit(self, *, weight: int = 1) -> Permit:
        """Guard a block: `with limiter.permit(): ...`, or `async with`. Taken on entering.

        Args:
            weight: Calls that the block counts for, from 1 to `burst`.

        Raises:
            TypeError, ValueError: `weight` is no such number, or on entering no longer.
            RateLimitedError: On entering, when the block must not be begun.
        """
        self._weigh(at_least("weight", weight, 1))
        outcomes = Outcomes(self.name, self._bus, self._clock)

        def admit() -> None:
            self._weigh(weight)  # Once more: the burst may have been changed since.
            self._admit(outcomes, weight)

        async def aadmit() -> None:
            self._weigh(weight)
            await self._aadmit(outcomes, weight)

        return AdmissionPermit(outcomes, admit, aadmit, self._release)

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:  # noqa: ARG002 - a wait is a wait
        """Return how long a call can take, and how many calls it can become."""
        return inner.delayed(self._gate.max_wait)

    def describe(self) -> str:
        """Say in a few words what it does."""
        max_wait, bucket = self._gate.max_wait, self._gate.bucket
        if max_wait == 0:
            wait = "refused at once"
        else:
            wait = "no limit" if max_wait is None else f"up to {max_wait:g} s"
            wait = f"the next waits {wait}"
        return f"{bucket.rate / bucket.per:g} calls a second, {bucket.burst} at once, {wait}"

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody waiting."""
        self._gate.renew()

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""
        told, outcomes = super().wrap(fn, name), Outcomes(name, self._bus, self._clock)
        gate, bus, own_clock = self._gate, self._bus, self._clock
        take = gate.take

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if bus.outcomes_wanted or not switches.guarding:
                return told(*args, **kwargs)
            # A token that was used is used, so nothing is to be done at the end.
            clock = own_clock or default_clock.clock
            if not take(clock.now(), 1):
                self._refuse(outcomes, gate.wait(name, clock, 1))
            result = fn(*args, **kwargs)
            if type(result) is COROUTINE:
                raise refuse_coroutine(result)
            return result

        return guarded

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        told, outcomes = super().awrap(fn, name), Outcomes(name, self._bus, self._clock)
        gate, bus, own_clock = self._gate, self._bus, self._clock
        take = gate.take

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if bus.outcomes_wanted or not switches.guarding:
                return await told(*args, **kwargs)
            clock = own_clock or default_clock.clock
            if not take(clock.now(), 1):
                self._refuse(outcomes, await gate.await_token(name, clock, 1))
            return await fn(*args, **kwargs)

        return guarded

    def _admit(self, outcomes: Outcomes, weight: int = 1) -> None:
        clock, gate = self._time(), self._gate
        if not gate.take(clock.now(), weight):
            self._refuse(outcomes, gate.wait(outcomes.policy, clock, weight))

    async def _aadmit(self, outcomes: Outcomes, weight: int = 1) -> None:
        clock, gate = self._time(), self._gate
        if not gate.take(clock.now(), weight):
            self._refuse(outcomes, await gate.await_token(outcomes.policy, clock, weight))

    def _release(self, entry: None, verdict: Verdict) -> None:
        """Do nothing: a token that was used is used."""

    def _weigh(self, weight: int) -> None:
        burst = self._gate.bucket.burst
        if weight > burst:
            raise ValueError(f"weight must be at most burst ({burst}), not {weight}")

    def _refuse(self, outcomes: Outcomes, retry_after: float | None) -> None:
        if retry_after is not None:
            bucket = self._gate.bucket
            raise outcomes.refused(
                RateLimitedError(
                    outcomes.policy,
                    quota=bucket.burst,
                    window=bucket.burst * bucket.per / bucket.rate,
                    retry_after=retry_after,
                )
            )
