"""Errors as problem details."""

import json

import pytest

from uat_resilience import (
    BulkheadFullError,
    CallRefusedError,
    CircuitOpenError,
    DrainingError,
    OverloadedError,
    RateLimitedError,
    RateLimiter,
    TimedOutError,
)
from uat_resilience.integrations.serving.problem import problem
from uat_resilience.testing import FakeClock


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (CircuitOpenError("db"), 503, "circuit-open"),
        (BulkheadFullError("db"), 503, "bulkhead-full"),
        (OverloadedError("db"), 503, "overloaded"),
        (DrainingError("db"), 503, "draining"),
        (CallRefusedError("db"), 503, "refused"),
        (RateLimitedError("db"), 429, "rate-limited"),
        (TimedOutError("db"), 504, "deadline-exceeded"),
    ],
)
def test_each_error_has_its_answer(error: Exception, status: int, kind: str) -> None:
    found = problem(error)

    assert found is not None
    told = json.loads(found.body("abc"))
    assert (found.status, told["status"]) == (status, status)
    assert told["type"] == f"urn:uat-resilience:problem:{kind}"
    assert told["request_id"] == "abc"
    assert "db" not in told.values()


def test_name_of_a_policy_is_not_told() -> None:
    found = problem(CircuitOpenError("orders-db", retry_after=3.0))

    assert found is not None
    assert b"orders" not in found.body()
    assert "orders" not in str(found.headers)


@pytest.mark.parametrize(
    ("known", "told"), [(None, "3"), (0.2, "1"), (1.0, "1"), (1.1, "2"), (60.0, "60")]
)
def test_retry_after_is_whole_seconds_and_never_too_early(known: float | None, told: str) -> None:
    found = problem(OverloadedError("db", retry_after=known), retry_after=2.5)

    assert found is not None
    assert dict(found.headers)["Retry-After"] == told


def test_rate_limit_says_when_and_how_many(clock: FakeClock) -> None:
    limiter = RateLimiter(100, per=60.0, burst=5, name="api")
    for _ in range(5):
        limiter.call(int)
    with pytest.raises(RateLimitedError) as refused:
        limiter.call(int)

    found = problem(refused.value)

    assert found is not None
    assert dict(found.headers) == {
        "Retry-After": "1",
        "RateLimit": '"api";r=0;t=1',
        "RateLimit-Policy": '"api";q=5;w=3',
    }


def test_window_below_a_second_is_told_as_what_a_whole_one_admits() -> None:
    found = problem(RateLimitedError("api", quota=1, window=0.1, retry_after=0.1))

    assert found is not None
    assert dict(found.headers)["RateLimit-Policy"] == '"api";q=10;w=1'


def test_unknown_limit_is_not_invented() -> None:
    found = problem(RateLimitedError("api"))

    assert found is not None
    assert "RateLimit-Policy" not in dict(found.headers)


def test_name_of_a_limit_cannot_break_the_header() -> None:
    found = problem(RateLimitedError('a"b\\c\r\nX: 1é'))

    assert found is not None
    assert dict(found.headers)["RateLimit"] == '"a\\"b\\\\c??X: 1?";r=0;t=1'


def test_group_with_one_error_is_answered_like_the_error() -> None:
    inner = ExceptionGroup("inner", [CircuitOpenError("db")])

    found = problem(ExceptionGroup("outer", [inner]))

    assert found is not None
    assert found.status == 503


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError(),
        TimeoutError(),
        ExceptionGroup("both", [CircuitOpenError("db"), ValueError()]),
    ],
)
def test_other_errors_are_none_of_ours(error: Exception | None) -> None:
    assert problem(error) is None
