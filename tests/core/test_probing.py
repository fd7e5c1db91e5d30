"""The search for the knee, round by round: latencies are told, not simulated."""

from math import log10

import pytest
from tests.core.told import LATENCY, Rounds, gradient, outage, rested, trickle

from uat_resilience._core.gradient import Gradient2
from uat_resilience._core.vegas import Vegas

# --- probes


def test_first_round_is_followed_by_a_probe_at_half_the_limit() -> None:
    assert gradient().go(LATENCY).limits == [20]


def test_limit_goes_back_when_halving_it_hardly_made_calls_faster() -> None:
    assert gradient().go(0.11, 0.1).limits == [20, 40]


def test_limit_is_halved_again_while_that_makes_calls_much_faster() -> None:
    probing = gradient(initial=160).go(1.6, 0.8, 0.4, 0.2, 0.1, 0.1)

    assert probing.limits == [80, 40, 20, 10, 5, 10]


def test_limit_that_was_far_beyond_the_knee_moves_to_it() -> None:
    assert gradient(initial=160).go(0.4, 0.2, 0.1, 0.1).limits[-1] == 40


@pytest.mark.parametrize(("latency", "limit"), [(0.069, 10), (0.071, 40)])
def test_calls_are_much_faster_below_seven_tenths(latency: float, limit: int) -> None:
    assert gradient().go(0.1, latency).limits[-1] == limit


def test_probe_does_not_go_below_the_minimum() -> None:
    probing = gradient(initial=10, minimum=4).go(1.0, 0.5, 0.2)

    assert probing.limits == [5, 4, 4]
    assert probing.go(0.2).limits[-1] == 5  # Steady again.


def test_limit_without_a_queue_grows_by_half_each_round_until_there_is_one() -> None:
    growing = gradient(initial=20).go(0.1, 0.1, 0.1, 0.1, 0.135)

    assert growing.limits == [10, 30, 45, 67, 50]


def test_growth_ends_at_the_maximum() -> None:
    assert gradient(initial=40, maximum=50).go(0.1, 0.1, 0.1).limits == [20, 50, 50]


@pytest.mark.parametrize("rounds", [10, 25])
def test_baseline_is_measured_anew_after_so_many_rounds(rounds: int) -> None:
    steady = gradient(probe_every=rounds).go(0.11, 0.1)
    knee = [0.1 * 1.05 * 42 / 41] * (rounds - 1)  # Where this limit rests.

    before = steady.go(*knee).tuner.limit
    at_last = steady.go(knee[0]).tuner.limit

    assert before > 30
    assert at_last == before // 2


def test_baseline_is_measured_anew_when_calls_are_much_faster_than_it() -> None:
    steady = rested()

    assert steady.go(0.069).limits[-1] == 20


def test_baseline_is_measured_anew_when_the_limit_has_halved_since() -> None:
    steady = rested().go(0.149, 0.149, 0.149)

    probed = steady.go(0.149).limits[-1]

    assert steady.limits[-4:-1] == [29, 21, 16]
    assert probed == 8


def test_baseline_is_measured_anew_when_the_limit_has_doubled_since() -> None:
    steady = rested().go(*[0.08] * 4)

    assert max(steady.limits) > 80
    assert steady.go(0.08).limits[-1] == int(max(steady.limits) / 2)


def test_baselines_that_differ_little_are_averaged() -> None:
    steady = gradient(probe_every=2).go(0.11, 0.1)
    resting = 0.1 * 1.05 * 40 / 39

    steady.go(resting, 0.13, 0.12)  # The baseline is 0.11 from now on.

    assert steady.go(0.11 * 1.05).limits[-4:] == [40, 20, 40, 41]


def test_dependency_that_became_much_slower_is_believed_at_the_next_probe() -> None:
    steady = gradient(probe_every=1).go(0.11, 0.1)

    limits = steady.go(0.2, 0.2).limits

    assert limits[-2:] == [20, 60]


# --- rounds


def test_limit_moves_once_a_round() -> None:
    steady = rested()
    ends = [steady.now + 0.105 + n * 0.001 for n in range(41)]

    limits = [steady.tuner.record(now, 0.105, 40, dropped=False) for now in ends]

    assert limits == [40] * 40 + [41]


def test_calls_that_end_at_the_same_moment_are_judged_together() -> None:
    steady = rested()
    steady.now += 2 * LATENCY

    for latency in (LATENCY, 2 * LATENCY):
        for _ in range(40):
            steady.tuner.record(steady.now, latency, 40, dropped=False)

    assert steady.begin() == int(40 * 1.05 / 1.5 + 1)


def test_round_of_a_small_limit_has_its_samples() -> None:
    tuner = Gradient2(initial=4, samples=25).tuner()
    tuner.record(0.0, 0.1, 1, dropped=False)

    limits = [tuner.record(1.0 + n, 0.1, 4, dropped=False) for n in range(27)]

    assert limits == [4] * 26 + [2]


def test_calls_that_began_under_another_limit_do_not_count() -> None:
    steady = rested()

    for _ in range(1000):
        steady.tuner.record(steady.now + 0.05, 5.0, 40, dropped=False)

    assert steady.tuner.limit == 40


def test_round_in_which_few_slots_were_used_says_nothing() -> None:
    steady = rested()

    assert steady.go(*[0.05] * 100, busy=0.49).tuner.limit == 40
    assert steady.go(0.15, busy=0.5).tuner.limit < 40


def test_probe_ends_whether_its_slots_are_used_or_not() -> None:
    assert gradient().go(0.11).go(0.1, busy=0.1).limits == [20, 40]


# --- drops


@pytest.mark.parametrize(("drops", "limit"), [(3, 40), (4, 36)])
def test_tenth_of_a_round_that_is_dropped_shrinks_the_limit_at_once(drops: int, limit: int) -> None:
    assert rested().drop(drops).tuner.limit == limit


def test_drops_below_a_tenth_do_not_spoil_a_round() -> None:
    steady = rested()

    steady.drop(3).go(0.21)

    assert steady.tuner.limit == 21


def test_drops_while_a_probe_runs_lower_what_it_goes_back_to_and_raise_nothing() -> None:
    probing = gradient().go(0.11).drop(2)
    during = probing.begin()

    after = probing.go(0.1).tuner.limit

    assert (during, after) == (20, 36)


def test_many_drops_while_a_probe_runs_lower_the_probe_itself() -> None:
    probing = gradient().go(0.11)

    for _ in range(10):
        probing.drop(2)

    assert probing.tuner.limit == int(40 * 0.9**10)


def test_after_an_outage_ten_calls_must_go_well_before_a_slot_comes_back() -> None:
    recovering = outage()

    assert trickle(recovering, "." * 9) == 1
    assert trickle(recovering, ".") == 2


def test_after_an_outage_each_call_gives_a_slot_back_to_half_of_what_it_was() -> None:
    recovering = outage()

    limits = [trickle(recovering, ".") for _ in range(29)]

    assert limits[8:] == [*range(1, 21), 20]


def test_after_an_outage_the_second_half_grows_by_rounds() -> None:
    recovering = outage()
    trickle(recovering, "." * 28)
    recovering.begin()

    assert recovering.go(0.1, 0.121).limits[-2:] == [30, 24]


def test_after_an_outage_half_of_what_was_last_found_comes_back() -> None:
    grown = gradient(initial=20).go(0.1, 0.1, 0.1, 0.1, 0.135)
    at_its_best = grown.tuner.limit
    while grown.tuner.limit > 1:
        grown.drop(10)

    assert at_its_best == 50
    assert trickle(grown, "." * 40) == 25


def test_outage_that_is_not_over_gives_no_slot_back() -> None:
    recovering = Rounds(Gradient2(initial=40).tuner(), size=50).go(0.11, 0.1)
    while recovering.tuner.limit > 1:
        recovering.drop(5)

    assert {trickle(recovering, outcome) for outcome in "....D" * 20} == {1}


def test_slots_that_nobody_uses_do_not_come_back() -> None:
    recovering = outage()
    trickle(recovering, "." * 14)
    before = recovering.tuner.limit

    for _ in range(20):
        recovering.now += LATENCY
        recovering.tuner.record(recovering.now, LATENCY, 1, dropped=False)

    assert recovering.tuner.limit <= 2 * before


def test_small_setback_is_no_outage() -> None:
    setback = rested().drop(4).drop(4)

    assert trickle(setback, "." * 20) == 32


# --- what the algorithms do with a slowdown


@pytest.mark.parametrize(
    ("slowdown", "limit"),
    [(0.99, 43.4), (1.05, 41.0), (1.05 * 40 / 39, 40.0), (1.4, 31.0), (5.0, 21.0), (0.701, 49.0)],
)
def test_gradient_aims_at_its_tolerance_and_a_little_queue(slowdown: float, limit: float) -> None:
    steady = rested()

    steady.go(LATENCY * slowdown)

    assert steady.tuner.limit == int(limit)


@pytest.mark.parametrize("smoothing", [0.2, 1.0])
def test_smoothing_is_the_weight_of_the_newest_round(smoothing: float) -> None:
    steady = Rounds(Gradient2(initial=100, samples=10, smoothing=smoothing).tuner())
    steady.go(0.11, 0.1)

    steady.go(0.21)

    assert steady.tuner.limit == int(100 - smoothing * (100 - 51) + 1e-6)


@pytest.mark.parametrize(
    ("queued", "step"),
    [
        (-10.0, 6),
        (0.0, 6),
        (1.9, 6),
        (2.1, 1),
        (3.9, 1),
        (4.1, 0),
        (11.9, 0),
        (12.1, -1),
        (60.0, -1),
    ],
)
def test_vegas_steps_by_the_calls_that_queue(queued: float, step: int) -> None:
    steady = Rounds(Vegas(initial=100, samples=10, alpha=2.0, beta=6.0).tuner())
    steady.go(0.11, 0.1)

    steady.go(0.1 / (1 - queued / 100))

    assert steady.tuner.limit == int(100 + step * log10(100))


def test_vegas_steps_by_a_whole_slot_at_least() -> None:
    steady = Rounds(Vegas(initial=5, samples=10, alpha=1.2, beta=2.0).tuner())
    steady.go(0.11, 0.1)

    shrunk = steady.go(0.1 / (1 - 2.1 / 5)).tuner.limit
    grown = steady.go(0.1 / (1 - 1.1 / 4)).tuner.limit

    assert (shrunk, grown) == (4, 5)
