import pytest
from tests.core.driving import Driven

from uat_resilience._core.breaker import BreakerState, Probe, Refusal
from uat_resilience._core.trip import ConsecutiveFailures, SlowRate
from uat_resilience._core.window import CountWindow

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


def test_one_probe_is_let_in_and_the_next_call_is_refused_until_its_lease_ends() -> None:
    it = Driven(open_for=30.0)

    probe = it.half_open()
    it.wait(0.5)

    assert isinstance(probe, Probe)
    assert it.refusal() == Refusal(HALF_OPEN, 29.5)
    assert it.retry_after() == 29.5
    assert it.machine.probing == 1
    assert [moved.new for moved in it.told] == [OPEN, HALF_OPEN]


def test_a_good_probe_closes() -> None:
    it = Driven()

    it.succeed(it.half_open())

    assert it.state is CLOSED
    assert it.machine.era.admits is True
    assert it.retry_after() is None
    assert it.machine.probing == 0


def test_a_bad_probe_opens_for_the_whole_time_again() -> None:
    it = Driven(open_for=30.0)
    probe = it.half_open()
    it.wait(1.0)

    it.fail(probe)

    assert it.refusal() == Refusal(OPEN, 30.0)
    assert it.opened == 2
    assert it.machine.probing == 0


@pytest.mark.parametrize("probes", [1, 2, 5])
def test_of_many_callers_exactly_the_allowed_number_get_in(probes: int) -> None:
    it = Driven(probes=probes).open()
    it.wait(30.0)

    answers = [it.ask() for _ in range(20)]

    assert [isinstance(answer, Probe) for answer in answers] == [True] * probes + [False] * (
        20 - probes
    )
    assert it.machine.probing == probes


@pytest.mark.parametrize("late", [0.125, 1.0])
def test_a_caller_that_read_the_clock_before_the_probe_did_does_not_get_in_beside_it(
    late: float,
) -> None:
    it = Driven(open_for=30.0)
    it.half_open()

    answer = it.ask(late=late)

    assert answer == Refusal(HALF_OPEN, 30.0 + late)
    assert it.machine.probing == 1


def test_a_place_is_free_again_when_its_probe_has_ended() -> None:
    it = Driven(probes=2, close_after=3)
    first = it.half_open()
    it.begin()
    full = it.ask()

    it.succeed(first)

    assert isinstance(full, Refusal)
    assert it.retry_after() is None
    assert isinstance(it.begin(), Probe)
    assert isinstance(it.ask(), Refusal)


@pytest.mark.parametrize("close_after", [1, 2, 3])
def test_it_closes_after_as_many_good_probes_as_asked_for(close_after: int) -> None:
    it = Driven(close_after=close_after).open()
    it.wait(30.0)
    states = []

    for _ in range(close_after):
        it.succeed()
        states.append(it.state)

    assert states == [HALF_OPEN] * (close_after - 1) + [CLOSED]


def test_one_bad_probe_outweighs_good_ones() -> None:
    it = Driven(probes=3, close_after=3)
    probes = [it.half_open(), it.begin(), it.begin()]

    it.succeed(probes[0])
    it.succeed(probes[1])
    it.fail(probes[2])

    assert it.state is OPEN


def test_good_probes_of_an_earlier_round_do_not_count() -> None:
    it = Driven(close_after=2)
    it.succeed(it.half_open())
    it.fail()
    it.wait(30.0)

    it.succeed()
    after_one = it.state
    it.succeed()

    assert after_one is HALF_OPEN
    assert it.state is CLOSED


def test_every_round_has_all_its_places_again() -> None:
    it = Driven(probes=2)
    first = it.half_open()
    it.begin()
    it.fail(first)
    it.wait(30.0)

    answers = [it.ask() for _ in range(3)]

    assert [isinstance(answer, Probe) for answer in answers] == [True, True, False]


# --- probes that say nothing


def test_an_abandoned_probe_gives_its_place_back_and_counts_as_nothing() -> None:
    it = Driven()
    probe = it.half_open()

    it.abandon(probe)

    assert it.state is HALF_OPEN
    assert it.machine.probing == 0
    assert it.retry_after() is None
    assert isinstance(it.begin(), Probe)


def test_a_probe_is_abandoned_or_settled_once() -> None:
    it = Driven(close_after=2)
    probe = it.half_open()
    it.abandon(probe)
    following = it.begin()

    it.abandon(probe)
    it.succeed(probe)
    it.fail(probe)

    assert it.state is HALF_OPEN
    assert it.machine.probing == 1
    it.succeed(following)
    it.succeed(following)
    assert it.state is HALF_OPEN


def test_abandoning_gives_back_its_own_place_only() -> None:
    it = Driven(probes=2)
    first = it.half_open()
    it.begin()

    it.abandon(first)
    it.abandon(first)

    assert it.machine.probing == 1
    assert isinstance(it.begin(), Probe)
    assert isinstance(it.ask(), Refusal)


@pytest.mark.parametrize("state", [CLOSED, OPEN])
def test_abandoning_a_call_of_another_state_changes_nothing(state: BreakerState) -> None:
    it = Driven()
    ticket = it.begin()
    if state is OPEN:
        it.open()
    era = it.machine.era

    it.abandon(ticket)

    assert it.machine.era is era
    assert it.machine.probing == 0


# --- leases


@pytest.mark.parametrize(("lease", "held"), [(None, 30.0), (5.0, 5.0), (90.0, 90.0)])
def test_a_probe_that_hangs_holds_its_place_until_its_lease_ends(
    lease: float | None, held: float
) -> None:
    it = Driven(open_for=30.0, lease=lease)
    it.half_open()

    it.wait(held - 0.125)
    before = it.ask()
    it.wait(0.125)

    assert before == Refusal(HALF_OPEN, 0.125)
    assert it.retry_after() is None
    assert isinstance(it.ask(), Probe)


def test_a_hundred_probes_that_hang_let_a_hundred_more_try() -> None:
    it = Driven(open_for=30.0)
    it.half_open()

    for _ in range(100):
        assert isinstance(it.ask(), Refusal)
        it.wait(30.0)
        assert isinstance(it.ask(), Probe)

    assert it.state is HALF_OPEN
    assert it.machine.probing == 101


def test_the_first_lease_to_end_says_when_to_come_again() -> None:
    it = Driven(probes=2, lease=10.0)
    it.half_open()
    it.wait(4.0)
    it.begin()

    assert it.refusal() == Refusal(HALF_OPEN, 6.0)
    assert it.retry_after() == 6.0
    it.wait(6.0)
    assert isinstance(it.begin(), Probe)
    assert it.refusal() == Refusal(HALF_OPEN, 4.0)


@pytest.mark.parametrize("somebody_came", [True, False])
def test_where_every_call_outlasts_its_lease_a_good_one_still_closes(
    *, somebody_came: bool
) -> None:
    it = Driven(open_for=5.0)
    slow = it.half_open()
    it.wait(20.0)
    if somebody_came:
        it.begin()

    it.succeed(slow)

    assert it.state is CLOSED


@pytest.mark.parametrize("somebody_came", [True, False])
def test_an_overdue_probe_that_fails_at_last_opens_again(*, somebody_came: bool) -> None:
    it = Driven(open_for=5.0)
    slow = it.half_open()
    it.wait(20.0)
    if somebody_came:
        it.begin()

    it.fail(slow)

    assert it.state is OPEN


def test_reading_how_long_to_wait_changes_no_outcome() -> None:
    it = Driven(open_for=5.0)
    slow = it.half_open()
    it.wait(20.0)

    assert it.retry_after() is None
    it.fail(slow)

    assert it.opened == 2


def test_an_overdue_probe_frees_no_place_of_another() -> None:
    it = Driven(open_for=5.0, close_after=3)
    overdue = it.half_open()
    it.wait(5.0)
    it.begin()

    it.succeed(overdue)

    assert it.refusal() == Refusal(HALF_OPEN, 5.0)
    assert it.machine.probing == 1


def test_an_overdue_probe_of_an_earlier_round_says_nothing() -> None:
    it = Driven(open_for=5.0)
    overdue = it.half_open()
    it.wait(5.0)
    it.fail()
    it.wait(5.0)
    present = it.begin()

    it.succeed(overdue)
    it.fail(overdue)

    assert it.state is HALF_OPEN
    assert it.machine.probing == 1
    it.succeed(present)
    assert it.state is CLOSED


def test_in_a_forked_child_the_places_are_free_and_the_parents_probes_say_nothing() -> None:
    it = Driven(probes=2)
    inherited = it.half_open()
    it.begin()

    it.machine.release_probes()

    assert it.machine.probing == 0
    assert it.retry_after() is None
    it.fail(inherited)
    assert it.state is HALF_OPEN
    assert [isinstance(it.ask(), Probe) for _ in range(3)] == [True, True, False]


# --- slow probes


@pytest.mark.parametrize(("elapsed", "state"), [(1.9375, CLOSED), (2.0, OPEN), (60.0, OPEN)])
def test_a_slow_success_is_a_failed_probe_under_a_rule_that_times_calls(
    elapsed: float, state: BreakerState
) -> None:
    rule = SlowRate(1.0, slower_than=2.0, window=CountWindow(2), minimum_calls=2)
    it = Driven(rule | ConsecutiveFailures(2))
    probe = it.half_open()

    it.succeed(probe, elapsed=elapsed)

    assert it.state is state


def test_a_slow_success_is_a_success_under_a_rule_that_does_not() -> None:
    it = Driven(ConsecutiveFailures(2))

    it.succeed(it.half_open(), elapsed=3600.0)

    assert it.state is CLOSED
