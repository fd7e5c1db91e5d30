"""Waiting by suspending an asyncio task.

`asyncio_alarm` has its deadlines, `asyncio_race` its races; all that a world offers can be had from here.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable
from typing import TypeVar

from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import Clock
from uat_resilience.switches import switches
from uat_resilience.waiting import announce
from uat_resilience.waiting.asyncio_alarm import Alarm, SingleAlarm
from uat_resilience.waiting.asyncio_loop import run_in, running_task
from uat_resilience.waiting.asyncio_race import Race

__all__ = ["TaskWaiter", "alarm", "pause", "race", "running_task", "single_alarm", "waiter"]

T = TypeVar("T")


class TaskWaiter:
    """A task in a queue."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: Future[bool] = self._loop.create_future()

    def grant(self) -> bool:
        """Wake the task, from any thread; False when its event loop is closed."""
        return run_in(self._loop, lambda: _resolve(self._future, value=True))

    async def wait(self, clock: Clock, until: float | None) -> bool:
        """Suspend until granted (True), or until `until` (False)."""
        if until is None:
            return await self._future
        disarm = clock.arm(
            until, lambda: run_in(self._loop, lambda: _resolve(self._future, value=False))
        )
        try:
            return await self._future
        finally:
            disarm()


waiter = TaskWaiter


async def pause(clock: Clock, seconds: float, drain: DrainSignal | None) -> bool:
    """Suspend for `seconds` (at least for one turn of the loop); False when the drain signal cut it short."""
    loop = asyncio.get_running_loop()
    over: Future[bool] = loop.create_future()

    def wake() -> None:
        run_in(loop, lambda: _resolve(over, value=True))

    if drain is not None and drain.is_set:
        return False
    if seconds <= 0 or not switches.pausing:
        disarm: Callable[[], object] = loop.call_soon(wake).cancel
    else:
        until = clock.now() + seconds
        announce(clock, seconds)
        disarm = clock.arm(until, wake)
    unsubscribe = None if drain is None else drain.subscribe(wake)
    try:
        if over.done():  # A test's clock has moved already.
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, not a pause
        await over
    finally:
        disarm()
        if unsubscribe is not None:
            unsubscribe()
    return drain is None or not drain.is_set


race = Race
alarm = Alarm
single_alarm = SingleAlarm


def _resolve(future: "Future[T]", *, value: T) -> None:
    if not future.done():
        future.set_result(value)
