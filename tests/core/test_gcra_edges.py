"""How much a rate limit forgives: a nanosecond of rounding, and a clock that is a second behind."""

from uat_resilience._core.gcra import GcraMachine

NANOSECOND = 1e-9


def spent(*, per: float, burst: int = 1, at: float = 0.0) -> GcraMachine[str]:
    """A limit of one token in `per` seconds from which one was taken."""
    limit = GcraMachine[str](rate=1.0, per=per, burst=burst)
    assert limit.take(at)
    return limit


def test_token_that_is_due_in_a_nanosecond_is_here() -> None:
    assert spent(per=NANOSECOND).wait_for(0.0) == 0.0
    assert spent(per=NANOSECOND).take(0.0)


def test_reservation_that_is_due_a_nanosecond_after_patience_ends_is_accepted() -> None:
    limit = spent(per=1.0 + NANOSECOND)

    assert limit.reserve("waiter", 0.0, patience=1.0) == 1.0 + NANOSECOND


def test_nobody_is_woken_for_a_nanosecond() -> None:
    limit = spent(per=1.0)
    limit.reserve("waiter", 0.0)

    moved = limit.retune(0.0, rate=1.0, per=1.0 - NANOSECOND, burst=1)

    assert (moved, limit.until("waiter")) == ([], 1.0)


def test_clock_that_is_a_whole_second_behind_is_still_the_same_clock() -> None:
    asked, taken = spent(per=1.0, at=10.0), spent(per=1.0, at=10.0)

    assert asked.wait_for(9.0) == 2.0
    assert not taken.take(9.0)


def test_token_that_is_here_is_here_on_a_clock_that_is_behind() -> None:
    assert spent(per=1.0, burst=2, at=10.0).wait_for(9.5) == 0.0
