"""Cancel a call at its n-th suspension, for n = 1, 2, ... until it completes without having been cancelled.

`asyncio` and `trio` each have a driver. Both count every suspension of the task that makes the call, and cancel it
at one of three moments:

*   asleep: as soon as it is suspended;
*   as it wakes: when what it waited for has come, but before it runs again. On asyncio that is the same turn of
    the loop, and the task finds both the value and the cancellation;
*   twice: as asleep, and once more at the next suspension, so while it cleans up.

Time is virtual, so whoever else takes part (a holder of a slot, say) does so on a timetable.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from enum import Enum, auto
from typing import Any

import trio
import trio.testing

from uat_resilience.testing import virtual_time

__all__ = ["DRIVERS", "Driver", "Moment"]

Body = Callable[[], Awaitable[object]]
Driver = Callable[[Body, Body, int, "Moment", Callable[[], object]], bool]
"""Runs a call beside its company, and cancels the call, which it tells; True when it came that far."""


class Moment(Enum):
    """When the cancellation arrives."""

    ASLEEP = auto()
    AS_IT_WAKES = auto()
    TWICE = auto()


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine that calls `suspended` with what it waits for whenever it is suspended."""

    def __init__(self, inner: Coroutine[Any, Any, Any], suspended: Callable[[Any], None]) -> None:
        self._inner = inner
        self._suspended = suspended

    def send(self, value: Any) -> Any:
        waits_for = self._inner.send(value)
        self._suspended(waits_for)
        return waits_for

    def throw(self, *error: Any) -> Any:
        waits_for = self._inner.throw(*error)
        self._suspended(waits_for)
        return waits_for

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError("driven by a task, never awaited")


def on_asyncio(
    call: Body, company: Body, at: int, moment: Moment, told: Callable[[], object]
) -> bool:
    suspensions = 0
    tasks: list[asyncio.Task[object]] = []

    def cancel(_: object = None) -> None:
        tasks[0].cancel()
        told()

    def suspended(waits_for: Any) -> None:
        nonlocal suspensions
        suspensions += 1
        if suspensions != at and not (moment is Moment.TWICE and suspensions == at + 1):
            return
        if moment is Moment.AS_IT_WAKES and waits_for is not None:
            # Called in the turn in which the future is done, ahead of the task's own wake-up.
            waits_for.add_done_callback(cancel)
        else:
            asyncio.get_running_loop().call_soon(cancel)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(_run(company))
            tasks.append(asyncio.Task(_Counted(_run(call), suspended)))
            await asyncio.wait(tasks)
        if tasks[0].cancelled():
            return
        tasks[0].result()

    virtual_time.run(main)
    return suspensions >= at


def on_trio(call: Body, company: Body, at: int, moment: Moment, told: Callable[[], object]) -> bool:
    scope = trio.CancelScope()

    def cancel() -> None:
        scope.cancel()
        told()

    class Interrupter(trio.abc.Instrument):
        task: trio.lowlevel.Task | None = None
        suspensions = 0

        def after_task_step(self, task: trio.lowlevel.Task) -> None:
            if task is self.task:
                self.suspensions += 1
                # A cancelled scope stays cancelled, so here once is as good as twice.
                if self.suspensions == at and moment is not Moment.AS_IT_WAKES:
                    cancel()

        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            if task is self.task and self.suspensions == at and moment is Moment.AS_IT_WAKES:
                cancel()

    interrupter = Interrupter()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_run, company)
            with scope:
                interrupter.task = trio.lowlevel.current_task()
                try:
                    await call()
                finally:
                    interrupter.task = None

    async def on_virtual_time() -> None:
        with virtual_time.installed():
            await main()

    clock = trio.testing.MockClock(autojump_threshold=0)
    trio.run(on_virtual_time, clock=clock, instruments=[interrupter])
    return interrupter.suspensions >= at


async def _run(body: Body) -> object:
    return await body()


DRIVERS: dict[str, Driver] = {"asyncio": on_asyncio, "trio": on_trio}
