"""The pipeline: several policies around one call, outermost first."""

import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any, ParamSpec, Self, TypeVar, cast

from uat_resilience.advice import PipelineWarning, advise
from uat_resilience.errors import TimedOutError
from uat_resilience.policies.blamed import level_of_user
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.bulkhead import Bulkhead
from uat_resilience.policies.circuit_breaker import CircuitBreaker
from uat_resilience.policies.matching import ExceptionSpec
from uat_resilience.policies.policy import Guard, Policy, Wrapper
from uat_resilience.policies.retry import Retry
from uat_resilience.policies.retry_budget import RetryBudget
from uat_resilience.policies.timeout import Timeout

__all__ = ["Pipeline", "PipelineSnapshot", "PipelineWarning"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PipelineSnapshot:
    """The policies of a pipeline at one moment.

    Attributes:
        policies: Name and snapshot of each, outermost first; None for a policy that has no snapshot.
    """

    policies: tuple[tuple[str, object], ...]


class Pipeline(Guard):
    """Put several policies around one call, outermost first, as read.

    It is a policy like any other: it guards functions, runs calls, and may stand in another pipeline. A policy
    without a name of its own goes by `pipeline/kind` in the events and errors of calls through it.

    Keeps nothing of its own; as safe to share as its policies.

    Args:
        policies: Policies of this library, pipelines, or anything with `name`, `call` and `acall`.
        name: Name of the pipeline.

    Raises:
        TypeError: Something given is not a policy.

    Warns:
        PipelineWarning: The order is doubtful; the message says why and what to do.
    """

    __slots__ = ("_policies",)
    kind = "pipeline"

    def __init__(self, *policies: Policy, name: str | None = None) -> None:
        super().__init__(name=name)
        for policy in policies:
            if isinstance(policy, type) or not isinstance(policy, Policy):
                raise TypeError(f"policies must have name, call and acall, not {policy!r}")
        self._policies = policies
        for finding in advise(self.flattened()):
            warnings.warn(f"{self.name}: {finding}", PipelineWarning, stacklevel=level_of_user())

    @classmethod
    def standard(
        cls,
        name: str,
        *,
        on: ExceptionSpec,
        on_result: Callable[[Any], bool] | None = None,
        total: float = 30.0,
        attempts: int = 3,
        each: float = 10.0,
        bulkhead: int | None = None,
        budget: RetryBudget | None = None,
    ) -> Self:
        """Return the recommended pipeline for calls to one dependency.

        Timeout, retry, breaker, bulkhead, timeout. What is worth retrying is what counts against the
        dependency: the exceptions and results named, and an attempt that timed out.

        Args:
            name: What the dependency is called.
            on: Exceptions that mean that it is not well.
            on_result: Called with each result; True means the same.
            total: Seconds for the whole call, above 0. As long as a person waits.
            attempts: Calls at most, the first included, at least 1.
            each: Seconds for each attempt, above 0: a third of `total`, so that the last one has its time.
            bulkhead: Calls at once at most, or None for no limit.
            budget: Keeps retries to a share of the calls; share one between all that call the dependency.

        Raises:
            TypeError, ValueError: An argument is of the wrong type or out of range.
        """
        failures = _or_timed_out(on)
        slots = () if bulkhead is None else (Bulkhead(bulkhead),)
        return cls(
            Timeout(total),
            Retry(failures, attempts=attempts, on_result=on_result, budget=budget),
            CircuitBreaker(name, on=failures, on_result=on_result),
            *slots,
            Timeout(each),
            name=name,
        )

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, outermost first."""
        return self._policies

    @property
    def in_use(self) -> bool:
        """True while one of its policies is."""
        return any(isinstance(each, Wrapper) and each.in_use for each in self._policies)

    def flattened(self) -> list[Policy]:
        """Return the policies, outermost first, with those of inner pipelines in their place."""
        flat: list[Policy] = []
        for policy in self._policies:
            flat += policy.flattened() if isinstance(policy, Pipeline) else [policy]
        return flat

    def snapshot(self) -> PipelineSnapshot:
        """Return all policies at this moment."""
        prefix = self._given_name
        return PipelineSnapshot(
            tuple(
                (policy.name_within(prefix), policy.snapshot())
                if isinstance(policy, Wrapper)
                else (policy.name, None)
                for policy in self._policies
            )
        )

    def describe(self) -> str:
        """Return a few lines: the policies in order, the longest a call can take, the most calls it can become.

        The longest duration holds for async code; where a timeout is not enforced in sync code it is said
        separately. "unbounded" means that the guarded function itself decides.
        """
        lines = [f"{self.name}, outermost first:"]
        flat = self.flattened()
        width = max((len(policy.name) for policy in flat), default=0)
        for number, policy in enumerate(flat, 1):
            what = policy.describe() if isinstance(policy, Wrapper) else "a policy of its own"
            lines.append(f"  {number}. {policy.name:<{width}}  {what}")
        in_async = self.bounds(Bounds(), sync=False)
        in_sync = self.bounds(Bounds(), sync=True)
        lines.append(f"worst case: {_seconds(in_async)}, {_calls(in_async)}")
        if in_sync.seconds != in_async.seconds:
            lines.append(f"worst case in sync code: {_seconds(in_sync)}, {_calls(in_sync)}")
        return "\n".join(lines)

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:
        """Return how long a call can take, and how many calls it can become."""
        for policy in reversed(self._policies):
            if isinstance(policy, Wrapper):
                inner = policy.bounds(inner, sync=sync)
        return inner

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""
        for policy in reversed(self._policies):
            if isinstance(policy, Wrapper):
                fn = policy.wrap(fn, policy.name_within(self._prefix(name)))
            else:
                fn = _called_by(policy, fn)
        return fn

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        for policy in reversed(self._policies):
            if isinstance(policy, Wrapper):
                fn = policy.awrap(fn, policy.name_within(self._prefix(name)))
            else:
                fn = _acalled_by(policy, fn)
        # What every policy makes; and what comes in is a coroutine function too (see `decorate`, `acall`).
        return cast("Callable[P, Coroutine[Any, Any, T]]", fn)

    def wrap_stream(
        self, fn: Callable[P, Generator[T, Any, Any]], name: str
    ) -> Callable[P, Generator[T, Any, Any]]:
        """Return a generator function guarded for sync code."""
        for policy in reversed(self._policies):
            wrapper = _wrapper(policy, fn)
            fn = wrapper.wrap_stream(fn, wrapper.name_within(self._prefix(name)))
        return fn

    def awrap_stream(
        self, fn: Callable[P, AsyncGenerator[T, Any]], name: str
    ) -> Callable[P, AsyncGenerator[T, Any]]:
        """Return an async-generator function guarded for async code."""
        for policy in reversed(self._policies):
            wrapper = _wrapper(policy, fn)
            fn = wrapper.awrap_stream(fn, wrapper.name_within(self._prefix(name)))
        return fn

    def _prefix(self, name: str) -> str | None:
        """A pipeline without a name lends none to its policies."""
        return name if self._given_name is not None or name != self.kind else None


def _wrapper(policy: Policy, fn: object) -> Wrapper:
    if not isinstance(policy, Wrapper):
        raise TypeError(
            f"{policy.name} cannot guard the generator function {fn!r}: it has call and acall only"
        )
    return policy


def _or_timed_out(on: ExceptionSpec) -> ExceptionSpec:
    if isinstance(on, type):
        return (on, TimedOutError)
    if callable(on):
        return lambda error: isinstance(error, TimedOutError) or on(error)
    return (*on, TimedOutError)


def _seconds(bounds: Bounds) -> str:
    return "unbounded" if bounds.seconds is None else f"{bounds.seconds:g} s"


def _calls(bounds: Bounds) -> str:
    if bounds.calls is None:
        return "any number of calls"
    return "1 call" if bounds.calls == 1 else f"{bounds.calls} calls"


def _called_by(policy: Policy, fn: Callable[P, T]) -> Callable[P, T]:
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        return policy.call(fn, *args, **kwargs)

    return guarded


def _acalled_by(
    policy: Policy, fn: Callable[P, Awaitable[T]]
) -> Callable[P, Coroutine[Any, Any, T]]:
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        return await policy.acall(fn, *args, **kwargs)

    return guarded
