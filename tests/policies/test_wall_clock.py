"""The wall clock and its time zone may be set to anything: policies go by the monotonic clock."""

import time
from collections.abc import Generator

import pytest

from uat_resilience import Bulkhead, CircuitBreaker, ConsecutiveFailures, RateLimiter
from uat_resilience.clock import wall_time
from uat_resilience.policies.retry_after import asked_pause


class TooManyRequests(Exception):  # noqa: N818 - stands for an answer
    def __init__(self, retry_after: str) -> None:
        self.headers = {"Retry-After": retry_after}


@pytest.fixture
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("step", [3600.0, -3600.0], ids=["an hour ahead", "an hour back"])
def test_a_wall_clock_that_steps_changes_nothing(
    step: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=600.0)
    limiter, bulkhead = RateLimiter(1.0, per=600.0, burst=1), Bulkhead(1)
    with breaker.permit() as permit:
        permit.failure()
    limiter.call(int)
    before, wall = breaker.snapshot(), wall_time()

    monkeypatch.setattr(time, "time", lambda: wall + step)

    after = breaker.snapshot()
    assert (after.state, after.failures, after.generation) == (
        before.state,
        before.failures,
        before.generation,
    )
    assert after.retry_after is not None
    assert 0.0 < after.retry_after <= 600.0
    assert limiter.in_use
    assert bulkhead.call(int) == 0


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone cannot be changed here")
@pytest.mark.parametrize("_zone", ["UTC", "Asia/Tokyo", "America/New_York"], indirect=True)
@pytest.mark.usefixtures("_zone")
def test_an_http_date_is_as_far_away_in_every_time_zone() -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(wall_time() + 1_800.0))

    assert asked_pause(TooManyRequests(date)) == pytest.approx(1_800.0, abs=5.0)
