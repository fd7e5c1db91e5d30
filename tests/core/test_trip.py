from collections.abc import Callable
from math import inf, nan

import pytest
from tests.core.wording import exactly

from uat_resilience._core.trip import ConsecutiveFailures, Either, FailureRate, SlowRate, TripRule
from uat_resilience._core.window import CountWindow, TimeWindow

TICK = 0.001


def verdicts(rule: TripRule, *stretches: tuple[float, str], elapsed: float = 0.0) -> str:
    """Record one call for each sign (- failed, + succeeded) and answer "." or "!" (open) for each."""
    judge = rule.judge()
    return "".join(
        "!" if judge.record(at, int(outcome == "-"), elapsed) else "."
        for at, outcomes in stretches
        for outcome in outcomes
    )


# --- failures in a row


@pytest.mark.parametrize(
    ("count", "outcomes", "answers"),
    [
        (1, "+-", ".!"),
        (2, "-+-", "..."),
        (2, "--", ".!"),
        (3, "----", "..!!"),
        (3, "----+---", "..!!...!"),
        (3, "--+--+--+", "........."),
    ],
)
def test_failures_in_a_row_open_and_one_success_starts_again(
    count: int, outcomes: str, answers: str
) -> None:
    assert verdicts(ConsecutiveFailures(count), (0.0, outcomes)) == answers


def test_a_streak_does_not_age() -> None:
    assert verdicts(ConsecutiveFailures(2), (0.0, "-"), (1e9, "-")) == ".!"


def test_five_failures_in_a_row_are_the_default() -> None:
    assert verdicts(ConsecutiveFailures(), (0.0, "-----")) == "....!"


def test_a_streak_is_quiet_until_there_is_a_failure_to_forget() -> None:
    judge = ConsecutiveFailures(3).judge()
    quiet = [judge.quiet]

    for failed in (0, 1, 0):
        judge.record(0.0, failed, 0.0)
        quiet.append(judge.quiet)

    assert quiet == [True, True, False, True]


def test_a_streak_counts_failures_and_nothing_else() -> None:
    judge = ConsecutiveFailures(5).judge()
    for failed in (0, 1, 1):
        judge.record(0.0, failed, 60.0)

    judge.forget(1e9)

    assert (judge.calls, judge.failures, judge.slow) == (None, 2, 0)


# --- the share of failures

TEN_SECONDS = FailureRate(0.5, window=TimeWindow(10.0, buckets=10), minimum_calls=4)


@pytest.mark.parametrize(
    ("calls", "failures", "opens"),
    [(10, 0, False), (10, 1, True), (10, 2, True), (11, 2, True), (9, 1, False)],
)
def test_the_rate_is_judged_from_the_minimum_of_calls_and_reached_when_equal(
    *, calls: int, failures: int, opens: bool
) -> None:
    rule = FailureRate(0.1, window=TimeWindow(10.0), minimum_calls=10)

    answers = verdicts(rule, (0.0, "+" * (calls - failures) + "-" * failures))

    assert answers.endswith("!") is opens


@pytest.mark.parametrize(
    ("stretches", "answers"),
    [
        pytest.param([(0, "----")], "...!", id="all fail in one bucket"),
        pytest.param([(0, "---"), (6, "-")], "...!", id="all fail in two buckets of one window"),
        pytest.param([(0, "+---")], "...!", id="most fail"),
        pytest.param([(0, "++--")], "...!", id="exactly half fail"),
        pytest.param([(0, "--++")], "...!", id="a success completes the minimum and decides"),
        pytest.param([(0, "+++-")], "....", id="a quarter fails"),
        pytest.param([(0, "++-"), (20, "-")], "....", id="forgotten in a long silence"),
        pytest.param([(0, "---"), (10, "-")], "....", id="forgotten after exactly the width"),
        pytest.param([(0, "---"), (10 - TICK, "-")], "...!", id="remembered a tick before"),
        pytest.param(
            [(0, "+"), (10 - TICK, "++-"), (10, "-")], "....!", id="the first has rolled away"
        ),
        pytest.param(
            [(0, "+"), (1, "--+"), (10, "-")], "...!!", id="what is left is mostly failures"
        ),
    ],
)
def test_the_rate_of_a_rolling_window(stretches: list[tuple[float, str]], answers: str) -> None:
    assert verdicts(TEN_SECONDS, *stretches) == answers


def test_a_window_of_one_bucket_forgets_everything_at_once() -> None:
    rule = FailureRate(0.5, window=TimeWindow(10.0, buckets=1), minimum_calls=4)

    assert verdicts(rule, (0, "+"), (10 - TICK, "++-"), (10, "-")) == "....."


@pytest.mark.parametrize(
    ("outcomes", "opens_at"),
    [
        pytest.param("-" * 49, None, id="one short of the minimum"),
        pytest.param("+" * 25 + "-" * 25, 50, id="exactly at both"),
        pytest.param("+" * 26 + "-" * 25, None, id="just below the rate"),
        pytest.param("+" * 24 + "-" * 26, 50, id="above the rate, waits for the minimum"),
        pytest.param("+" * 60 + "-" * 60, 110, id="pushes the early successes out"),
    ],
)
def test_the_rate_of_the_last_hundred_calls(outcomes: str, opens_at: int | None) -> None:
    rule = FailureRate(0.5, window=CountWindow(100), minimum_calls=50)

    answers = verdicts(rule, (0.0, outcomes))

    assert answers.find("!") + 1 == (opens_at or 0)


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_threshold_in_percent_is_reached_by_that_many_calls_of_a_hundred(percent: int) -> None:
    rule = FailureRate(percent / 100, window=CountWindow(100), minimum_calls=100)

    just_below = verdicts(rule, (0.0, "-" * (percent - 1) + "+" * (101 - percent)))
    reached = verdicts(rule, (0.0, "-" * percent + "+" * (100 - percent)))

    assert just_below[-1] == "."
    assert reached[-1] == "!"


def test_a_minimum_above_the_count_window_means_its_size() -> None:
    rule = FailureRate(1.0, window=CountWindow(3), minimum_calls=10)

    assert verdicts(rule, (0.0, "---")) == "..!"


def test_defaults_of_the_failure_rate() -> None:
    expected = FailureRate(0.5, window=TimeWindow(60.0, buckets=10), minimum_calls=10)

    assert FailureRate() == expected
    assert verdicts(FailureRate(), (0.0, "+++++----"), (59.0, "-")) == ".........!"


def test_a_rate_counts_calls_and_failures_and_forgets_them_on_reading() -> None:
    judge = TEN_SECONDS.judge()
    for failed in (0, 1, 1):
        judge.record(0.0, failed, 60.0)
    before = (judge.calls, judge.failures, judge.slow)

    judge.forget(10.0)

    assert before == (3, 2, 0)
    assert (judge.calls, judge.failures, judge.slow) == (0, 0, 0)


@pytest.mark.parametrize("rule", [TEN_SECONDS, SlowRate(slower_than=1.0)], ids=["failures", "slow"])
def test_a_rate_is_never_quiet_because_a_success_changes_it(rule: TripRule) -> None:
    assert rule.judge().quiet is False


# --- the share of slow calls


@pytest.mark.parametrize(
    ("elapsed", "answers"), [(1.9375, "...."), (2.0, "...!"), (2.0625, "...!"), (3600.0, "...!")]
)
def test_a_call_is_slow_from_the_limit_on(elapsed: float, answers: str) -> None:
    rule = SlowRate(0.5, slower_than=2.0, window=CountWindow(10), minimum_calls=4)

    assert verdicts(rule, (0.0, "++++"), elapsed=elapsed) == answers


def test_one_slow_call_is_not_enough_where_half_must_be_slow() -> None:
    judge = SlowRate(0.5, slower_than=2.0, window=CountWindow(10), minimum_calls=4).judge()

    opened = [judge.record(0.0, 0, elapsed) for elapsed in (2.0, 0.0, 0.0, 0.0, 0.0, 0.0)]

    assert opened == [False] * 6


def test_slow_failures_are_slow_and_fast_failures_are_not() -> None:
    rule = SlowRate(0.5, slower_than=2.0, window=CountWindow(10), minimum_calls=4)

    assert verdicts(rule, (0.0, "----"), elapsed=2.0) == "...!"
    assert verdicts(rule, (0.0, "----"), elapsed=0.0) == "...."


def test_a_slow_rate_counts_calls_failures_and_slow_calls() -> None:
    judge = SlowRate(0.75, slower_than=2.0, window=CountWindow(10), minimum_calls=4).judge()

    opened = [
        judge.record(0.0, failed, elapsed)
        for failed, elapsed in [(0, 0.5), (1, 2.0), (0, 3.0), (0, 4.0)]
    ]

    assert opened == [False, False, False, True]
    assert (judge.calls, judge.failures, judge.slow) == (4, 1, 3)


def test_slow_calls_are_forgotten_as_failures_are() -> None:
    rule = SlowRate(0.5, slower_than=2.0, window=TimeWindow(10.0), minimum_calls=2)

    assert verdicts(rule, (0.0, "+"), (10.0, "+"), (11.0, "+"), elapsed=2.0) == "..!"


def test_defaults_of_the_slow_rate() -> None:
    expected = SlowRate(0.5, slower_than=2.0, window=TimeWindow(60.0, buckets=10), minimum_calls=10)

    assert SlowRate(slower_than=2.0) == expected
    assert (
        verdicts(SlowRate(slower_than=2.0), (0.0, "+" * 9), (59.0, "+"), elapsed=2.0)
        == "." * 9 + "!"
    )


# --- two rules


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("outcomes", "opens"), [("---", True), ("--+--+", True), ("--++", False)])
def test_either_of_two_rules_opens(*, outcomes: str, opens: bool, swapped: bool) -> None:
    in_a_row = ConsecutiveFailures(3)
    rate = FailureRate(0.6, window=CountWindow(10), minimum_calls=5)
    rule = rate | in_a_row if swapped else in_a_row | rate

    assert ("!" in verdicts(rule, (0.0, outcomes))) is opens


def test_both_rules_see_every_call() -> None:
    rule = ConsecutiveFailures(2) | ConsecutiveFailures(3)
    judge = rule.judge()

    opened = [judge.record(0.0, 1, 0.0) for _ in range(3)]

    assert opened == [False, True, True]
    assert judge.failures == 3


def test_three_rules_are_two_rules_twice() -> None:
    slow = SlowRate(1.0, slower_than=1.0, window=CountWindow(4), minimum_calls=4)
    rate = FailureRate(1.0, window=CountWindow(3), minimum_calls=3)

    rule = ConsecutiveFailures(9) | rate | slow

    assert verdicts(rule, (0.0, "---")) == "..!"
    assert verdicts(rule, (0.0, "++++"), elapsed=1.0) == "...!"


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (ConsecutiveFailures(), None),
        (FailureRate(), None),
        (SlowRate(slower_than=2.0), 2.0),
        (ConsecutiveFailures() | FailureRate(), None),
        (ConsecutiveFailures() | SlowRate(slower_than=2.0), 2.0),
        (SlowRate(slower_than=2.0) | ConsecutiveFailures(), 2.0),
        (SlowRate(slower_than=2.0) | SlowRate(slower_than=3.0), 2.0),
        (SlowRate(slower_than=3.0) | SlowRate(slower_than=2.0), 2.0),
    ],
)
def test_the_smallest_limit_says_from_when_a_call_is_slow(
    rule: TripRule, limit: float | None
) -> None:
    assert rule.slower_than == limit


def test_two_rules_are_quiet_when_both_are() -> None:
    streaks = (ConsecutiveFailures(2) | ConsecutiveFailures(3)).judge()
    with_a_rate = [
        (ConsecutiveFailures(2) | FailureRate()).judge(),
        (FailureRate() | ConsecutiveFailures(2)).judge(),
    ]

    assert streaks.quiet is True
    assert [judge.quiet for judge in with_a_rate] == [False, False]


def test_of_two_rules_the_larger_counts_are_shown() -> None:
    few = FailureRate(1.0, window=CountWindow(2), minimum_calls=9)
    many = SlowRate(1.0, slower_than=1.0, window=CountWindow(4), minimum_calls=9)
    judges = [(few | many).judge(), (many | few).judge()]

    for judge in judges:
        for elapsed in (1.0, 0.0, 1.0):
            judge.record(0.0, 1, elapsed)

    assert [(judge.calls, judge.failures, judge.slow) for judge in judges] == [(3, 3, 2)] * 2


@pytest.mark.parametrize(
    ("rule", "calls"),
    [
        (ConsecutiveFailures(5) | FailureRate(), 1),
        (FailureRate() | ConsecutiveFailures(5), 1),
        (ConsecutiveFailures(5) | ConsecutiveFailures(6), None),
    ],
)
def test_calls_are_counted_when_one_rule_counts_them(rule: TripRule, calls: int | None) -> None:
    judge = rule.judge()

    judge.record(0.0, 0, 0.0)

    assert judge.calls == calls


def test_both_rules_forget() -> None:
    slow = SlowRate(1.0, slower_than=1.0, window=TimeWindow(5.0), minimum_calls=9)
    judges = [(TEN_SECONDS | slow).judge(), (slow | TEN_SECONDS).judge()]
    for judge in judges:
        judge.record(0.0, 1, 1.0)

    for judge in judges:
        judge.forget(10.0)

    assert [(judge.calls, judge.failures, judge.slow) for judge in judges] == [(0, 0, 0)] * 2


# --- arguments


@pytest.mark.parametrize("count", [0, -1, 2.5, True, "5"])
def test_a_streak_needs_a_count(count: object) -> None:
    expected = f"count must be a whole number of at least 1, not {count!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        ConsecutiveFailures(count)


def slow_rate(threshold: object = 0.5, **settings: object) -> SlowRate:
    return SlowRate(threshold, **{"slower_than": 1.0, **settings})


@pytest.mark.parametrize("make", [FailureRate, slow_rate])
@pytest.mark.parametrize("threshold", [0, -0.1, 1.01, 50, nan, inf, True, "0.5", None])
def test_a_rate_needs_a_fraction_as_its_threshold(
    make: Callable[..., TripRule], threshold: object
) -> None:
    expected = f"threshold must be a fraction above 0 and at most 1, not {threshold!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        make(threshold)


@pytest.mark.parametrize("make", [FailureRate, slow_rate])
@pytest.mark.parametrize("minimum_calls", [0, -1, 2.5, True])
def test_a_rate_needs_a_minimum_of_calls(
    make: Callable[..., TripRule], minimum_calls: object
) -> None:
    expected = f"minimum_calls must be a whole number of at least 1, not {minimum_calls!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        make(0.5, minimum_calls=minimum_calls)


@pytest.mark.parametrize("make", [FailureRate, slow_rate])
@pytest.mark.parametrize("window", [60.0, None, "60", 100])
def test_a_rate_needs_a_window(make: Callable[..., TripRule], window: object) -> None:
    expected = f"window must be a TimeWindow or a CountWindow, not {window!r}"

    with pytest.raises(TypeError, match=exactly(expected)):
        make(0.5, window=window)


@pytest.mark.parametrize("slower_than", [0, -1.0, nan, inf, True, "2", None])
def test_slow_needs_a_duration(slower_than: object) -> None:
    expected = f"slower_than must be a finite number of seconds above 0, not {slower_than!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        SlowRate(0.5, slower_than=slower_than)


@pytest.mark.parametrize("other", [5, None, 0.5, CountWindow(5)], ids=repr)
def test_only_trip_rules_can_be_joined(other: object) -> None:
    expected = f"right must be a trip rule, not {other!r}"

    with pytest.raises(TypeError, match=exactly(expected)):
        ConsecutiveFailures(5) | other


def test_the_left_rule_is_named_as_well() -> None:
    with pytest.raises(TypeError, match=exactly("left must be a trip rule, not 5")):
        Either(5, ConsecutiveFailures(5))


def test_rules_are_values() -> None:
    rules = [
        FailureRate(0.5),
        ConsecutiveFailures(5),
        slow_rate(),
        FailureRate() | ConsecutiveFailures(),
    ]
    again = [
        FailureRate(0.5),
        ConsecutiveFailures(5),
        slow_rate(),
        FailureRate() | ConsecutiveFailures(),
    ]

    assert rules == again
    assert len({*rules, *again}) == 4


def test_two_judges_of_one_rule_share_nothing() -> None:
    rule = TEN_SECONDS | ConsecutiveFailures(2)
    first, second = rule.judge(), rule.judge()

    first.record(0.0, 1, 0.0)

    assert first.failures == 1
    assert second.failures == 0
