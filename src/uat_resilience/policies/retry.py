"""Retry: call again after a growing, randomly spread pause."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, Self, TypeVar

from uat_resilience._core.backoff import Backoff, Exponential
from uat_resilience._core.jitter import Jitter
from uat_resilience.clock import Clock
from uat_resilience.policies.attempts import AsyncAttempts, Attempts
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.matching import ExceptionSpec
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.policy import Guard
from uat_resilience.policies.retry_after import asked_pause
from uat_resilience.policies.retry_budget import BudgetSnapshot, RetryBudget
from uat_resilience.policies.retry_loop import arepeated, repeated
from uat_resilience.policies.retry_rules import RetryRules
from uat_resilience.policies.retry_run import RetryRun
from uat_resilience.policies.streams import abegun, begun
from uat_resilience.policies.unset import Unset
from uat_resilience.telemetry.bus import EventBus

__all__ = ["Retry", "RetrySnapshot"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetrySnapshot:
    """A retry, which keeps nothing, and its budget, which does.

    Attributes:
        attempts: Calls at most, or None for no limit.
        time_limit: Seconds after which no attempt starts, or None.
        budget: The budget at this moment, or None without one.
    """

    attempts: int | None
    time_limit: float | None
    budget: BudgetSnapshot | None


_NO_ARGUMENTS = frozenset({"self", "__class__"})  # Local to a constructor all the same.


class Retry(Guard):
    """Call again after a growing, randomly spread pause.

    Only for calls that may be made twice. The last error comes out itself, with a note that says why no
    further attempt was made; a result that `on_result` refuses to the end is returned. A result that is thrown
    away is closed first (`aclose()` or `close()`); if its pause is then cut short by a shutdown or outlasts the
    deadline or `time_limit`, `DrainingError` or `TimedOutError` comes out.

    Never retried: cancellation, exit, and refusals (`CallRefusedError`) unless `on` names a refusal type.
    No pause is taken that would end past the ambient deadline or `time_limit`, and no attempt starts after
    either; a running attempt is not cut by `time_limit`. A pause during a shutdown ends the run.

    A guarded generator is started again only until its first item is there: what a consumer has seen is never sent
    twice.

    Frozen, and safe to share between threads, tasks and event loops. A cancelled pause leaves nothing behind.

    Iterating gives attempts for blocks; each loop is a new run:

        for attempt in retry:          # `async for` in async code
            with attempt:
                fetch()

    Args:
        on: Exceptions to retry on: a type, a tuple of types, or a predicate. Required: what may be
            repeated is known only to the caller. `()` is allowed when `on_result` is given.
        attempts: Calls at most, the first included, at least 1. Three cover a blip and do not multiply an
            outage. None is no limit; then `time_limit` is required.
        backoff: Seconds to pause after each attempt (from 1): `Constant`, `Linear`, `Exponential`, or a callable.
        jitter: How much of the pause is left to chance. Full jitter spreads clients best.
        on_result: Called with each result; True means try again.
        retry_after: Called with each exception; seconds that must pass at least, or None. Default: the
            exception's `retry_after`, or the `Retry-After` of its response.
        retry_after_max: Seconds, above 0. When a server asks for more, the retry gives up.
        time_limit: Seconds from the start of the run, above 0, or None.
        budget: Shared limit on extra attempts, or None.
        name: Name in events and notes. Default: `retry`, or `pipeline/retry` in a named pipeline.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is missing, of the wrong type or out of range.
    """

    __slots__ = ("_rules", "_settings")
    kind = "retry"

    def __init__(
        self,
        on: ExceptionSpec | Unset = Unset.UNSET,
        *,
        attempts: int | None = 3,
        backoff: Backoff = Exponential(0.1, factor=2.0, maximum=30.0),
        jitter: Jitter = Jitter.FULL,
        on_result: Callable[[Any], bool] | None = None,
        retry_after: Callable[[Exception], float | None] = asked_pause,
        retry_after_max: float = 300.0,
        time_limit: float | None = None,
        budget: RetryBudget | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        # All the arguments, by name: `replace` changes some of them.
        given = {key: value for key, value in locals().items() if key not in _NO_ARGUMENTS}
        self._settings: dict[str, Any] = given
        super().__init__(name=name, clock=clock, bus=bus)
        self._rules = RetryRules.checked(
            on,
            attempts=attempts,
            backoff=backoff,
            jitter=jitter,
            on_result=on_result,
            retry_after=retry_after,
            retry_after_max=retry_after_max,
            time_limit=time_limit,
            budget=budget,
        )

    def replace(self, **changes: Any) -> Self:  # noqa: ANN401 - the arguments of the constructor
        """Return a retry with the same settings, but for those given.

        Raises:
            TypeError, ValueError: As for the constructor.
        """
        return type(self)(**{**self._settings, **changes})

    def narrowed(self, to: Callable[[Exception], bool]) -> Self:
        """Return a retry that repeats only what both it and `to` name, and no results.

        For a call that may only be made again after some of the errors: a request that was never sent, say.
        """
        on = self._rules.on

        def narrow(error: Exception) -> bool:
            return on(error) and to(error)

        return self.replace(on=narrow, on_result=None)

    def multiplies(self, inner: "Retry") -> bool:
        """Return True when this one tries again what another, inside it, has given up: their attempts multiply.

        So it is where both repeat, and no budget that they share keeps the repetitions few, unless they name
        types of errors that have nothing in common. What a predicate matches is not known before.
        """
        return self._rules.multiply(inner._rules)  # noqa: SLF001 - another of this class

    def snapshot(self) -> RetrySnapshot:
        """Return the limits, and the budget at this moment."""
        plan, budget = self._rules.plan, self._rules.budget
        spent = None if budget is None else budget.snapshot()
        return RetrySnapshot(plan.attempts, plan.time_limit, spent)

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:  # noqa: ARG002 - a wait is a wait
        """Return how long a call can take, and how many calls it can become."""
        return inner.repeated(self._rules.plan)

    def describe(self) -> str:
        """Say in a few words what it does."""
        plan = self._rules.plan
        calls = "any number of calls" if plan.attempts is None else f"up to {plan.attempts} calls"
        longest: float | None = getattr(plan.backoff, "longest", None)
        pauses = "pauses of its own" if longest is None else f"pauses up to {longest:g} s"
        limit = "" if plan.time_limit is None else f", none after {plan.time_limit:g} s"
        return f"{calls}, {pauses}, Retry-After up to {plan.retry_after_max:g} s{limit}"

    def __iter__(self) -> Attempts:
        """Start a run of blocks in sync code."""
        return Attempts(self._begin_blocks())

    def __aiter__(self) -> AsyncAttempts:
        """Start a run of blocks in async code."""
        return AsyncAttempts(self._begin_blocks())

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""
        return repeated(
            fn,
            partial(self._begin, name),
            self._rules,
            Outcomes(name, self._bus, self._clock),
            self._bus,
        )

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        return arepeated(
            fn,
            partial(self._begin, name),
            self._rules,
            Outcomes(name, self._bus, self._clock),
            self._bus,
        )

    def wrap_stream(
        self, fn: Callable[P, Generator[T, Any, Any]], name: str
    ) -> Callable[P, Generator[T, Any, Any]]:
        """Return a generator function that is started again until its first item is there."""
        self._refuse_result_of_stream(name)
        return begun(fn, lambda begin: self.wrap(begin, name))

    def awrap_stream(
        self, fn: Callable[P, AsyncGenerator[T, Any]], name: str
    ) -> Callable[P, AsyncGenerator[T, Any]]:
        """Return an async-generator function that is started again until its first item is there."""
        self._refuse_result_of_stream(name)
        return abegun(fn, lambda begin: self.awrap(begin, name))

    def _refuse_result_of_stream(self, name: str) -> None:
        if self._rules.on_result is not None:
            raise TypeError(
                f"{name} cannot guard a generator with on_result: a stream has no result"
            )

    def _begin_blocks(self) -> RetryRun:
        self._rules.count_call()
        return self._begin(self.name, None)

    def _begin(self, name: str, started: float | None) -> RetryRun:
        return RetryRun(name, self._rules, self._time(), self._bus, started)
