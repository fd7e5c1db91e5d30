import pytest

from uat_resilience._core.hysteresis import (
    HysteresisMachine,
    Probe,
    Status,
    StatusChange,
    counted,
    overall,
)

LETTERS = {"H": Status.HEALTHY, "D": Status.DEGRADED, "U": Status.UNHEALTHY}


@pytest.mark.parametrize(
    ("fail_after", "recover_after", "results", "statuses"),
    [
        (1, 1, "HUHDU", "HUHDU"),
        (2, 1, "HUHUH", "HHHHH"),
        (2, 1, "HUUH", "HHUH"),
        (2, 1, "HHDUUUH", "HHHDUUH"),
        (2, 1, "HUDD", "HHDD"),
        (3, 1, "HUUHUUU", "HHHHHHU"),
        (1, 2, "UHUHH", "UUUUH"),
        (1, 2, "UHDHH", "UUDDH"),
        (1, 3, "UHHH", "UUUH"),
        (2, 2, "UDHUDH", "UUDDDD"),
    ],
)
def test_status_follows_after_enough_results_in_a_row(
    fail_after: int, recover_after: int, results: str, statuses: str
) -> None:
    machine = HysteresisMachine(fail_after=fail_after, recover_after=recover_after)

    seen: list[Status | None] = []
    for letter in results:
        machine.record(LETTERS[letter])
        seen.append(machine.status)

    assert seen == [LETTERS[letter] for letter in statuses]


@pytest.mark.parametrize("first", list(Status))
def test_first_result_counts_at_once(first: Status) -> None:
    machine = HysteresisMachine(fail_after=5, recover_after=5)
    before = machine.status

    change = machine.record(first)

    assert before is None
    assert change == StatusChange(None, first)


@pytest.mark.parametrize("status", list(Status))
def test_same_result_again_is_no_change(status: Status) -> None:
    machine = HysteresisMachine(fail_after=1, recover_after=1)
    machine.record(status)

    again = machine.record(status)

    assert (again, machine.status) == (None, status)


def test_only_a_change_is_told() -> None:
    machine = HysteresisMachine(fail_after=2, recover_after=1)
    machine.record(Status.HEALTHY)

    told = [machine.record(Status.UNHEALTHY) for _ in range(3)]

    assert told == [None, StatusChange(Status.HEALTHY, Status.UNHEALTHY), None]


@pytest.mark.parametrize("kind", list(Probe))
@pytest.mark.parametrize("status", list(Status))
def test_critical_check_counts_as_it_is(status: Status, kind: Probe) -> None:
    assert counted(status, kind=kind, critical=True) is status


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (Status.HEALTHY, Status.HEALTHY),
        (Status.DEGRADED, Status.DEGRADED),
        (Status.UNHEALTHY, Status.DEGRADED),
    ],
)
def test_check_that_is_not_critical_degrades_at_worst(status: Status, counts: Status) -> None:
    assert counted(status, kind=Probe.READINESS, critical=False) is counts


@pytest.mark.parametrize(
    ("kind", "critical", "counts"),
    [
        (Probe.READINESS, True, Status.UNHEALTHY),
        (Probe.READINESS, False, Status.DEGRADED),
        (Probe.STARTUP, True, Status.UNHEALTHY),
        (Probe.LIVENESS, True, Status.HEALTHY),
        (Probe.LIVENESS, False, Status.HEALTHY),
    ],
)
def test_check_that_never_ran_is_not_ready_but_alive(
    kind: Probe, *, critical: bool, counts: Status
) -> None:
    assert counted(None, kind=kind, critical=critical) is counts


def test_worst_check_speaks_for_all() -> None:
    assert overall([Status.HEALTHY, Status.UNHEALTHY, Status.DEGRADED]) is Status.UNHEALTHY


def test_without_checks_all_is_well() -> None:
    assert overall([]) is Status.HEALTHY
