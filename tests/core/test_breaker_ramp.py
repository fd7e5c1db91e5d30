from math import inf

import pytest
from tests.core.driving import Driven

from uat_resilience._core.breaker import BreakerState, Move, Probe, Refusal
from uat_resilience._core.ramp import Ramp
from uat_resilience._core.trip import ConsecutiveFailures, FailureRate
from uat_resilience._core.window import CountWindow

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN
UNLUCKY = 1 - 2**-53


def recovered(*, trip: ConsecutiveFailures | FailureRate = ConsecutiveFailures(2)) -> Driven:  # noqa: B008 - frozen
    """Return a breaker that has just closed, and gives the load back in eight seconds from a quarter on."""
    it = Driven(trip, open_for=30.0, ramp=Ramp(8.0, start=0.25))
    it.succeed(it.half_open())
    return it


def test_after_a_recovery_it_is_closed_but_admits_not_everybody_yet() -> None:
    it = recovered()

    era = it.machine.era

    assert (era.state, era.since, era.until, era.admits) == (CLOSED, 30.0, 38.0, False)
    assert [moved.new for moved in it.told] == [OPEN, HALF_OPEN, CLOSED]
    assert it.retry_after() is None


@pytest.mark.parametrize(
    ("waited", "share"), [(0.0, 0.25), (2.0, 0.4375), (4.0, 0.625), (7.0, 0.90625)]
)
def test_a_growing_share_of_calls_gets_in(waited: float, share: float) -> None:
    it = recovered()
    it.wait(waited)

    lucky, unlucky = it.ask(draw=share - 2**-20), it.ask(draw=share)

    assert lucky is it.machine.era
    assert unlucky == Refusal(HALF_OPEN, 8.0 - waited)


def test_a_caller_that_does_not_draw_gets_in() -> None:
    it = recovered()

    assert it.machine.admit(it.now) == (it.machine.era, None)


def test_from_the_end_of_the_ramp_everybody_gets_in_and_nothing_is_told() -> None:
    it = recovered()
    it.fail()
    ramped, told = it.machine.era, len(it.told)
    it.wait(8.0)

    answer = it.ask(draw=UNLUCKY)

    era = it.machine.era
    assert answer is era
    assert (era.state, era.admits, era.until) == (CLOSED, True, inf)
    assert (era.generation, era.judge) == (ramped.generation, ramped.judge)
    assert era.judge.failures == 1
    assert len(it.told) == told


def test_calls_on_the_ramp_are_judged() -> None:
    it = recovered(trip=ConsecutiveFailures(2))

    it.fail()
    it.fail()

    assert it.refusal() == Refusal(OPEN, 30.0)
    assert it.machine.times_opened == 1


def test_a_call_that_began_on_the_ramp_says_nothing_after_it() -> None:
    it = recovered(trip=FailureRate(1.0, window=CountWindow(1), minimum_calls=1))
    slow = it.begin()
    it.wait(8.0)
    it.begin()

    it.fail(slow)

    assert it.state is CLOSED
    assert it.machine.era.judge.calls == 0


@pytest.mark.parametrize("late", [0.125, 1.0])
def test_a_caller_that_read_the_clock_before_the_ramp_began_is_on_it(late: float) -> None:
    it = recovered()

    lucky, unlucky = it.ask(late=late, draw=0.125), it.ask(late=late, draw=0.25)

    assert lucky is it.machine.era
    assert unlucky == Refusal(HALF_OPEN, 8.0 + late)


@pytest.mark.parametrize("back", [1.125, 1e9])
def test_a_clock_with_an_earlier_epoch_ends_the_ramp(back: float) -> None:
    it = recovered()
    it.wait(-back)

    assert it.ask(draw=UNLUCKY) is it.machine.era
    assert it.machine.era.admits is True


@pytest.mark.parametrize("move", [Move.RESET, Move.FORCE_CLOSED])
def test_an_operator_who_closes_it_wants_no_ramp(move: Move) -> None:
    it = Driven(ramp=Ramp(8.0))
    it.open()

    it.force(move)

    assert it.machine.era.admits is True
    assert it.machine.era.until == inf


def test_a_new_breaker_has_no_ramp_before_it_and_opens_and_probes_as_ever() -> None:
    it = Driven(open_for=30.0, ramp=Ramp(8.0))
    at_first = it.machine.era.admits

    it.open()

    assert at_first is True
    assert it.machine.era.until == 30.0
    it.wait(30.0)
    assert isinstance(it.ask(draw=UNLUCKY), Probe)
    assert it.machine.era.until == inf
