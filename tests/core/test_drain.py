from math import inf

import pytest

from uat_resilience._core.drain import (
    TRANSITIONS,
    Account,
    DrainMachine,
    Phase,
    PhaseChange,
    PhaseMove,
    reserve_of,
)


def machine(
    *, delay: float = 5.0, grace: float = 30.0, reserve: float = 0.0, running: int = 0
) -> DrainMachine:
    drain = DrainMachine(delay=delay, grace=grace, reserve=reserve)
    for _ in range(running):
        drain.enter(0.0)
    return drain


def phases(changes: list[PhaseChange]) -> list[Phase]:
    return [change.new for change in changes]


def test_service_accepts_work_until_it_is_asked_to_stop() -> None:
    drain = machine()

    accepted, moved = drain.enter(1e9)

    assert (accepted, moved, drain.phase) == (True, [], Phase.RUNNING)
    assert drain.until == inf


def test_shutdown_is_announced_before_work_is_refused() -> None:
    drain = machine(delay=5.0)

    moved = drain.begin(100.0)
    during = drain.enter(104.9)
    after = drain.enter(105.0)

    assert moved == [PhaseChange(Phase.RUNNING, Phase.ANNOUNCED, 100.0)]
    assert during == (True, [])
    assert after == (False, [PhaseChange(Phase.ANNOUNCED, Phase.DRAINING, 105.0)])


def test_announcement_takes_its_time_though_nothing_runs() -> None:
    drain = machine(delay=5.0)
    drain.begin(100.0)

    early, in_time = drain.poll(104.9), drain.poll(105.0)

    assert early == []
    assert phases(in_time) == [Phase.DRAINING, Phase.CLOSING]


def test_without_delay_and_without_work_closing_begins_at_once() -> None:
    moved = machine(delay=0.0).begin(100.0)

    assert phases(moved) == [Phase.ANNOUNCED, Phase.DRAINING, Phase.CLOSING]


def test_drain_waits_for_work_that_was_begun_before() -> None:
    drain = machine(delay=0.0, running=2)
    drain.begin(100.0)

    first, last = drain.leave(101.0), drain.leave(102.0)

    assert first == []
    assert last == [PhaseChange(Phase.DRAINING, Phase.CLOSING, 102.0)]


def test_drain_waits_for_work_that_was_begun_during_the_announcement() -> None:
    drain = machine(delay=5.0)
    drain.begin(100.0)
    drain.enter(101.0)
    draining = drain.poll(105.0)

    closing = drain.leave(110.0)

    assert phases(draining) == [Phase.DRAINING]
    assert phases(closing) == [Phase.CLOSING]


def test_work_that_ends_while_announced_ends_nothing() -> None:
    drain = machine(delay=5.0, running=1)
    drain.begin(100.0)

    assert drain.leave(101.0) == []
    assert drain.phase is Phase.ANNOUNCED


def test_work_that_outlives_the_grace_is_cut_off() -> None:
    drain = machine(delay=5.0, grace=30.0, running=3)
    drain.begin(100.0)
    drain.leave(110.0)

    early, late = drain.poll(129.9), drain.poll(130.0)
    drain.leave(131.0)

    assert early == []
    assert phases(late) == [Phase.CLOSING]
    assert drain.account == Account(before=3, during=0, refused=0, finished=2, cut=2)


def test_work_that_hangs_is_cut_off_when_the_reserve_begins() -> None:
    drain = machine(delay=5.0, grace=30.0, reserve=4.0, running=1)
    drain.begin(100.0)
    announced = drain.until

    drain.poll(105.0)
    draining, early, late = drain.until, drain.poll(125.9), drain.poll(126.0)

    assert early == []
    assert phases(late) == [Phase.CLOSING]
    assert (announced, draining, drain.until) == (105.0, 126.0, 130.0)


@pytest.mark.parametrize(("rest", "kept"), [(60.0, 5.0), (20.0, 5.0), (10.0, 2.5), (0.0, 0.0)])
def test_of_a_long_time_five_seconds_are_kept_for_closers_and_of_a_short_one_a_quarter(
    rest: float, kept: float
) -> None:
    assert reserve_of(rest) == kept


def test_nobody_who_asks_late_loses_a_phase() -> None:
    drain = machine(delay=5.0, grace=30.0, running=1)
    drain.begin(100.0)

    moved = drain.poll(1000.0)

    assert moved == [
        PhaseChange(Phase.ANNOUNCED, Phase.DRAINING, 1000.0),
        PhaseChange(Phase.DRAINING, Phase.CLOSING, 1000.0),
    ]


def test_time_to_ask_again_is_the_end_of_the_phase() -> None:
    drain = machine(delay=5.0, grace=30.0, running=1)
    drain.begin(100.0)
    announced = drain.until
    drain.poll(105.0)
    draining = drain.until
    drain.leave(110.0)

    assert (announced, draining, drain.until) == (105.0, 130.0, 130.0)


def test_all_work_is_accounted_for() -> None:
    drain = machine(delay=5.0, running=3)
    drain.leave(1.0)  # Over before anybody asked.
    drain.begin(100.0)
    drain.enter(101.0)
    drain.leave(102.0)
    for _ in range(4):
        drain.enter(105.0)

    assert drain.running == 2
    assert drain.account == Account(before=2, during=1, refused=4, finished=1, cut=0)


def test_all_work_that_is_accepted_during_the_announcement_is_counted() -> None:
    drain = machine(delay=5.0)
    drain.begin(100.0)

    for _ in range(3):
        drain.enter(101.0)

    assert drain.account == Account(before=0, during=3, refused=0, finished=0, cut=0)


def test_nothing_is_accounted_while_running() -> None:
    assert machine(running=3).account == Account(0, 0, 0, 0, 0)


def test_closing_ends_when_the_closers_have_run() -> None:
    drain = machine(delay=0.0)
    drain.begin(100.0)

    moved = drain.close(101.0)

    assert moved == [PhaseChange(Phase.CLOSING, Phase.CLOSED, 101.0)]


def test_closed_before_its_time_means_nothing() -> None:
    drain = machine(running=1)
    drain.begin(100.0)

    assert drain.close(101.0) == []
    assert drain.phase is Phase.ANNOUNCED


def test_asking_twice_changes_nothing() -> None:
    drain = machine(delay=5.0, running=1)
    drain.begin(100.0)
    drain.enter(101.0)

    again = drain.begin(102.0)

    assert again == []
    assert drain.until == 105.0
    assert drain.account.before == 1


@pytest.mark.parametrize("delay", [0.0, 5.0])
def test_force_gives_up_whatever_runs(delay: float) -> None:
    drain = machine(delay=delay, running=2)
    drain.begin(100.0)

    moved = drain.force(101.0)
    late = drain.leave(102.0)

    assert phases(moved) == [Phase.FORCED]
    assert moved[0].at == 101.0
    assert late == []
    assert drain.account.cut == 2


def test_force_without_a_beginning_accounts_for_the_same() -> None:
    drain = machine(running=2)

    drain.force(100.0)

    assert drain.account == Account(before=2, during=0, refused=0, finished=0, cut=2)


def test_force_while_closing_cuts_off_nothing_more_and_nothing_less() -> None:
    drain = machine(delay=0.0, grace=1.0, running=2)
    drain.begin(100.0)
    drain.poll(101.0)
    drain.leave(102.0)

    moved = drain.force(103.0)

    assert phases(moved) == [Phase.FORCED]
    assert drain.account.cut == 2


def test_work_is_refused_after_the_end_too() -> None:
    drain = machine()
    drain.force(100.0)

    assert drain.enter(101.0) == (False, [])
    assert drain.account.refused == 1


def test_forked_child_starts_afresh() -> None:
    drain = machine(running=2)
    drain.begin(100.0)

    drain.renew()

    assert (drain.phase, drain.running) == (Phase.RUNNING, 0)
    assert drain.account == Account(0, 0, 0, 0, 0)
    assert drain.until == inf


@pytest.mark.parametrize("move", list(PhaseMove))
@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.FORCED])
def test_nothing_leads_out_of_the_end(phase: Phase, move: PhaseMove) -> None:
    assert (phase, move) not in TRANSITIONS


def test_every_move_leads_onward() -> None:
    assert all(new > old for (old, _), new in TRANSITIONS.items())
