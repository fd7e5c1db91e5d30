"""A rate limit that is changed while tokens are spent and waited for."""

import pytest

from uat_resilience._core.gcra import GcraMachine


def spent(burst: int) -> GcraMachine[str]:
    """A limit of one token a second, all of whose burst was spent at 10 s."""
    limit = GcraMachine[str](rate=1.0, per=1.0, burst=burst)
    limit.take(10.0, burst)
    return limit


@pytest.mark.parametrize(("rate", "per"), [(2.0, 1.0), (8.0, 4.0), (0.25, 0.5)])
def test_tokens_that_came_stay_and_more_come_at_the_new_rate(rate: float, per: float) -> None:
    limit = spent(burst=4)

    moved = limit.retune(11.0, rate=rate, per=per, burst=4)

    assert moved == []
    assert (limit.rate, limit.per) == (rate, per)
    assert limit.available(11.0) == 1.0
    assert limit.available(12.0) == 1.0 + rate / per


def test_other_burst_leaves_the_rate_as_it_is() -> None:
    limit = spent(burst=4)

    limit.retune(11.0, rate=1.0, per=1.0, burst=6)

    assert [limit.available(at) for at in (11.0, 12.0, 60.0)] == [3.0, 4.0, 6.0]


def test_limit_that_is_full_stays_full() -> None:
    limit = spent(burst=4)

    limit.retune(20.0, rate=2.0, per=1.0, burst=2)

    assert limit.available(20.0) == 2.0


def test_clock_that_straggles_takes_no_tokens_away() -> None:
    limit = spent(burst=4)

    limit.retune(10.0 - 1e-6, rate=2.0, per=1.0, burst=4)

    assert limit.available(10.5) == 1.0


def test_faster_rate_moves_those_who_wait_and_tells_who_they_are() -> None:
    limit = spent(burst=2)
    limit.reserve("first", 10.0)
    limit.reserve("second", 10.0, 2)

    moved = limit.retune(10.0, rate=4.0, per=1.0, burst=2)

    assert moved == ["first", "second"]
    assert [limit.until(waiter) for waiter in moved] == [10.25, 10.75]


def test_slower_rate_keeps_its_word_to_those_who_wait() -> None:
    limit = spent(burst=1)
    limit.reserve("waiter", 10.0)

    moved = limit.retune(10.0, rate=0.5, per=1.0, burst=1)

    assert moved == []
    assert limit.until("waiter") == 11.0
