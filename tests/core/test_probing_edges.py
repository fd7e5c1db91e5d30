"""Where the search for the knee parts its ways: numbers that lie exactly on an edge.

The baseline is 1 s and rounds are of one to four calls, whose mean is exact. A limit is searched for from 2 or 4.
"""

import pytest
from tests.core.told import LATENCY, Rounds, gradient, outage, rested, trickle

from uat_resilience._core.gradient import Gradient2
from uat_resilience._core.vegas import Vegas

FASTER = 0.7  # Of what was seen before: no longer the same.


def exact(initial: int, *, probe_every: int = 50) -> Rounds:
    setting = Gradient2(initial=initial, samples=1, smoothing=1.0, probe_every=probe_every)
    return Rounds(setting.tuner(), size=1)


# --- probes


def test_calls_that_take_three_hundredths_longer_are_no_queue_yet() -> None:
    assert exact(2).go(1.03, 1.0).limits == [1, 3]


def test_calls_of_exactly_seven_tenths_end_the_probe_and_move_the_limit_to_the_knee() -> None:
    assert exact(4).go(1.0, FASTER).limits == [2, 2]


def test_limit_at_twice_the_knee_moves_to_it() -> None:
    assert exact(4).go(2.0, 1.0, 1.0).limits == [2, 1, 2]


def test_calls_of_exactly_seven_tenths_leave_the_baseline_alone() -> None:
    assert exact(2).go(1.1, 1.0, FASTER).limits == [1, 2, 3]


@pytest.mark.parametrize(
    ("unprobed", "probed", "limit"),
    [
        (
            0.75,
            FASTER,
            3,
        ),  # Beside a baseline of 0.85 there is no queue; beside one of 0.7 there would be.
        (1.45, 1 / FASTER, 2),  # The other way round: 1.21, and not 1.43.
    ],
)
def test_baselines_that_are_just_near_enough_are_averaged(
    unprobed: float, probed: float, limit: int
) -> None:
    assert exact(2, probe_every=1).go(1.1, 1.0, unprobed, probed).limits == [1, 2, 1, limit]


def test_baseline_is_believed_until_the_limit_has_more_than_doubled() -> None:
    steady = Rounds(Vegas(initial=2, samples=1).tuner(), size=1)

    assert steady.go(1.1, 1.0, 1.0, 1.0, 1.0).limits == [1, 2, 4, 6, 3]


# --- drops


@pytest.mark.parametrize(("backoff", "shrunk", "steady"), [(0.9, 36, 35), (0.5, 20, 20)])
def test_limit_that_drops_have_not_cost_more_than_half_goes_on_steadily(
    backoff: float, shrunk: int, steady: int
) -> None:
    setback = Rounds(Gradient2(initial=40, samples=10, smoothing=1.0, backoff=backoff).tuner())
    setback.go(0.11, 0.1).drop(4)
    setback.begin()

    assert setback.go(0.11).limits[-2:] == [shrunk, steady]


def test_limit_that_drops_have_cost_a_little_more_than_half_recovers() -> None:
    recovering = rested()
    for _ in range(7):
        recovering.drop(4)

    assert recovering.tuner.limit == 19
    assert trickle(recovering, "." * 10) == 20


def test_refusals_that_take_no_time_are_judged_by_the_limit_they_met() -> None:
    steady = rested()
    steady.now += LATENCY

    limits = [steady.tuner.record(steady.now, 0.0, 40, dropped=True) for _ in range(8)]

    assert limits == [40] * 3 + [36] * 4 + [32]


def test_outage_of_which_every_tenth_call_still_tells_is_not_over() -> None:
    recovering = Rounds(Gradient2(initial=40).tuner(), size=50).go(0.11, 0.1)
    while recovering.tuner.limit > 1:
        recovering.drop(5)

    assert trickle(recovering, "D" + "." * 10) == 1
    assert trickle(recovering, ".") == 2


def test_slots_come_back_while_half_of_them_are_used() -> None:
    recovering = outage()

    for _ in range(40):
        recovering.now += LATENCY
        recovering.tuner.record(recovering.now, LATENCY, 4, dropped=False)

    assert recovering.tuner.limit == 2 * 4 + 1


# --- what Vegas does with a queue


@pytest.mark.parametrize(
    ("initial", "alpha", "beta", "limit"),
    [
        (2, 1.0, 2.0, 4),  # One call queues, which is a step: hurry.
        (4, 2.0, 3.0, 4),  # Two calls queue, which are two steps: enough to rest.
        (4, 1.0, 2.0, 4),  # And not too many.
    ],
)
def test_vegas_at_the_edge_between_two_steps(
    initial: int, alpha: float, beta: float, limit: int
) -> None:
    setting = Vegas(initial=initial, samples=1, alpha=alpha, beta=beta)

    steady = Rounds(setting.tuner(), size=1).go(1.1, 1.0, 2.0)

    assert steady.limits == [initial // 2, initial, limit]


# --- other bounds


@pytest.mark.parametrize(
    ("minimum", "maximum", "limit"), [(None, None, 40), (50, 60, 50), (10, 30, 30), (None, 40, 40)]
)
def test_limit_moves_inside_of_other_bounds(
    minimum: int | None, maximum: int | None, limit: int
) -> None:
    assert rested().tuner.bound(minimum, maximum) == limit


def test_probe_goes_back_to_a_limit_inside_of_other_bounds() -> None:
    probing = gradient().go(0.11)

    during = probing.tuner.bound(10, 30)
    after = probing.go(0.1).tuner.limit

    assert (during, after) == (20, 30)


def test_after_an_outage_half_of_what_another_maximum_has_left_comes_back() -> None:
    recovering = outage()

    recovering.tuner.bound(None, 20)

    assert trickle(recovering, "." * 20) == 10


def test_calls_that_began_under_other_bounds_do_not_count() -> None:
    steady = rested()
    steady.now += 10 * LATENCY
    steady.tuner.bound(None, 30)

    for _ in range(100):
        steady.now += LATENCY / 100
        steady.tuner.record(steady.now, 5 * LATENCY, 30, dropped=False)

    assert steady.tuner.limit == 30
