"""A breaker that is open because another process found out."""

import pytest
from tests.core.driving import Driven

from uat_resilience._core.breaker import BreakerState, Move, Refusal, Transition
from uat_resilience._core.trip import ConsecutiveFailures

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


def test_closed_breaker_that_follows_is_open_for_as_long_as_it_is_told() -> None:
    it = Driven(ConsecutiveFailures(2), open_for=30.0)
    it.wait(100.0)

    moved = it.machine.follow(it.now, 5.0)

    assert moved == Transition(CLOSED, OPEN, 100.0, 1, 1)
    assert it.refusal() == Refusal(OPEN, 5.0)
    it.wait(5.0)
    it.begin()
    assert it.state is HALF_OPEN


def test_half_open_breaker_that_follows_opens_again_and_forgets_its_probe() -> None:
    it = Driven(ConsecutiveFailures(2), open_for=30.0)
    it.open()
    it.wait(30.0)
    it.begin()

    moved = it.machine.follow(it.now, 7.0)

    assert moved == Transition(HALF_OPEN, OPEN, it.now, 3, 2)
    assert it.machine.probing == 0
    assert it.refusal() == Refusal(OPEN, 7.0)


def test_open_breaker_that_follows_only_changes_how_long() -> None:
    it = Driven(ConsecutiveFailures(2), open_for=30.0)
    it.open()
    generation, times_opened = it.machine.era.generation, it.machine.times_opened

    moved = it.machine.follow(it.now, 60.0)

    assert moved is None
    assert it.refusal() == Refusal(OPEN, 60.0)
    assert (it.machine.era.generation, it.machine.times_opened) == (generation, times_opened)


@pytest.mark.parametrize("move", [Move.FORCE_OPEN, Move.FORCE_CLOSED])
def test_operator_knows_better_than_another_process(move: Move) -> None:
    it = Driven(ConsecutiveFailures(2))
    it.force(move)
    era = it.machine.era

    moved = it.machine.follow(it.now, 60.0)

    assert moved is None
    assert it.machine.era is era
