from math import inf

import pytest
from tests.core.driving import Driven

from uat_resilience._core import transitions
from uat_resilience._core.breaker import BreakerState, Move, Refusal, Transition
from uat_resilience._core.transitions import TRANSITIONS
from uat_resilience._core.trip import ConsecutiveFailures, FailureRate
from uat_resilience._core.window import CountWindow, TimeWindow

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN
ANY_STATE = "any"


def test_the_transitions_are_those_that_its_text_lists() -> None:
    table = (
        (transitions.__doc__ or "").split("state         move            next")[1].split("\n\n")[0]
    )
    rows = [line.split()[:3] for line in table.splitlines()[1:]]

    listed = {
        (state, Move[move]): BreakerState[new]
        for name, move, new in rows
        for state in (BreakerState if name == ANY_STATE else [BreakerState[name]])
    }

    assert len(rows) == 7
    assert listed == TRANSITIONS


def test_a_new_breaker_is_closed_and_knows_of_nothing() -> None:
    it = Driven()

    era = it.machine.era

    assert (era.state, era.generation, era.admits) == (CLOSED, 0, True)
    assert (era.since, era.until) == (-inf, inf)
    assert (era.judge.failures, it.machine.times_opened, it.machine.probing) == (0, 0, 0)
    assert it.retry_after() is None


def test_closed_it_lets_every_call_in_with_its_era_as_the_ticket() -> None:
    it = Driven()

    tickets = [it.begin() for _ in range(3)]

    assert tickets == [it.machine.era] * 3
    assert it.told == []


def test_it_opens_at_the_call_that_breaks_the_rule() -> None:
    it = Driven(ConsecutiveFailures(2))
    it.wait(5.0)

    it.fail()
    before = it.state
    it.fail()

    assert before is CLOSED
    assert it.told == [Transition(CLOSED, OPEN, at=5.0, generation=1, times_opened=1)]
    assert it.machine.era.judge.failures == 2
    assert it.machine.era.admits is False


def test_a_success_in_between_keeps_it_closed() -> None:
    it = Driven(ConsecutiveFailures(2))

    for outcome in (it.fail, it.succeed, it.fail, it.succeed):
        outcome()

    assert it.state is CLOSED
    assert it.told == []


def test_a_success_that_completes_the_minimum_opens_it_too() -> None:
    it = Driven(FailureRate(0.5, window=CountWindow(4), minimum_calls=4))

    for outcome in (it.fail, it.fail, it.succeed, it.succeed):
        outcome()

    assert it.state is OPEN


def test_ten_failures_a_break_of_a_second_a_failed_probe_and_a_good_one() -> None:
    """The life of a breaker over a rate of a half, ten calls and ten seconds."""
    it = Driven(FailureRate(0.5, window=TimeWindow(10.0), minimum_calls=10), open_for=1.0)

    for _ in range(10):
        it.fail()
    assert it.refusal() == Refusal(OPEN, 1.0)

    it.wait(0.5)
    assert it.refusal() == Refusal(OPEN, 0.5)

    it.wait(0.5)
    it.fail()
    assert it.refusal() == Refusal(OPEN, 1.0)

    it.wait(1.0)
    it.succeed()
    assert [moved.new for moved in it.told] == [OPEN, HALF_OPEN, OPEN, HALF_OPEN, CLOSED]


@pytest.mark.parametrize(
    ("waited", "retry_after"), [(0.0, 30.0), (0.125, 29.875), (29.875, 0.125), (29.9999, 0.0001)]
)
def test_open_it_refuses_and_says_for_how_long(waited: float, retry_after: float) -> None:
    it = Driven(open_for=30.0).open()

    it.wait(waited)

    refusal = it.refusal()
    assert refusal.state is OPEN
    assert refusal.retry_after == pytest.approx(retry_after)
    assert it.retry_after() == refusal.retry_after
    assert it.machine.era.refusal(it.now) == refusal


def test_an_opening_begins_when_it_opened_and_not_before() -> None:
    it = Driven(open_for=30.0)
    it.wait(6.0)
    it.open()

    it.wait(24.0)
    after_thirty = it.refusal()
    it.wait(6.0)

    assert after_thirty.retry_after == 6.0
    assert it.begin() is not None
    assert it.state is HALF_OPEN


def test_an_opening_is_over_when_its_time_is_and_left_by_the_next_call() -> None:
    it = Driven(open_for=30.0).open()
    it.wait(30.0)
    idle = (it.state, it.retry_after(), it.machine.era.refusal(it.now))

    it.begin()

    assert idle == (OPEN, None, None)
    assert it.state is HALF_OPEN
    assert it.told[-1] == Transition(OPEN, HALF_OPEN, at=30.0, generation=2, times_opened=1)


def test_a_hundred_refusals_change_nothing() -> None:
    it = Driven().open()
    era = it.machine.era

    refusals = {it.refusal() for _ in range(100)}

    assert refusals == {Refusal(OPEN, 30.0)}
    assert it.machine.era is era
    assert it.opened == 1


def test_what_it_opened_for_stays_readable_until_calls_are_judged_again() -> None:
    it = Driven(ConsecutiveFailures(2))
    seen = []

    probe = it.half_open()
    seen.append(it.machine.era.judge.failures)
    it.fail(probe)
    seen.append(it.machine.era.judge.failures)
    it.wait(30.0)
    it.succeed()
    seen.append(it.machine.era.judge.failures)

    assert seen == [2, 2, 0]


def test_closed_again_it_needs_the_whole_streak_again() -> None:
    it = Driven(ConsecutiveFailures(2))
    it.succeed(it.half_open())

    it.fail()
    after_one = it.state
    it.fail()

    assert after_one is CLOSED
    assert it.state is OPEN


def test_openings_are_counted_since_it_was_last_closed() -> None:
    it = Driven()
    it.open()
    for _ in range(4):
        it.wait(30.0)
        it.fail()
    it.wait(30.0)
    it.succeed()
    closed = it.machine.times_opened
    it.open()
    it.wait(30.0)
    it.fail()

    counts = [moved.times_opened for moved in it.told if moved.new is OPEN]

    assert counts == [1, 2, 3, 4, 5, 1, 2]
    assert closed == 0
    assert [moved.times_opened for moved in it.told if moved.new is CLOSED] == [0]


def test_every_move_begins_a_new_generation() -> None:
    it = Driven()

    it.fail(it.half_open())
    it.wait(30.0)
    it.succeed()

    assert [moved.generation for moved in it.told] == [1, 2, 3, 4, 5]
    assert it.machine.era.generation == 5


def test_nothing_but_an_opening_ends_by_the_clock() -> None:
    it = Driven(open_for=30.0)
    eras = [it.open().machine.era]
    it.wait(30.0)

    probe = it.begin()
    eras.append(it.machine.era)
    it.wait(1.0)
    it.succeed(probe)
    eras.append(it.machine.era)

    assert [(era.state, era.since, era.until) for era in eras] == [
        (OPEN, 0.0, 30.0),
        (HALF_OPEN, 30.0, inf),
        (CLOSED, 31.0, inf),
    ]
    assert [moved.at for moved in it.told] == [0.0, 30.0, 31.0]


# --- the length of an opening, set afterwards


def test_an_opening_can_be_given_another_length() -> None:
    it = Driven(open_for=30.0)
    it.wait(2.0)
    it.open()

    it.machine.amend(it.told[-1].generation, 42.0)

    it.wait(1.0)
    assert it.refusal() == Refusal(OPEN, 41.0)
    assert it.machine.era.generation == 1


def test_lengths_that_grow_are_waited_for() -> None:
    it = Driven().open()
    it.machine.amend(it.told[-1].generation, 1.0)
    it.wait(1.0)
    it.fail()
    it.machine.amend(it.told[-1].generation, 2.0)

    it.wait(1.0)
    early = it.refusal()
    it.wait(1.0)
    it.succeed()

    assert early == Refusal(OPEN, 1.0)
    assert it.state is CLOSED


def test_an_opening_that_is_over_keeps_its_length() -> None:
    it = Driven(open_for=30.0).open()
    stale = it.told[-1].generation
    it.wait(30.0)
    it.fail()

    it.machine.amend(stale, 5.0)

    assert it.refusal() == Refusal(OPEN, 30.0)


@pytest.mark.parametrize("state", [HALF_OPEN, CLOSED])
def test_only_an_opening_has_a_length(state: BreakerState) -> None:
    it = Driven(open_for=30.0)
    probe = it.half_open()
    if state is CLOSED:
        it.succeed(probe)
    era = it.machine.era

    it.machine.amend(era.generation, 5.0)

    assert it.machine.era is era
    assert era.state is state


def test_probes_are_leased_for_as_long_as_this_opening_lasted() -> None:
    it = Driven(open_for=30.0).open()
    it.machine.amend(it.told[-1].generation, 8.0)
    it.wait(8.0)
    it.begin()

    assert it.refusal() == Refusal(HALF_OPEN, 8.0)


def test_an_opening_without_end_is_refused_for_ever() -> None:
    it = Driven(open_for=1.7e308)
    it.wait(1.7e308)
    it.open()

    refusal = it.refusal()

    assert refusal.retry_after == inf
