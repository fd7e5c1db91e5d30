"""Timeout: bound how long one call may take."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from math import inf
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import seconds as checked
from uat_resilience._core.quantile import Quantile
from uat_resilience.ambient import Deadline, EnforcedDeadline, current_deadline
from uat_resilience.clock import Clock, default_clock
from uat_resilience.policies.adaptive_delay import AdaptiveDelay
from uat_resilience.policies.alarms import Alarms
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.bulkhead import Bulkhead
from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.deadline import enforce, governing, left, tell_missed
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.policy import Guard
from uat_resilience.policies.streams import astepwise, stepwise
from uat_resilience.policies.unenforced import UnenforcedTimeoutWarning, warn_unenforced
from uat_resilience.policies.worker import in_workers
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus

__all__ = ["Timeout", "TimeoutSnapshot", "UnenforcedTimeoutWarning"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TimeoutSnapshot:
    """A timeout, which keeps nothing.

    Attributes:
        seconds: Seconds each call is given.
    """

    seconds: float


class Timeout(Guard):
    """Bound how long one call may take.

    In async code the body is cancelled at the deadline, and `TimedOutError` comes out. The body's own
    `TimeoutError` and a cancellation from outside come through unchanged. A body that swallows the
    cancellation and returns is believed: its value is delivered, and `DeadlineMissed` told.

    In sync code a thread cannot be cut off. The timeout is a budget: policies, pauses and integrations inside
    see it as the ambient deadline, and a late result is returned and told. With `thread=Bulkhead(32)` the body
    runs in a worker thread of its own, at most 32 at once, and the caller leaves at the deadline; the thread
    goes on, and keeps its slot, until the body ends.

    Inside a deadline that ends sooner, that one rules. When nothing is left of it the body is not run.

    A guarded generator or async generator has this time for each of its items, the first one included, and not
    for what its consumer does in between. For a whole stream put a `deadline` block around the loop.

    Frozen, and safe to share between threads, tasks and event loops.

    Args:
        seconds: Seconds each call is given, above 0, or a `Quantile` of how long calls took lately, such as
            `Quantile(0.99, times=3.0, floor=0.1, ceiling=5.0)`. It needs a ceiling: that is what calls get
            before there are enough samples, and it keeps a dependency that slows down from pulling its own
            timeout along. Answers count, and calls that were cut; failures do not, as they are often fast.
        name: Name in events and errors. Default: `timeout`, or `pipeline/timeout` in a named pipeline.
        thread: In sync code: None warns once that the body is not cut (`UnenforcedTimeoutWarning`), False says
            that this is meant, a `Bulkhead` caps the worker threads that make it enforced.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_alarms", "_fixed", "_given", "_warned", "_workers")
    kind = "timeout"

    def __init__(
        self,
        seconds: float | Quantile,
        *,
        name: str | None = None,
        thread: Bulkhead | bool | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        if isinstance(seconds, Quantile) and seconds.ceiling is None:
            raise ValueError(
                f"seconds must be a number, or a Quantile with a ceiling, not {seconds!r}"
            )
        self._given = AdaptiveDelay("seconds", seconds)
        self._fixed = None if isinstance(seconds, Quantile) else checked("seconds", seconds)
        if thread is True or not isinstance(thread, Bulkhead | bool | None):
            raise TypeError(
                "thread must be None, False, or a Bulkhead that caps the worker threads, "
                f"not {thread!r}"
            )
        self._workers = thread if isinstance(thread, Bulkhead) else None
        self._warned = thread is not None
        self._alarms = Alarms()

    @property
    def seconds(self) -> float:
        """Seconds a call is given now."""
        if self._fixed is not None:
            return self._fixed
        now = self._given.seconds()
        return self.longest if now is None else now

    @property
    def longest(self) -> float:
        """Seconds a call is given at most."""
        setting = self._given.setting
        return setting if not isinstance(setting, Quantile) else (setting.ceiling or inf)

    @property
    def enforced_in_sync_code(self) -> bool:
        """True when sync bodies run in worker threads, so that their caller leaves in time."""
        return self._workers is not None

    def snapshot(self) -> TimeoutSnapshot:
        """Return the seconds each call is given."""
        return TimeoutSnapshot(self.seconds)

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:
        """Return how long a call can take, and how many calls it can become."""
        return inner if sync and not self.enforced_in_sync_code else inner.cut(self.longest)

    def describe(self) -> str:
        """Say in a few words what it does."""
        enforced = "" if self.enforced_in_sync_code else ", not enforced in sync code"
        return f"at most {self.longest:g} s{enforced}"

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        bus, alarms, own_clock = self._bus, self._alarms, self._clock
        outcomes = Outcomes(name, bus, own_clock)

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            started = outcomes.now() if bus.outcomes_wanted else None
            alarm, seconds = alarms.here, self._fixed
            if (
                alarm is not None
                and seconds is not None
                and alarm.clock is (own_clock or default_clock.clock)
                and current_deadline.get() is None
                and switches.guarding
            ):
                # What `_scope` does for most calls, spelled out: every call comes here.
                scope = alarm.enter(alarm.clock.now() + seconds, name, seconds) or self._scope(name)
            else:
                scope = self._scope(name) if switches.guarding else None
            token = None if scope is None else current_deadline.set(scope)
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                timed_out = left(bus, scope, error)
                if started is not None:
                    outcomes.raised(started, timed_out or error)
                if timed_out is not None:
                    raise timed_out from error
                raise
            finally:
                if token is not None:
                    current_deadline.reset(token)
            if scope is not None:
                scope.leave(None)
                if scope.fired:  # The body swallowed the cancellation: believe it.
                    tell_missed(bus, scope)
            if started is not None:
                outcomes.succeeded(started)
            return result

        return self._given.alearning(guarded, outcomes) if self._given.follows else guarded

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code: cut in a worker thread, or given a budget."""
        bus, outcomes = self._bus, Outcomes(name, self._bus, self._clock)
        if self._workers is not None:
            fn = in_workers(fn, self._workers.permit)
        if self._given.follows:
            fn = self._given.learning(fn, outcomes)

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            started = outcomes.now() if bus.outcomes_wanted else None
            try:
                budget = self._budget(name) if switches.guarding else None
                token = None if budget is None else current_deadline.set(budget)
                try:
                    result = fn(*args, **kwargs)
                    if type(result) is COROUTINE:
                        raise refuse_coroutine(result)
                finally:
                    if budget is not None and token is not None:
                        current_deadline.reset(token)
                        if budget.until <= budget.clock.now() and budget.policy == name:
                            tell_missed(bus, budget)
            except BaseException as error:
                if started is not None:
                    outcomes.raised(started, error)
                raise
            if started is not None:
                outcomes.succeeded(started)
            return result

        return guarded

    def wrap_stream(
        self, fn: Callable[P, Generator[T, Any, Any]], name: str
    ) -> Callable[P, Generator[T, Any, Any]]:
        """Return a generator function whose every step, the first item included, has its own timeout."""
        return stepwise(fn, lambda step: self.wrap(step, name))

    def awrap_stream(
        self, fn: Callable[P, AsyncGenerator[T, Any]], name: str
    ) -> Callable[P, AsyncGenerator[T, Any]]:
        """Return an async-generator function whose every step, the first item included, has its own timeout."""
        return astepwise(fn, lambda step: self.awrap(step, name))

    def _scope(self, name: str) -> EnforcedDeadline | None:
        """Cut the running task in time; None when a deadline around it does so sooner."""
        clock, seconds = self._clock or default_clock.clock, self._fixed
        if seconds is None:  # Quantiles fall due in no order, so each call has a timer of its own.
            seconds = self.seconds
            return enforce(governing(seconds), clock, seconds, name)
        outer = current_deadline.get()
        if outer is not None and (outer.clock is not clock or outer.until <= clock.now() + seconds):
            outer = governing(seconds)
            if outer is not None:
                return enforce(outer, clock, seconds, name)
        return self._alarms.enter(clock, seconds, name)

    def _budget(self, name: str) -> Deadline:
        """Return the deadline of a sync body: the one around it, unless this one comes first."""
        if not self._warned:
            self._warned = True
            warn_unenforced(name)
        clock, seconds = self._clock or default_clock.clock, self._fixed or self.seconds
        until, outer = clock.now() + seconds, current_deadline.get()
        if outer is not None and (outer.until <= until or outer.clock is not clock):
            outer = governing(seconds)
            if outer is not None:
                return outer
        return Deadline(clock, until, policy=name, after=seconds)
