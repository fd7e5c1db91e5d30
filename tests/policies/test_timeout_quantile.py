import threading

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import Bulkhead, Pipeline, Quantile, TimedOutError, Timeout, deadline, remaining
from uat_resilience.testing import FakeClock, disabled


def following() -> Timeout:
    return Timeout(Quantile(0.5, minimum=2, window=4, times=2.0, ceiling=10.0), thread=False)


async def test_until_there_are_samples_calls_get_the_ceiling() -> None:
    timeout = following()

    assert timeout.seconds == 10.0
    with pytest.raises(TimedOutError):
        await timeout.acall(pause, 11.0)
    assert anyio.current_time() == 10.0


async def test_the_timeout_follows_how_long_answers_take() -> None:
    timeout = following()
    for _ in range(2):
        await timeout.acall(pause, 1.0)

    assert timeout.seconds == 2.0
    assert timeout.snapshot().seconds == 2.0
    with pytest.raises(TimedOutError):
        await timeout.acall(pause, 5.0)
    assert anyio.current_time() == 4.0


async def test_a_call_that_was_cut_counts_for_the_time_it_had() -> None:
    timeout = following()
    for _ in range(2):
        await timeout.acall(pause, 1.0)

    for _ in range(3):
        with pytest.raises(TimedOutError):
            await timeout.acall(pause, 5.0)

    assert timeout.seconds == 4.0


async def test_a_timeout_of_something_inside_is_a_failure_like_others() -> None:
    timeout, inner = following(), Timeout(1.0, name="inner")

    for _ in range(4):
        with pytest.raises(TimedOutError, match="inner"):
            await timeout.acall(inner.acall, pause, 5.0)

    assert timeout.seconds == 10.0


async def test_fast_failures_do_not_shorten_it() -> None:
    timeout = following()

    async def fail() -> None:
        raise ConnectionError

    for _ in range(4):
        with pytest.raises(ConnectionError):
            await timeout.acall(fail)

    assert timeout.seconds == 10.0


async def test_calls_while_policies_are_disabled_teach_it_nothing(clock: FakeClock) -> None:
    timeout = following()

    with disabled():
        for _ in range(2):
            timeout.call(clock.advance, 1.0)
            await timeout.acall(pause, 1.0)

    assert timeout.seconds == 10.0


def test_in_sync_code_it_is_a_budget_that_follows(clock: FakeClock) -> None:
    timeout = following()
    for _ in range(2):
        timeout.call(clock.advance, 1.0)

    assert timeout.call(remaining) == 2.0


def test_in_sync_code_a_timeout_of_something_inside_teaches_it_nothing(clock: FakeClock) -> None:
    timeout, others = following(), Timeout(1.0, name="inner", thread=Bulkhead(1))

    for _ in range(2):
        with deadline(0.5), pytest.raises(TimedOutError, match="deadline"):
            timeout.call(lambda: clock.advance(0.5) or others.call(int))

    assert timeout.seconds == 10.0


def test_a_worker_that_is_left_behind_counts_too() -> None:
    clock = FakeClock(auto=True)
    timeout = Timeout(
        Quantile(1.0, minimum=1, window=1, ceiling=3.0), thread=Bulkhead(2), clock=clock
    )
    may_end = threading.Event()

    with pytest.raises(TimedOutError):
        timeout.call(may_end.wait)

    may_end.set()
    assert timeout.seconds == 3.0


def test_a_description_says_the_longest() -> None:
    assert "worst case: 10 s" in Pipeline(following()).describe()


def test_a_quantile_needs_a_ceiling() -> None:
    with pytest.raises(ValueError, match="ceiling"):
        Timeout(Quantile(0.99))
