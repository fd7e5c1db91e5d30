"""What a retry goes by, checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from uat_resilience._core.arguments import at_least, callback, callback_or_none, seconds
from uat_resilience._core.backoff import Backoff, Constant, Exponential, Linear
from uat_resilience._core.jitter import Jitter
from uat_resilience._core.retry import RetryPlan
from uat_resilience.policies.matching import ExceptionSpec, Matcher
from uat_resilience.policies.retry_budget import RetryBudget
from uat_resilience.policies.unset import Unset
from uat_resilience.switches import switches

__all__ = ["RetryRules"]

# Called with a number they make a backoff, and no pause.
_CLASSES = (Constant, Linear, Exponential)


@dataclass(frozen=True, slots=True)
class RetryRules:
    """The arguments of `Retry`, which says what they mean."""

    plan: RetryPlan
    on: Matcher
    on_result: Callable[[Any], bool] | None
    retry_after: Callable[[Exception], float | None]
    budget: RetryBudget | None
    eager: bool
    """True when there is something to do before the first attempt: a call to count, or time to be kept."""

    def count_call(self) -> None:
        """Count a call for the budget, where there is one."""
        if self.budget is not None and switches.guarding:
            self.budget.deposit()

    def condemns(self, result: object) -> bool:
        """Return True when `on_result` wants another attempt in place of a result."""
        on_result = self.on_result
        return on_result is not None and switches.guarding and bool(on_result(result))

    def multiply(self, inner: "RetryRules") -> bool:
        """Return True when these repeat what `inner` has given up."""
        if self.plan.attempts == 1 or inner.plan.attempts == 1:
            return False
        if self.budget is not None and self.budget is inner.budget:
            return False
        if self.on_result is not None and inner.on_result is not None:
            return True
        return self.on.overlaps(inner.on)

    @classmethod
    def checked(
        cls,
        on: ExceptionSpec | Unset,
        *,
        attempts: int | None,
        backoff: Backoff,
        jitter: Jitter,
        on_result: Callable[[Any], bool] | None,
        retry_after: Callable[[Exception], float | None],
        retry_after_max: float,
        time_limit: float | None,
        budget: RetryBudget | None,
    ) -> Self:
        """Return the rules that the arguments make.

        Raises:
            TypeError, ValueError: One is missing, of the wrong type or out of range.
        """
        callback("backoff", backoff, "a callable of the attempt number")
        _refuse_class(backoff)
        if not isinstance(jitter, Jitter):
            raise TypeError(f"jitter must be a Jitter, not {jitter!r}")
        callback("retry_after", retry_after)
        if budget is not None and not isinstance(budget, RetryBudget):
            raise TypeError(f"budget must be a RetryBudget or None, not {budget!r}")
        if attempts is None and time_limit is None:
            raise ValueError("attempts must be a number, not None, unless time_limit is given")
        plan = RetryPlan(
            attempts=None if attempts is None else at_least("attempts", attempts, 1),
            backoff=backoff,
            jitter=jitter,
            retry_after_max=seconds("retry_after_max", retry_after_max),
            time_limit=None if time_limit is None else seconds("time_limit", time_limit),
        )
        return cls(
            plan,
            on=_matcher(on, on_result),
            on_result=callback_or_none("on_result", on_result),
            retry_after=retry_after,
            budget=budget,
            eager=time_limit is not None or budget is not None,
        )


def _refuse_class(backoff: object) -> None:
    if isinstance(backoff, type) and issubclass(backoff, _CLASSES):
        raise TypeError(f"backoff must be made first, as in Exponential(0.1), not {backoff!r}")


def _matcher(on: ExceptionSpec | Unset, on_result: object) -> Matcher:
    if isinstance(on, Unset):
        raise TypeError(
            "on must name the exceptions to retry on, such as Retry(on=ConnectionError): "
            "only the caller knows what may be repeated"
        )
    try:
        matcher = Matcher("on", on)
    except TypeError as error:
        if callable(on):  # What `@Retry` without parentheses is given.
            error.add_note("Is it the function to guard? Then write @Retry(on=ConnectionError)")
        raise
    if matcher.empty and on_result is None:
        raise ValueError("on must name at least one exception, not (), unless on_result is given")
    return matcher
