"""Advice on the order of policies: what is doubtful about a pipeline, and how to mend it.

Order is what users get wrong most. Nothing here forbids anything: each finding is a `PipelineWarning`.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TypeVar

from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.circuit_breaker import CircuitBreaker
from uat_resilience.policies.coalesce import Coalesce
from uat_resilience.policies.fallback import Fallback
from uat_resilience.policies.policy import Policy
from uat_resilience.policies.retry import Retry
from uat_resilience.policies.streams import HeldByStreams
from uat_resilience.policies.timeout import Timeout

__all__ = ["PipelineWarning", "advise"]

_FALLBACK: type[Fallback[object]] = Fallback

A = TypeVar("A")
B = TypeVar("B")


class PipelineWarning(UserWarning):
    """The policies of a pipeline are in an order that rarely does what is wanted."""


def advise(policies: Sequence[Policy]) -> Iterator[str]:
    """Say what is doubtful about policies in this order, outermost first."""
    yield from _attempts_that_outlast_the_whole(policies)
    yield from _breakers_that_see_runs(policies)
    yield from _breakers_that_never_see_a_hang(policies)
    yield from _fallbacks_that_hide_failures(policies)
    yield from _retries_that_multiply(policies)
    yield from _policies_that_meet_themselves(policies)


def _attempts_that_outlast_the_whole(policies: Sequence[Policy]) -> Iterator[str]:
    for total, inner in _pairs(policies, Timeout, Timeout):
        between = policies[policies.index(total) : policies.index(inner)]
        if inner.seconds >= total.seconds and any(isinstance(p, Retry) for p in between):
            yield (
                f"the timeout of each attempt ({inner.seconds:g} s) is not shorter than that of the "
                f"whole call ({total.seconds:g} s), so no second attempt is ever made after it: "
                "make the inner one shorter"
            )


def _breakers_that_see_runs(policies: Sequence[Policy]) -> Iterator[str]:
    for breaker, _ in _pairs(policies, CircuitBreaker, Retry):
        yield (
            f"the breaker {breaker.name!r} is outside a retry, so it counts a whole run of attempts as "
            "one call, and the retry goes on against an open dependency: put the breaker inside the retry"
        )


def _breakers_that_never_see_a_hang(policies: Sequence[Policy]) -> Iterator[str]:
    for timeout, breaker in _pairs(policies, Timeout, CircuitBreaker):
        inside = policies[policies.index(breaker) :]
        if not any(isinstance(policy, Timeout) for policy in inside):
            yield (
                f"the breaker {breaker.name!r} has a timeout ({timeout.seconds:g} s) outside it and none "
                "inside, so a call that hangs is abandoned and never counts as a failure: "
                "put a shorter timeout inside the breaker"
            )


def _fallbacks_that_hide_failures(policies: Sequence[Policy]) -> Iterator[str]:
    for _, fallback in _pairs(policies, Retry, _FALLBACK):
        yield (
            f"the fallback {fallback.name!r} is inside a retry, so the errors that it covers are never "
            "retried: put the fallback outside the retry"
        )


def _retries_that_multiply(policies: Sequence[Policy]) -> Iterator[str]:
    for outer, inner in _pairs(policies, Retry, Retry):
        if outer.multiplies(inner):
            calls = inner.bounds(outer.bounds(Bounds(), sync=False), sync=False).calls
            yield (
                "a retry is inside a retry, so their attempts multiply: one call becomes up to "
                f"{'any number of' if calls is None else calls}. Leave one of them, let them name different "
                "errors, or give both the same budget"
            )


def _policies_that_meet_themselves(policies: Sequence[Policy]) -> Iterator[str]:
    for policy, again in combinations(policies, 2):
        if policy is not again:
            continue
        if isinstance(policy, HeldByStreams):
            yield (
                f"{policy.name!r} is there twice, so each call asks it twice: it takes two places, counts "
                "twice, and may be refused or wait for ever because of itself: leave one of them"
            )
        elif isinstance(policy, Coalesce):
            yield (
                f"{policy.name!r} is there twice, so each call waits for ever for itself: "
                "leave one of them"
            )


def _pairs(policies: Sequence[Policy], outer: type[A], inner: type[B]) -> Iterator[tuple[A, B]]:
    for first, second in combinations(policies, 2):
        if isinstance(first, outer) and isinstance(second, inner):
            yield first, second
