from typing import Any

import anyio
import pytest
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import (
    CallRefused,
    LoadShedder,
    OverloadedError,
    Pipeline,
    Priority,
    captured,
    priority,
)
from uat_resilience.testing import FakeClock, disabled
from uat_resilience.testing.settling import settle


async def serve(
    shedder: LoadShedder,
    ends: list[tuple[str, float]],
    *,
    arrivals: int,
    every: float,
    takes: float,
) -> None:
    async def call() -> None:
        came = anyio.current_time()
        try:
            await shedder.acall(pause, takes)
        except OverloadedError:
            ends.append(("shed", anyio.current_time() - came))
        else:
            ends.append(("served", anyio.current_time() - came))

    async with anyio.create_task_group() as group:
        for _ in range(arrivals):
            group.start_soon(call)
            await pause(every)


async def test_a_burst_is_served_whole() -> None:
    shedder, ends = LoadShedder(2, queue=10), []

    await serve(shedder, ends, arrivals=8, every=0.0, takes=0.005)

    assert [end for end, _ in ends] == ["served"] * 8
    assert shedder.snapshot().shedding is False


async def test_while_a_queue_stands_those_that_waited_too_long_are_refused() -> None:
    shedder, ends = LoadShedder(1, queue=100), []

    with captured() as events:
        await serve(shedder, ends, arrivals=200, every=0.005, takes=0.01)

    shed = [waited for end, waited in ends if end == "shed"]
    served = [waited for end, waited in ends if end == "served"]
    assert len(shed) > 50
    assert len(served) > 90
    assert sum(isinstance(event, CallRefused) for event in events) == len(shed)
    # Without shedding the last of them would have waited for a second.
    assert sorted(served)[len(served) // 2] < 0.3


async def test_the_most_important_are_served_first() -> None:
    shedder = LoadShedder(1, queue=1)
    ends: list[str] = []

    async def call(level: Priority) -> None:
        with priority(level):
            try:
                await shedder.acall(pause, 0.001)
            except OverloadedError:
                ends.append(f"{level.name} shed")
            else:
                ends.append(f"{level.name} served")

    async with anyio.create_task_group() as group:
        for level in (Priority.NORMAL, Priority.LOW, Priority.CRITICAL):
            group.start_soon(call, level)
            await settle()
        assert shedder.in_use
        assert shedder.snapshot().waiting == 1

    assert ends == ["LOW shed", "NORMAL served", "CRITICAL served"]
    assert not shedder.in_use


def test_what_finds_no_place_is_refused(clock: FakeClock) -> None:
    shedder = LoadShedder(1, queue=0, name="door")

    with shedder.permit(priority=Priority.HIGH), pytest.raises(OverloadedError, match="door"):
        shedder.call(int)


def test_a_call_runs_in_every_world(world: World, clock: FakeClock) -> None:
    shedder = LoadShedder(1)

    assert world.call(shedder, int) == 0
    with pytest.raises(ZeroDivisionError):
        world.guard(shedder, lambda: 1 // 0)()

    assert shedder.snapshot().running == 0


def test_disabled_lets_every_call_in(world: World) -> None:
    shedder = LoadShedder(1, queue=0)

    with disabled(), shedder.permit():
        assert world.call(shedder, int) == 0


def test_a_description_says_slots_and_queue() -> None:
    assert "at most 2 at once, 7 wait" in Pipeline(LoadShedder(2, queue=7)).describe()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"size": 0}, "size"),
        ({"size": 1, "queue": -1}, "queue"),
        ({"size": 1, "target": 0.0}, "target"),
        ({"size": 1, "interval": float("nan")}, "interval"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        LoadShedder(**arguments)
