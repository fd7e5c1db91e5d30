import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from uat_resilience.testing import FakeClock
from uat_resilience.waiting import world


class TellingClock(FakeClock):
    """Tells when something is armed on it."""

    def __init__(self, start: float) -> None:
        super().__init__(start)
        self.armed = threading.Event()

    def arm(self, until: float, fire: Callable[[], object]) -> Callable[[], object]:
        off = super().arm(until, fire)
        self.armed.set()
        return off


def test_a_wait_on_a_fake_clock_ends_with_its_event_or_its_time() -> None:
    clock = TellingClock(start=5.0)
    done = threading.Event()
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(clock.wait(done, 10.0)))
    waiting.start()
    clock.armed.wait()

    clock.advance(5.0)
    waiting.join()

    assert answers == [False]
    done.set()
    assert clock.wait(done, None)
    assert clock.wait(done, 100.0)


def test_what_was_called_off_does_not_fire() -> None:
    clock, fired = FakeClock(), []
    off = clock.arm(1.0, lambda: fired.append("off"))
    clock.arm(2.0, lambda: fired.append("on"))

    off()
    off()
    clock.advance(5.0)

    assert fired == ["on"]
    clock.arm(5.0, lambda: fired.append("at once"))
    assert fired == ["on", "at once"]


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), True])
def test_a_clock_is_not_moved_by_nonsense(seconds: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="seconds"):
        FakeClock().advance(seconds)


async def test_a_fake_clock_moves_past_several_due_times_in_order() -> None:
    with FakeClock() as clock:
        seen: list[float] = []

        async def tick(at: float) -> None:
            await world().pause(clock, at, None)
            seen.append(clock.now())

        async with anyio.create_task_group() as group:
            for at in (3.0, 1.0, 2.0):
                group.start_soon(tick, at)
            await clock.aadvance(10.0)

    assert seen == [1.0, 2.0, 3.0]
