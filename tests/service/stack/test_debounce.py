"""Files that are saved shortly one after the other restart a service once, on a clock that stands still."""

from pathlib import Path

import pytest

from uat_resilience.testing import FakeClock
from uat_service.stack.definition import Service
from uat_service.stack.reloading import Reloading
from uat_service.stack.touching import Touching

HERE = Path("/stack")
FRONT, BACK, ASIDE = HERE / "front.py", HERE / "back.py", HERE / "notes.txt"


@pytest.fixture
def clock() -> FakeClock:
    """Time that the test moves."""
    return FakeClock()


@pytest.fixture
def restarts() -> list[tuple[str, str]]:
    """Return which services were restarted, and why."""
    return []


@pytest.fixture
def reloading(clock: FakeClock, restarts: list[tuple[str, str]]) -> Reloading:
    """Two services, each concerned by a file of its own."""
    services = {
        name: Service(name=name, command=("x",), watch=(f"{name}.py",))
        for name in ("front", "back")
    }
    return Reloading(
        Touching(services, directory=HERE),
        restart=lambda name, because: restarts.append((name, because)),
        note=print,
        clock=clock,
    )


def test_saves_closer_than_300_ms_restart_once_after_the_last_of_them(
    reloading: Reloading, clock: FakeClock, restarts: list[tuple[str, str]]
) -> None:
    for _ in range(3):
        reloading.saved([FRONT])
        clock.advance(0.29)
    before = list(restarts)

    clock.advance(0.01)
    clock.advance(60.0)

    assert before == []
    assert restarts == [("front", "saved front.py")]


def test_saves_further_apart_than_300_ms_restart_twice(
    reloading: Reloading, clock: FakeClock, restarts: list[tuple[str, str]]
) -> None:
    for _ in range(2):
        reloading.saved([FRONT])
        clock.advance(0.31)

    assert restarts == [("front", "saved front.py")] * 2


def test_of_a_series_each_service_is_restarted_that_a_file_touches_and_no_other(
    reloading: Reloading, clock: FakeClock, restarts: list[tuple[str, str]]
) -> None:
    reloading.saved([FRONT, ASIDE])
    clock.advance(1.0)
    alone = list(restarts)

    reloading.saved([BACK])
    clock.advance(0.2)
    reloading.saved([FRONT])
    clock.advance(1.0)

    assert alone == [("front", "saved front.py, notes.txt")]
    assert restarts[1:] == [(name, "saved back.py, front.py") for name in ("front", "back")]


def test_a_series_without_end_is_handed_on_after_three_seconds(
    reloading: Reloading, clock: FakeClock, restarts: list[tuple[str, str]]
) -> None:
    seen: list[int] = []
    for _ in range(40):
        reloading.saved([FRONT])
        clock.advance(0.1)
        seen.append(len(restarts))

    # Tenths of a second: what comes after it is a series of its own.
    assert (seen[28], seen[29], seen[39]) == (0, 1, 1)
    clock.advance(0.3)
    assert len(restarts) == 2
