"""Breakers, and what they guard."""

from contextlib import suppress
from typing import Any

from uat_resilience import (
    BreakerState,
    BulkheadFullError,
    CircuitBreaker,
    ConsecutiveFailures,
)

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


class Dependency:
    """Answers, or fails as long as it is down; counts its calls."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.calls = 0

    def __call__(self, answer: Any = "answer") -> Any:
        self.calls += 1
        if self.down:
            raise ConnectionError("down")
        return answer


def failing(error: BaseException) -> Any:
    def fail() -> None:
        raise error

    return fail


def fail(policy: Any, times: int = 1) -> None:
    for _ in range(times):
        with suppress(ConnectionError):
            policy.call(Dependency(down=True))


def opened(**settings: Any) -> CircuitBreaker:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), **settings)
    fail(breaker)
    assert breaker.state is OPEN
    return breaker


def full() -> BulkheadFullError:
    return BulkheadFullError("pool")
