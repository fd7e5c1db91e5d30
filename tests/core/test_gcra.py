from fractions import Fraction

import pytest

from uat_resilience._core.gcra import GcraMachine

TICK = 1e-7


def machine(rate: float = 1.0, *, per: float = 1.0, burst: int = 1) -> GcraMachine[str]:
    return GcraMachine(rate=rate, per=per, burst=burst)


def taken(limit: GcraMachine[str], now: float, asked: int = 1000) -> int:
    return sum(limit.take(now) for _ in range(asked))


def test_limit_tells_what_it_goes_by() -> None:
    limit = machine(2.0, per=4.0, burst=3)

    assert (limit.rate, limit.per, limit.burst) == (2.0, 4.0, 3)


# --- tokens that are here


@pytest.mark.parametrize("burst", [1, 2, 50])
def test_rested_bucket_gives_exactly_its_burst(burst: int) -> None:
    limit = machine(burst=burst)

    assert taken(limit, now=0.0) == burst


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0, 0.1, 1 / 3])
@pytest.mark.parametrize("burst", [1, 10])
def test_after_the_burst_one_token_comes_each_interval(interval: float, burst: int) -> None:
    limit = machine(rate=1.0, per=interval, burst=burst)
    taken(limit, now=0.0)

    for n in range(1, 3 * burst):
        early = limit.take(n * interval - TICK)
        wait = limit.wait_for(n * interval - TICK)
        in_time = taken(limit, n * interval)

        assert (early, in_time) == (False, 1)
        assert wait == pytest.approx(TICK)


@pytest.mark.parametrize(
    ("idle", "tokens"), [(5.0, 5), (5.5, 5), (10.0, 10), (20.0, 10), (1e6, 10)]
)
def test_idle_time_saves_up_tokens_to_the_burst_and_no_further(idle: float, tokens: int) -> None:
    limit = machine(burst=10)
    taken(limit, now=0.0)

    assert taken(limit, now=idle) == tokens


def test_rate_is_tokens_for_each_period() -> None:
    limit = machine(rate=300.0, per=60.0, burst=1)
    limit.take(0.0)

    assert limit.wait_for(0.0) == pytest.approx(0.2)


def test_weights_take_that_many_tokens() -> None:
    limit = machine(burst=5)

    assert limit.take(0.0, 3)
    assert not limit.take(0.0, 3)
    assert limit.take(0.0, 2)
    assert limit.wait_for(0.0, 3) == 3.0


def test_refused_take_spends_nothing() -> None:
    limit = machine(burst=5)
    limit.take(0.0, 5)

    refusals = taken(limit, now=0.0)

    assert refusals == 0
    assert limit.wait_for(0.0) == 1.0


def test_clock_moved_in_small_steps_gets_its_token_on_time() -> None:
    limit = machine()
    limit.take(0.0)
    now = 0.0

    for _ in range(10):
        now += 0.1

    assert now < 1.0
    assert limit.take(now)


def test_hundred_thousand_tokens_at_their_due_times_drift_by_nothing() -> None:
    limit = machine(rate=10.0, burst=1)
    limit.take(0.0)

    granted = sum(limit.take(n * 0.1) for n in range(1, 100_000))

    assert granted == 99_999
    assert limit.wait_for(9_999.9) == pytest.approx(0.1, abs=1e-9)


@pytest.mark.parametrize("epoch", [-1e6, 0.0, 1e6, 1e9])
def test_epoch_of_the_clock_changes_nothing(epoch: float) -> None:
    limit = machine(burst=3)

    first = taken(limit, epoch)
    second = taken(limit, epoch + 2.0)

    assert (first, second) == (3, 2)
    assert limit.wait_for(epoch + 2.0) == pytest.approx(1.0)


def test_clock_with_an_earlier_epoch_starts_afresh() -> None:
    limit = machine(burst=3)
    taken(limit, 1e6)
    limit.reserve("old", 1e6)

    assert taken(limit, 0.0) == 3
    assert limit.waiting == 0


def test_calls_a_little_out_of_order_get_no_token_more_and_none_less() -> None:
    limit = machine(burst=2)

    late = limit.take(10.0)
    early = [limit.take(9.9), limit.take(9.9)]

    assert (late, early) == (True, [True, False])
    assert limit.wait_for(9.9) == pytest.approx(1.1)


def test_available_tokens_are_counted_in_parts() -> None:
    limit = machine(burst=4)
    rested = limit.available(0.0)
    limit.take(0.0, 4)

    assert rested == 4.0
    assert limit.available(0.0) == 0.0
    assert limit.available(1.5) == 1.5
    assert limit.available(60.0) == 4.0


def test_no_token_is_available_while_somebody_waits_for_one() -> None:
    limit = machine(burst=4)
    limit.take(0.0, 4)
    limit.reserve("waiter", 0.0, 2)

    assert limit.available(1.5) == 0.0


# --- tokens to come


def test_reservations_fall_due_one_interval_apart_in_the_order_they_came() -> None:
    limit = machine(burst=2)
    taken(limit, 0.0)

    dues = [limit.reserve(f"waiter {n}", 0.5) for n in range(3)]

    assert dues == [1.0, 2.0, 3.0]
    assert limit.waiting == 3


def test_reservation_of_tokens_that_are_here_is_due_now() -> None:
    limit = machine(burst=2)

    assert limit.reserve("waiter", 5.0) == 5.0


def test_newcomer_does_not_overtake_a_reservation() -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("waiter", 0.0)

    assert not limit.take(1.0)
    assert limit.wait_for(1.0) == 1.0


def test_small_requests_do_not_starve_a_large_one() -> None:
    limit = machine(burst=10)
    limit.take(0.0, 10)

    large = limit.reserve("large", 0.0, 10)
    small = [limit.reserve(f"small {n}", 0.0) for n in range(2)]

    assert large == 10.0
    assert small == [11.0, 12.0]


@pytest.mark.parametrize(("patience", "due"), [(1.9, None), (2.0, 2.0), (2.1, 2.0)])
def test_reservation_is_refused_at_once_when_it_would_take_too_long(
    patience: float, due: float | None
) -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("ahead", 0.0)

    assert limit.reserve("waiter", 0.0, patience=patience) == due


def test_patience_is_not_cut_short_by_rounding() -> None:
    limit = machine(rate=10.0)
    taken(limit, 0.0)
    for n in range(2):
        limit.reserve(f"ahead {n}", 0.0)

    due = limit.reserve("waiter", 0.0, patience=0.3)

    assert due is not None
    assert due > 0.3


def test_refused_reservation_spends_nothing() -> None:
    limit = machine()
    limit.take(0.0)

    refused = [limit.reserve("waiter", 0.0, patience=0.5) for _ in range(1000)]

    assert set(refused) == {None}
    assert limit.waiting == 0
    assert limit.wait_for(0.0) == 1.0


@pytest.mark.parametrize("patience", [0.0, 0.5, 2.0])
def test_retry_after_a_refusal_is_the_time_until_it_would_be_accepted(patience: float) -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("ahead", 0.0)
    limit.reserve("next", 0.0)

    wait = limit.retry_after(0.25, patience=patience)

    assert wait == 2.75 - patience
    assert limit.reserve("waiter", 0.25 + wait - TICK, patience=patience) is None
    assert limit.reserve("waiter", 0.25 + wait, patience=patience) == 3.0


def test_heavier_request_is_refused_and_to_be_retried_by_its_own_wait() -> None:
    limit = machine(burst=4)
    limit.take(0.0, 4)

    assert [limit.retry_after(0.0, weight) for weight in (1, 3)] == [1.0, 3.0]
    assert limit.reserve("waiter", 0.0, 3, patience=2.0) is None
    assert limit.reserve("waiter", 0.0, 3, patience=3.0) == 3.0


def test_nothing_to_retry_when_tokens_are_here() -> None:
    assert machine().retry_after(0.0, patience=5.0) == 0.0


def test_claimed_reservation_stays_spent() -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("waiter", 0.0)

    woken = limit.claim("waiter")

    assert woken is None
    assert limit.waiting == 0
    assert limit.wait_for(1.0) == 1.0


def test_reservation_that_was_never_claimed_is_forgotten_once_the_bucket_is_full() -> None:
    limit = machine(burst=2)
    taken(limit, 0.0)
    limit.reserve("gone", 0.0)

    tokens = limit.available(3.0)

    assert tokens == 2.0
    assert limit.waiting == 0
    assert limit.until("gone") < 0.0
    assert limit.claim("gone") is None


def test_time_of_a_waiter_can_be_read_again() -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("waiter", 0.0)

    assert limit.until("waiter") == 1.0


# --- tokens given back


def test_equal_dues_are_computed_like_fractions() -> None:
    limit = machine(rate=7.0, burst=4)
    taken(limit, 0.0)

    dues = [limit.reserve(f"waiter {n}", 0.0) for n in range(1000)]

    exact = [float(Fraction(n, 7)) for n in range(1, 1001)]
    assert dues == pytest.approx(exact, rel=1e-15)


def test_cleared_bucket_keeps_what_was_spent_and_nothing_of_what_was_reserved() -> None:
    limit = machine(burst=3)
    taken(limit, now=0.0)
    limit.reserve("waiter", 0.0)

    limit.clear()

    assert limit.wait_for(0.0) == 1.0
    limit.reserve("newcomer", 0.0)
    assert limit.give_back("newcomer", 0.0) is None
    assert limit.wait_for(0.0) == 1.0


def test_everybody_who_falls_due_earlier_under_a_new_limit_is_to_be_woken() -> None:
    machine: GcraMachine[str] = GcraMachine(rate=1.0, per=10.0, burst=1)
    machine.take(0.0)
    for name in ("first", "second", "third"):
        machine.reserve(name, 0.0)

    moved = machine.retune(5.0, rate=1.0, per=1.0, burst=1)

    assert moved == ["first", "second", "third"]
    assert [machine.until(name) for name in moved] == [5.5, 6.5, 7.5]


def test_a_limit_that_stays_the_same_wakes_nobody() -> None:
    machine: GcraMachine[str] = GcraMachine(rate=3.0, per=1.0, burst=1)
    machine.take(0.1)
    machine.reserve("waiter", 0.1)

    moved = machine.retune(0.2, rate=3.0, per=1.0, burst=1)

    assert moved == []


@pytest.mark.parametrize("interval", [0.5, 1.0, 4.0])
def test_late_waiter_behind_another_is_worth_the_same_share_at_any_rate(interval: float) -> None:
    limit = machine(rate=1.0, per=interval, burst=2)
    limit.take(0.0, 2)
    limit.reserve("first", 0.0, 2)
    limit.reserve("second", 0.0, 1)

    limit.give_back("second", 3.0 * interval)

    assert limit.available(3.0 * interval) == 1.0


def test_two_newcomers_that_overtook_a_late_waiter_do_not_make_it_worth_more() -> None:
    limit = machine(rate=0.5, burst=4)
    limit.take(0.0)
    limit.reserve("late", 0.0)  # Without it the bucket would be full at 2.
    limit.take(3.5)
    limit.take(3.5)

    limit.give_back("late", 3.5)

    assert limit.wait_for(3.5, 4) == 4.0


def test_head_of_a_cleared_bucket_leaves_the_next_one_its_time() -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("before the fork", 0.0)
    limit.clear()
    limit.reserve("head", 0.0)
    limit.reserve("next", 0.0)

    limit.give_back("head", 0.5)

    assert limit.until("next") == 1.0


def test_reservations_forgotten_in_a_long_silence_weigh_nothing_afterwards() -> None:
    limit = machine()
    limit.take(0.0)
    limit.reserve("never claimed", 0.0)
    limit.take(1000.0)
    limit.reserve("head", 1000.0)
    limit.reserve("next", 1000.0)

    limit.give_back("head", 1000.5)

    assert limit.until("next") == 1001.0
