"""Limiters, shedders and budgets whose settings are changed while they run."""

from typing import Any

import anyio
import pytest
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import (
    AIMD,
    AdaptiveLimiter,
    EventBus,
    Gradient2,
    LimitChanged,
    LoadShedder,
    OverloadedError,
    Retry,
    RetryBudget,
    Vegas,
    captured,
)
from uat_resilience.policies.adaptive_limiter import AdaptiveLimiterSnapshot
from uat_resilience.policies.load_shedder import LoadShedderSnapshot
from uat_resilience.testing import FakeClock


@pytest.mark.parametrize(
    "algorithm", [AIMD(), Vegas(), Gradient2()], ids=lambda a: type(a).__name__
)
def test_a_limit_outside_of_its_new_bounds_moves_inside_and_is_told(
    algorithm: Any, world: World
) -> None:
    bus = EventBus()
    limiter = AdaptiveLimiter(algorithm, bus=bus, name="db")
    guarded = world.guard(limiter, lambda: "in")

    with captured(bus) as events:
        limiter.update(maximum=1)
        limiter.update(minimum=1, maximum=9)
        limiter.update(minimum=2)

    assert [(e.old, e.new) for e in events if isinstance(e, LimitChanged)] == [(20, 1), (1, 2)]
    with limiter.permit(), limiter.permit(), pytest.raises(OverloadedError):
        guarded()


async def test_a_higher_limit_wakes_those_who_wait() -> None:
    limiter, began = AdaptiveLimiter(AIMD(initial=1), queue=2), []

    async def call(n: int) -> None:
        began.append((n, anyio.current_time() - start))
        await pause(1.0)

    start = anyio.current_time()
    async with anyio.create_task_group() as group:
        for n in range(3):
            group.start_soon(limiter.acall, call, n)
            await anyio.wait_all_tasks_blocked()
        limiter.update(minimum=3, queue=0, max_wait=1.0)
        with pytest.raises(OverloadedError):
            await limiter.acall(call, 3)

    assert sorted(began) == [(0, 0.0), (1, 0.0), (2, 0.0)]
    assert limiter.snapshot() == AdaptiveLimiterSnapshot(0, 0, 3, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"minimum": 0},
        {"maximum": 0},
        {"minimum": 300},
        {"maximum": 4},
        {"minimum": None},
        {"queue": -1},
        {"max_wait": -1.0},
    ],
    ids=repr,
)
def test_a_bad_value_changes_no_limiter(changes: dict[str, Any], clock: FakeClock) -> None:
    limiter = AdaptiveLimiter(AIMD(minimum=5), queue=3, max_wait=4.0)

    with pytest.raises((TypeError, ValueError), match=r"minimum|maximum|queue|max_wait"):
        limiter.update(**{"queue": 9, "max_wait": 9.0, **changes})

    assert limiter.snapshot() == AdaptiveLimiterSnapshot(0, 0, 20, 3)
    limiter.update(minimum=1, maximum=1)
    with limiter.permit(), pytest.raises(OverloadedError):
        limiter.call(int)
    assert clock.now() == 4.0


async def test_a_shedder_grows_and_shrinks_under_its_calls() -> None:
    shedder = LoadShedder(3, queue=3, target=10.0, interval=20.0)
    began: list[float] = []

    async def call(seconds: float) -> None:
        began.append(anyio.current_time() - start)
        await pause(seconds)

    start = anyio.current_time()
    async with anyio.create_task_group() as group:
        for seconds in (1.0, 2.0, 3.0, 1.0, 1.0, 1.0):
            group.start_soon(shedder.acall, call, seconds)
            await anyio.wait_all_tasks_blocked()
        shedder.update(size=1, queue=0)
        assert shedder.snapshot() == LoadShedderSnapshot(3, 3, 1, 0, shedding=False)
        await pause(3.5)
        shedder.update(size=2)

    assert began == [0.0, 0.0, 0.0, 3.0, 3.5, 4.0]


async def test_a_shedder_judges_waits_by_its_new_target() -> None:
    shedder = LoadShedder(1, queue=9, target=10.0, interval=0.1)
    served: list[int] = []

    async def call(n: int) -> None:
        served.append(n)
        await pause(1.0)

    async def attempt(n: int) -> None:
        try:
            await shedder.acall(call, n)
        except OverloadedError:
            served.append(-n)

    async with anyio.create_task_group() as group:
        for n in range(1, 7):
            group.start_soon(attempt, n)
            await anyio.wait_all_tasks_blocked()
        await pause(2.5)
        shedder.update(target=0.005)

    assert served[:3] == [1, 2, 3]
    assert served[-1] < 0


@pytest.mark.parametrize(
    "changes", [{"size": 0}, {"queue": -1}, {"target": 0.0}, {"interval": 0.0}], ids=repr
)
def test_a_bad_value_changes_no_shedder(changes: dict[str, Any]) -> None:
    shedder = LoadShedder(2, queue=3)

    with pytest.raises(ValueError, match=next(iter(changes))):
        shedder.update(**{"size": 9, "queue": 9, "target": 9.0, "interval": 9.0, **changes})

    assert shedder.describe() == "at most 2 at once, 3 wait while the queue drains"


def test_a_budget_judges_what_it_has_counted_by_its_new_ratio(clock: FakeClock) -> None:
    budget = RetryBudget(0.0, minimum_per_second=0.0)
    retry = Retry(on=ConnectionError, attempts=2, budget=budget)
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise ConnectionError

    for ratio in (0.0, 0.5, 0.5, 0.5):
        budget.update(ratio=ratio)
        with pytest.raises(ConnectionError):
            retry.call(fail)

    assert len(calls) == 4 + 2
    assert budget.snapshot().available == 0.0
    budget.update(minimum_per_second=1.0)
    assert budget.snapshot().available == 10.0


@pytest.mark.parametrize("changes", [{"ratio": -0.1}, {"minimum_per_second": None}], ids=repr)
def test_a_bad_value_changes_no_budget(changes: dict[str, Any], clock: FakeClock) -> None:
    budget = RetryBudget(0.1, minimum_per_second=1.0)

    with pytest.raises((TypeError, ValueError), match=next(iter(changes))):
        budget.update(**{"ratio": 9.0, "minimum_per_second": 9.0, **changes})

    assert budget.snapshot().available == 10.0
