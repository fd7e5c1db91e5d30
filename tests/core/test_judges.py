"""A rule that is replaced while calls are judged: what counts alike keeps its counts."""

import pytest
from tests.core.driving import Driven

from uat_resilience._core.breaker import BreakerState
from uat_resilience._core.judges import Judge, adopted
from uat_resilience._core.trip import ConsecutiveFailures, FailureRate, SlowRate, TripRule
from uat_resilience._core.window import CountWindow

TEN, TWENTY = CountWindow(10), CountWindow(20)

STREAK = ConsecutiveFailures(9)
FAILURES = FailureRate(0.9, window=TEN, minimum_calls=9)
SLOW = SlowRate(0.9, slower_than=9.0, window=TEN, minimum_calls=9)

TWO_IN_A_ROW = ConsecutiveFailures(2)
TWO_OF_THREE = FailureRate(0.6, window=TEN, minimum_calls=3)
ONE_OF_THREE_SLOW = SlowRate(0.3, slower_than=1.0, window=TEN, minimum_calls=3)


class Own(Judge):
    """A judge of a rule that a user wrote."""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (STREAK, TWO_IN_A_ROW),
        (FAILURES, TWO_OF_THREE),
        (SLOW, ONE_OF_THREE_SLOW),
        (STREAK | FAILURES, TWO_IN_A_ROW | FAILURES),
        (STREAK | FAILURES, STREAK | TWO_OF_THREE),
    ],
    ids=repr,
)
def test_judge_that_counts_alike_keeps_its_counts_under_the_new_limits(
    old: TripRule, new: TripRule
) -> None:
    judge = old.judge()
    for failed in (0, 1):
        judge.record(0.0, failed, 5.0)

    assert adopted(judge, new.judge())
    assert judge.record(0.0, 1, 5.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (STREAK, FAILURES),
        (FAILURES, STREAK),
        (FAILURES, SLOW),
        (SLOW, FAILURES),
        (FAILURES, FailureRate(0.9, window=TWENTY, minimum_calls=9)),
        (SLOW, SlowRate(0.9, slower_than=9.0, window=TWENTY, minimum_calls=9)),
        (STREAK, STREAK | FAILURES),
        (STREAK | FAILURES, STREAK),
        (STREAK | FAILURES, STREAK | SLOW),
        (STREAK | FAILURES, SLOW | FAILURES),
    ],
    ids=repr,
)
def test_judge_that_counts_otherwise_is_to_be_replaced(old: TripRule, new: TripRule) -> None:
    assert not adopted(old.judge(), new.judge())


def test_judge_of_an_own_rule_is_to_be_replaced() -> None:
    assert not adopted(Own(), STREAK.judge())


def test_calls_that_were_judged_count_under_a_new_rule_that_counts_alike() -> None:
    it = Driven(STREAK)
    it.fail()

    it.machine.retrip(TWO_IN_A_ROW)
    it.fail()

    assert it.state is BreakerState.OPEN


def test_calls_are_judged_afresh_by_a_new_rule_that_counts_otherwise() -> None:
    it = Driven(STREAK)
    it.fail()

    it.machine.retrip(TWO_OF_THREE)
    calls = it.machine.era.judge.calls
    for _ in range(3):
        it.fail()

    assert (calls, it.state) == (0, BreakerState.OPEN)


def test_judge_that_tripped_stays_readable_until_calls_are_judged_by_the_new_rule() -> None:
    it = Driven(ConsecutiveFailures(2)).open()

    it.machine.retrip(TWO_OF_THREE)
    while_open = it.machine.era.judge.failures
    it.succeed(it.half_open())

    assert while_open == 2
    assert it.machine.era.judge.calls == 0
