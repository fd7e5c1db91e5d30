import pytest

from uat_resilience._core.budget import BudgetMachine


def budget(*, ratio: float = 0.0, minimum_per_second: float = 0.0, calls: int = 0) -> BudgetMachine:
    """Return a budget over ten seconds, with calls counted at time 0."""
    machine = BudgetMachine(ratio=ratio, minimum_per_second=minimum_per_second, window=10.0)
    for _ in range(calls):
        machine.deposit(0.0)
    return machine


def spend(machine: BudgetMachine, now: float) -> int:
    """Withdraw until the answer is no; return how many extra attempts that were."""
    return next(spent for spent in range(1000) if not machine.withdraw(now))


@pytest.mark.parametrize(
    ("ratio", "minimum_per_second", "calls", "extras"),
    [
        (0.0, 0.0, 1000, 0),
        (0.2, 0.0, 0, 0),
        (0.2, 0.0, 4, 0),
        (0.2, 0.0, 5, 1),
        (0.2, 0.0, 9, 1),
        (0.2, 0.0, 100, 20),
        (0.0, 1.0, 0, 10),
        (0.1, 1.0, 0, 10),
        (0.1, 1.0, 50, 15),
        (1.5, 0.0, 2, 3),
        (0.5, 0.05, 1, 1),
    ],
)
def test_extra_attempts_are_a_share_of_the_calls_and_a_floor(
    ratio: float, minimum_per_second: float, calls: int, extras: int
) -> None:
    machine = budget(ratio=ratio, minimum_per_second=minimum_per_second, calls=calls)

    assert spend(machine, 0.0) == extras
    assert machine.counts(0.0) == (calls, extras)


@pytest.mark.parametrize("percent", range(1, 101))
def test_no_extra_attempt_is_lost_to_rounding(percent: int) -> None:
    machine = budget(ratio=percent / 100, calls=100)

    assert spend(machine, 0.0) == percent


@pytest.mark.parametrize(("short_of_one", "extras"), [(1e-10, 1), (1e-9, 1), (1e-8, 0)])
def test_rounding_is_forgiven_up_to_a_billionth(short_of_one: float, extras: int) -> None:
    machine = budget(ratio=1 - short_of_one, calls=1)

    assert spend(machine, 0.0) == extras


def test_a_refused_withdrawal_costs_nothing() -> None:
    machine = budget(ratio=0.5, calls=2)
    spend(machine, 0.0)

    refused = [machine.withdraw(0.0) for _ in range(5)]
    machine.deposit(0.0)
    machine.deposit(0.0)

    assert refused == [False] * 5
    assert spend(machine, 0.0) == 1


def test_what_is_available_falls_as_it_is_spent() -> None:
    machine = budget(ratio=0.5, minimum_per_second=0.25, calls=3)
    available = [machine.available(0.0)]

    for _ in range(3):
        machine.withdraw(0.0)
        available.append(machine.available(0.0))

    assert available == [4.0, 3.0, 2.0, 1.0]


def test_calls_and_extra_attempts_are_forgotten_after_the_window() -> None:
    machine = budget(ratio=0.5, minimum_per_second=0.1, calls=4)
    spent = spend(machine, 0.0)

    counts = machine.counts(10.0)

    assert (spent, counts) == (3, (0, 0))
    assert machine.available(10.0) == 1.0


def test_what_is_available_looks_back_no_further_than_the_window() -> None:
    machine = budget(ratio=0.5, minimum_per_second=0.1, calls=4)
    for _ in range(3):
        machine.withdraw(5.0)

    assert machine.available(9.0) == 0.0
    assert machine.available(10.0) == -2.0
    assert machine.available(15.0) == 1.0


def test_after_calls_were_forgotten_extra_attempts_wait_until_they_are_forgotten_too() -> None:
    machine = budget(ratio=0.5, minimum_per_second=0.1, calls=4)
    for _ in range(3):
        machine.withdraw(5.0)

    assert spend(machine, 10.0) == 0
    assert spend(machine, 15.0) == 1


def test_a_long_quiet_time_saves_nothing_up() -> None:
    machine = budget(ratio=0.5, minimum_per_second=0.5, calls=10)

    assert spend(machine, 1e9) == 5


def test_a_full_outage_multiplies_the_load_by_no_more_than_the_ratio() -> None:
    machine = budget(ratio=0.1)
    extras = 0

    for n in range(10_000):
        machine.deposit(n * 0.01)
        extras += spend(machine, n * 0.01)

    assert 900 <= extras <= 1000
