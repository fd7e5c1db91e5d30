"""Calls through three services end in time whatever the last one does, and nobody works on for who is gone.

`make soak` makes 10 000 of them.
"""

import asyncio
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.service.deadlines.callers import Callers
from tests.service.stack.running import Running, fetch

HERE = Path(__file__).parent
SOAKING = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
CALLS = 10_000 if SOAKING else 600
LATE = 0.05  # Seconds that an answer may be on its way.
SERVICES = ("front", "middle", "last")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    tmp_path = tmp_path_factory.mktemp("chain")
    tables = [
        f'[services.{name}]\napp = "chain:{name}"\nport = 0\ngrace = "5s"\n' for name in SERVICES
    ]
    (tmp_path / "stack.toml").write_text("\n".join(tables), encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    running = Running(tmp_path, env={"PYTHONPATH": path, "LOG_LEVEL": "critical"})
    for name in SERVICES:
        running.state(name, "running")
    yield running
    running.close()


def overtime(stack: Running) -> dict[int, float]:
    """Return how long services worked on, by the number of the call, once nothing runs any more."""
    found: dict[int, float] = {}
    for name in SERVICES:
        port = stack.port(name)
        # The last callers may have left before their deadlines.
        while (told := fetch(port, "/account"))["running"]:
            pass
        for number, seconds in told["overtime"].items():
            found[int(number)] = max(seconds, found.get(int(number), 0.0))
    return found


def rounds(stack: Running, numbers: list[int]) -> Generator[tuple[Callers, dict[int, float]]]:
    """Make the calls, and those that were too late again, by themselves.

    A call that is late by a fault of ours is late again, and one for which a busy machine had no time is not.
    """
    for at_once in (8, 4, 1, 1):
        callers = Callers(stack.port("front"))
        asyncio.run(callers.run(numbers, at_once=at_once))
        worked = overtime(stack)
        yield callers, worked
        numbers = sorted({n for late in (callers.late, worked) for n in late if late[n] > LATE})


@pytest.mark.timeout(600 if SOAKING else 60)
def test_calls_through_three_services_end_in_time_and_nobody_works_on(stack: Running) -> None:
    made = list(rounds(stack, list(range(CALLS))))

    first, last = made[0][0], made[-1]
    for callers, worked in made:
        print(callers.statuses, callers.left, _latest(callers.late), _latest(worked))  # noqa: T201 - figures
    assert {200, 500, 503, 504} <= first.statuses.keys()
    assert first.left > 0
    assert [late for each in (last[0].late, last[1]) for late in each.values() if late > LATE] == []


def test_retries_of_three_layers_send_hardly_more_to_one_that_is_down(stack: Running) -> None:
    before = fetch(stack.port("last"), "/refused")["count"]
    port = stack.port("front")

    answers = [fetch(port, "/broken")["status"] for _ in range(150)]

    asked = fetch(stack.port("last"), "/refused")["count"] - before
    assert answers == [503] * 150
    # A tenth of the calls are repeated: by the first layer alone, which says so to the others.
    assert 150 < asked < 1.2 * 150


def _latest(late: dict[int, float]) -> str:
    over = sum(seconds > LATE for seconds in late.values())
    return (
        f"latest {max(late.values(), default=0.0) * 1000:.1f} ms, {over} over {LATE * 1000:.0f} ms"
    )
