import pytest
from tests.core.driving import Driven

from uat_resilience._core.breaker import BreakerState, Move, Refusal, Transition
from uat_resilience._core.trip import ConsecutiveFailures

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN
FORCED_OPEN, FORCED_CLOSED = BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED
COMMANDS = {
    Move.FORCE_OPEN: FORCED_OPEN,
    Move.FORCE_CLOSED: FORCED_CLOSED,
    Move.RESET: CLOSED,
}


def driven_to(state: BreakerState) -> Driven:
    it = Driven(ConsecutiveFailures(2))
    if state in (OPEN, HALF_OPEN):
        it.open()
    if state is HALF_OPEN:
        it.wait(30.0)
        it.begin()
    if state is FORCED_OPEN:
        it.force(Move.FORCE_OPEN)
    if state is FORCED_CLOSED:
        it.force(Move.FORCE_CLOSED)
    assert it.state is state
    return it


@pytest.mark.parametrize("move", COMMANDS)
@pytest.mark.parametrize("state", BreakerState)
def test_an_operator_is_obeyed_in_every_state_and_the_change_is_told_once(
    state: BreakerState, move: Move
) -> None:
    it = driven_to(state)
    it.wait(1.0)
    era = it.machine.era

    moved = it.force(move)
    again = it.force(move)

    new = COMMANDS[move]
    times_opened = 0 if move is Move.RESET else it.machine.times_opened
    expected = Transition(state, new, it.now, era.generation + 1, times_opened)
    assert it.state is new
    assert moved == (None if new is state else expected)
    assert again is None
    assert it.machine.era is not era
    assert it.machine.probing == 0


def test_forced_open_it_refuses_for_as_long_as_it_takes_and_names_no_time() -> None:
    it = driven_to(FORCED_OPEN)

    it.wait(1e9)

    assert it.refusal() == Refusal(FORCED_OPEN, None)
    assert it.machine.era.refusal(it.now) == Refusal(FORCED_OPEN, None)
    assert it.retry_after() is None
    assert it.state is FORCED_OPEN


def test_forced_closed_it_lets_every_call_in_and_judges_none() -> None:
    it = driven_to(FORCED_CLOSED)

    for _ in range(100):
        it.fail()

    assert it.state is FORCED_CLOSED
    assert it.machine.era.admits is True
    assert it.machine.era.judge.failures == 0
    assert it.retry_after() is None


@pytest.mark.parametrize("state", BreakerState)
def test_a_reset_starts_all_counts_again(state: BreakerState) -> None:
    it = driven_to(state)
    if state is CLOSED:
        it.fail()

    it.force(Move.RESET)

    assert it.machine.era.judge.failures == 0
    assert it.machine.times_opened == 0
    it.fail()
    assert it.state is CLOSED
    it.fail()
    assert it.state is OPEN


def test_a_reset_ends_an_opening_before_its_time() -> None:
    it = driven_to(OPEN)

    it.force(Move.RESET)

    assert it.begin() is it.machine.era


def test_being_forced_open_keeps_what_was_counted_readable() -> None:
    it = Driven(ConsecutiveFailures(5))
    it.fail()
    it.fail()

    it.force(Move.FORCE_OPEN)

    assert it.machine.era.judge.failures == 2


def test_being_forced_is_no_opening() -> None:
    it = driven_to(OPEN)

    it.force(Move.FORCE_OPEN)
    it.force(Move.FORCE_CLOSED)

    assert it.machine.times_opened == 1


@pytest.mark.parametrize("move", COMMANDS)
def test_calls_that_began_before_an_operator_stepped_in_say_nothing(move: Move) -> None:
    it = Driven(ConsecutiveFailures(1))
    early = it.begin()
    it.force(move)
    told = len(it.told)

    it.fail(early)
    it.succeed(early)

    assert len(it.told) == told
    assert it.state is COMMANDS[move]
    assert it.machine.era.judge.failures == 0


@pytest.mark.parametrize("move", COMMANDS)
def test_probes_that_began_before_an_operator_stepped_in_say_nothing(move: Move) -> None:
    it = Driven()
    probe = it.half_open()
    it.force(move)

    it.fail(probe)
    it.succeed(probe)
    it.abandon(probe)

    assert it.state is COMMANDS[move]
    assert it.machine.probing == 0
