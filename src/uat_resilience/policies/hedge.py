"""Hedge: start a second copy of a call that takes unusually long, and take whichever succeeds first."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NoReturn, ParamSpec, TypeVar

from uat_resilience._core.arguments import at_least
from uat_resilience._core.quantile import Quantile
from uat_resilience.clock import Clock
from uat_resilience.policies.adaptive_delay import AdaptiveDelay
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.hedge_run import HedgeRules, HedgeRun
from uat_resilience.policies.matching import ExceptionSpec, Matcher
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.policy import Guard
from uat_resilience.policies.retry_budget import RetryBudget
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus

__all__ = ["Hedge", "HedgeSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HedgeSnapshot:
    """A hedge at one moment.

    Attributes:
        after: Seconds before the next copy is started, or None while a quantile has too few samples.
        attempts: Copies at most.
    """

    after: float | None
    attempts: int


class Hedge(Guard):
    """Start a second copy of a call that takes unusually long, and take whichever succeeds first.

    For async functions that may run twice, such as reads. A healthy call is one call, made in the caller's own
    task. When it has not ended after `after` seconds the next copy starts beside it, in one task group. A copy
    that fails with an error named in `on` starts the next at once; any other error is final. The first success
    wins and the others are cancelled; the call returns when their clean-up has ended, and results that come too
    late are closed. If all copies fail, the first error in time comes out.

    A cancelled caller waits until all copies have ended. Inside `single_try()` there is one copy only. Safe to
    share between tasks and event loops.

    Args:
        after: Seconds above 0, or a `Quantile` of how long calls took lately: `Quantile(0.95)` hedges one call
            in twenty. Before its `minimum` of samples nothing is hedged.
        attempts: Copies at most, the first included, at least 1. The second takes most of the tail away, a third
            hardly more.
        on: Exceptions that start the next copy: a type, a tuple of types, or a predicate.
        budget: Limit on extra copies, shared with retries, or None. When it is spent nothing is hedged.
        name: Name in events. Default: `hedge`, or `pipeline/hedge` in a named pipeline.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_rules",)
    kind = "hedge"

    def __init__(
        self,
        after: float | Quantile,
        *,
        attempts: int = 2,
        on: ExceptionSpec = Exception,
        budget: RetryBudget | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        if budget is not None and not isinstance(budget, RetryBudget):
            raise TypeError(f"budget must be a RetryBudget or None, not {budget!r}")
        self._rules = HedgeRules(
            after=AdaptiveDelay("after", after),
            attempts=at_least("attempts", attempts, 1),
            on=Matcher("on", on),
            budget=budget,
        )
        renew_after_fork(self)

    def snapshot(self) -> HedgeSnapshot:
        """Return the delay at this moment."""
        return HedgeSnapshot(self._rules.after.seconds(), self._rules.attempts)

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:  # noqa: ARG002 - there is no sync hedge
        """Return how long a call can take, and how many calls it can become."""
        return inner.copied(self._rules.attempts)

    def describe(self) -> str:
        """Say in a few words what it does."""
        setting = self._rules.after.setting
        after = f"the {setting.q:g}-quantile" if isinstance(setting, Quantile) else f"{setting:g} s"
        return f"up to {self._rules.attempts} copies, the next after {after}"

    def wrap(self, fn: Callable[P, T], name: str) -> NoReturn:
        """Refuse: a thread cannot be told to stop.

        Raises:
            TypeError: Always.
        """
        raise TypeError(
            f"{name} cannot guard the sync function {fn!r}: a copy that lost could not be stopped; "
            "guard an async function"
        )

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        rules, bus, outcomes = self._rules, self._bus, Outcomes(name, self._bus, self._clock)

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not switches.guarding:
                return await fn(*args, **kwargs)
            run: HedgeRun[T] = HedgeRun(name, rules, outcomes.clock(), bus)
            return await run.win(lambda: fn(*args, **kwargs))

        return outcomes.aaround(guarded)

    def renew(self) -> None:
        """In a forked child: a free lock."""
        self._rules.after.renew()
