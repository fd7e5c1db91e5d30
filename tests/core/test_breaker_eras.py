from itertools import product

import pytest
from tests.core.driving import Driven

from uat_resilience._core.breaker import BreakerState, Move, Probe, Refusal, Transition
from uat_resilience._core.trip import ConsecutiveFailures, FailureRate
from uat_resilience._core.window import TimeWindow

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


def test_a_storm_of_failures_opens_once() -> None:
    it = Driven(ConsecutiveFailures(5))
    tickets = [it.begin() for _ in range(100)]

    for ticket in tickets:
        it.fail(ticket)

    assert it.told == [Transition(CLOSED, OPEN, at=0.0, generation=1, times_opened=1)]


def test_a_failure_that_comes_late_does_not_prolong_an_opening() -> None:
    it = Driven(ConsecutiveFailures(1), open_for=30.0)
    slow = it.begin()
    it.fail()

    it.wait(10.0)
    it.fail(slow)

    assert it.refusal() == Refusal(OPEN, 20.0)
    assert it.machine.era.judge.failures == 1


@pytest.mark.parametrize("outcome", ["succeed", "fail"])
def test_a_call_from_before_an_opening_says_nothing_about_the_probe(outcome: str) -> None:
    it = Driven(ConsecutiveFailures(2))
    slow = it.begin()
    it.half_open()
    era = it.machine.era

    getattr(it, outcome)(slow)

    assert it.machine.era is era
    assert it.machine.probing == 1


def test_a_call_from_before_an_opening_does_not_fill_the_window_after_it() -> None:
    it = Driven(FailureRate(1.0, window=TimeWindow(60.0), minimum_calls=2))
    slow = [it.begin() for _ in range(10)]
    it.succeed(it.half_open())

    for ticket in slow:
        it.fail(ticket)

    assert it.state is CLOSED
    assert (it.machine.era.judge.calls, it.machine.era.judge.failures) == (0, 0)


def test_a_call_from_before_a_reset_does_not_fill_the_window_after_it() -> None:
    it = Driven(ConsecutiveFailures(1))
    slow = it.begin()

    it.force(Move.RESET)
    it.fail(slow)

    assert it.state is CLOSED


@pytest.mark.parametrize("outcome", ["succeed", "fail", "abandon"])
def test_a_probe_of_an_earlier_round_changes_nothing(outcome: str) -> None:
    it = Driven(probes=2)
    stale, other = it.half_open(), it.begin()
    it.fail(other)
    it.wait(30.0)
    it.begin()
    era = it.machine.era

    getattr(it, outcome)(stale)

    assert it.machine.era is era
    assert it.machine.probing == 1


@pytest.mark.parametrize("rounds", list(product("SE", repeat=3)), ids="".join)
def test_whatever_the_earlier_rounds_were_only_the_present_probe_counts(
    rounds: tuple[str, ...],
) -> None:
    it = Driven(ConsecutiveFailures(2))
    stale = []

    for outcome in rounds:
        probe = it.half_open()
        (it.succeed if outcome == "S" else it.fail)(probe)
        stale.append(probe)
    present = it.half_open()
    for probe in stale:
        it.fail(probe)
        it.succeed(probe)

    assert it.state is HALF_OPEN
    it.succeed(present)
    assert it.state is CLOSED


# --- clocks


@pytest.mark.parametrize("late", [0.0, 0.125, 1.0])
def test_a_caller_that_read_the_clock_before_it_opened_is_refused_all_the_same(late: float) -> None:
    it = Driven(open_for=30.0)
    it.wait(100.0)
    it.open()

    answer = it.ask(late=late)

    assert answer == Refusal(OPEN, 30.0 + late)
    assert it.machine.era.refusal(it.now - late) == answer
    assert it.machine.retry_after(it.now - late) == 30.0 + late


@pytest.mark.parametrize("back", [1.125, 100.0, 1e9])
def test_a_clock_with_an_earlier_epoch_ends_an_opening(back: float) -> None:
    it = Driven(open_for=30.0)
    it.wait(100.0)
    it.open()

    it.wait(-back)

    assert it.retry_after() is None
    assert isinstance(it.begin(), Probe)
    assert it.state is HALF_OPEN


@pytest.mark.parametrize("back", [1.125, 100.0, 1e9])
def test_a_clock_with_an_earlier_epoch_ends_a_lease(back: float) -> None:
    it = Driven(open_for=30.0)
    it.half_open()

    it.wait(-back)

    assert it.retry_after() is None
    assert isinstance(it.begin(), Probe)


def test_a_clock_far_ahead_ends_an_opening_and_a_lease() -> None:
    it = Driven()
    it.half_open()

    it.wait(1e12)

    assert isinstance(it.begin(), Probe)


def test_a_thread_that_comes_late_with_its_outcome_erases_no_window() -> None:
    it = Driven(FailureRate(1.0, window=TimeWindow(10.0), minimum_calls=4))
    it.wait(100.0)
    for _ in range(3):
        it.fail()

    moved = it.machine.record(it.begin(), 1, 0.0, it.now - 0.125)

    assert moved == Transition(CLOSED, OPEN, at=99.875, generation=1, times_opened=1)
