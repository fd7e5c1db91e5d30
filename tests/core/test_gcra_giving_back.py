import pytest

from uat_resilience._core.gcra import GcraMachine


def machine(rate: float = 1.0, *, per: float = 1.0, burst: int = 1) -> GcraMachine[str]:
    return GcraMachine(rate=rate, per=per, burst=burst)


@pytest.fixture
def queue() -> GcraMachine[str]:
    """Three waiters, due at 1, 2 and 3."""
    limit = machine()
    limit.take(0.0)
    for name in ("head", "middle", "tail"):
        limit.reserve(name, 0.0)
    return limit


def test_head_that_leaves_moves_the_next_one_up(queue: GcraMachine[str]) -> None:
    woken = queue.give_back("head", 0.5)

    assert woken == "middle"
    assert queue.until("middle") == 1.0
    assert queue.wait_for(0.5) == 2.5


def test_waiter_behind_a_gap_learns_its_earlier_time_on_becoming_the_head(
    queue: GcraMachine[str],
) -> None:
    woken_at_once = queue.give_back("middle", 0.5)
    woken_as_head = queue.claim("head")

    assert (woken_at_once, woken_as_head) == (None, "tail")
    assert queue.until("tail") == 2.0


def test_waiter_is_not_woken_when_its_time_is_what_it_was_told(queue: GcraMachine[str]) -> None:
    assert queue.claim("head") is None
    assert queue.give_back("tail", 1.5) is None
    assert queue.claim("middle") is None


def test_tail_that_leaves_makes_room_for_a_newcomer(queue: GcraMachine[str]) -> None:
    queue.give_back("tail", 0.5)

    assert queue.reserve("newcomer", 0.5) == 3.0


def test_giving_back_twice_gives_back_once(queue: GcraMachine[str]) -> None:
    queue.give_back("tail", 0.5)
    queue.give_back("tail", 0.5)

    assert queue.wait_for(0.5) == 2.5


def test_claimed_reservation_cannot_be_given_back(queue: GcraMachine[str]) -> None:
    queue.claim("head")
    queue.give_back("head", 1.0)

    assert queue.wait_for(1.0) == 3.0


def test_reservation_older_than_a_full_bucket_cannot_be_given_back(queue: GcraMachine[str]) -> None:
    queue.give_back("head", 100.0)

    assert queue.available(100.0) == 1.0


def test_reserving_and_leaving_over_and_over_leaves_no_debt() -> None:
    limit = machine(burst=3)
    limit.take(0.0, 3)

    for n in range(1000):
        limit.reserve(f"waiter {n}", 0.001 * n, 2)
        limit.give_back(f"waiter {n}", 0.001 * n)

    assert limit.wait_for(0.999) == pytest.approx(0.001)


def test_tokens_given_back_in_time_are_all_there_for_the_next() -> None:
    limit = machine(burst=3)
    limit.take(0.0, 3)
    limit.reserve("waiter", 0.0, 3)

    limit.give_back("waiter", 2.5)

    assert limit.available(2.5) == 2.5


@pytest.mark.parametrize(("kept", "tokens"), [(0.0, 1.0), (0.25, 1.0), (1.0, 1.0)])
def test_tokens_given_back_late_never_fill_the_bucket_beyond_its_burst(
    kept: float, tokens: float
) -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("waiter", 0.0)

    limit.give_back("waiter", 1.0 + kept)

    assert limit.available(1.0 + kept) == tokens


def test_tokens_that_would_have_run_over_do_not_come_back() -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("late", 0.0)  # Due at 1, as is everything below, had it not come.
    limit.reserve("next", 1.75)  # Due at 2.

    woken = limit.give_back("late", 1.75)

    assert woken == "next"
    assert limit.until("next") == 1.75
    assert limit.wait_for(1.75) == 1.0


def test_late_waiter_behind_another_late_one_is_worth_more() -> None:
    limit = machine(burst=2)
    limit.take(0.0, 2)
    limit.reserve("first", 0.0, 2)  # Without it the bucket would be full at 2,
    limit.reserve("second", 0.0, 1)  # and at 4 without this one.

    limit.give_back("second", 3.0)

    assert limit.available(3.0) == 1.0


def test_newcomer_that_overtook_a_late_waiter_does_not_make_it_worth_more() -> None:
    limit = machine(rate=0.5, burst=3)
    limit.take(0.0)
    limit.reserve("late", 0.0)  # Without it the bucket would be full at 2.
    limit.take(3.5)

    limit.give_back("late", 3.5)

    assert limit.wait_for(3.5, 3) == 2.0


def test_waiter_that_overtook_a_late_one_does_not_make_it_worth_more() -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("late", 0.0)  # Due at 1.
    limit.reserve("in time", 1.5)
    limit.claim("in time")  # At 2.

    limit.give_back("late", 2.0)

    assert limit.wait_for(2.0) == 1.0


def test_head_that_never_woke_holds_nobody_up_and_gives_no_burst_back() -> None:
    limit = machine()
    limit.take(0.0)
    dues = [limit.reserve(f"waiter {n}", 0.0) for n in range(10)]
    for n in range(1, 5):
        limit.claim(f"waiter {n}")

    woken = limit.give_back("waiter 0", 5.0)

    assert dues == [1.0 + n for n in range(10)]
    assert woken is None
    assert limit.until("waiter 5") == 6.0
    assert limit.wait_for(5.0) == 6.0


def test_waiter_whose_tokens_were_here_all_along_gives_them_all_back() -> None:
    limit = machine(burst=5)
    limit.reserve("waiter", 0.0, 3)

    limit.give_back("waiter", 0.0)

    assert limit.available(0.0) == 5.0


def test_clearing_gives_every_reservation_back_and_nothing_else(queue: GcraMachine[str]) -> None:
    queue.claim("head")

    queue.clear()

    assert queue.waiting == 0
    assert queue.wait_for(1.0) == 1.0
