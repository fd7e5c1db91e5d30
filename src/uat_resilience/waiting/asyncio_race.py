"""Copies of one call on asyncio."""

import asyncio
import sys
from asyncio import CancelledError, Task
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from uat_resilience.clock import Clock
from uat_resilience.waiting.asyncio_loop import run_in, running_task

__all__ = ["Race"]


class Race:
    """Copies of one call, the first of them in the caller's own task: a call that needs no second one is cheap."""

    __slots__ = (
        "_asked_before",
        "_caller",
        "_ending",
        "_group",
        "_inline",
        "_loop",
        "_stopped",
        "_tasks",
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._group = asyncio.TaskGroup()
        self._tasks: set[Task[None]] = set()
        caller = asyncio.current_task()
        assert caller is not None, "made in a task"  # noqa: S101 - for the type checkers
        self._caller: Task[object] = caller
        self._inline = False  # Whether a copy runs in the caller's task just now.
        self._asked_before = caller.cancelling()
        self._ending = False
        self._stopped = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            while error is None and self._tasks:
                await asyncio.wait(self._tasks)
        except CancelledError as cancelled:
            kind, error, trace = CancelledError, cancelled, cancelled.__traceback__
        self._ending = True
        try:
            with _told_once(waiting=bool(self._tasks)):
                await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            # What stops the program is never replaced, and the copies leave nothing else to be told of.
            thrown = group.exceptions[0]
        else:
            return
        if thrown is not error:
            raise thrown

    async def inline(self, copy: Callable[[], Awaitable[None]]) -> None:
        """Run a copy in the caller's task; returns early when `stop` cancels it."""
        self._inline, task = True, self._caller
        try:
            await copy()
        except CancelledError:
            if not self._stopped or task.uncancel() > self._asked_before:
                raise
        else:
            if self._stopped:
                task.uncancel()
        finally:
            self._inline = False

    def spawn(self, copy: Callable[[], Coroutine[object, object, None]]) -> None:
        """Start a copy in a task of its own."""
        task = self._group.create_task(copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def later(
        self, clock: Clock, seconds: float, fire: Callable[[], object]
    ) -> Callable[[], object]:
        """Call `fire` after `seconds`, in the event loop; return what calls that off."""

        def fire_in_time() -> None:
            # Copies may take their time to clean up after a caller that was cancelled. No other joins them.
            if not self._ending and self._caller.cancelling() <= self._asked_before:
                fire()

        return clock.arm(clock.now() + seconds, lambda: run_in(self._loop, fire_in_time))

    def stop(self) -> None:
        """Cancel every copy that still runs, but for the one that says so."""
        here = running_task()
        for task in self._tasks:
            if task is not here:
                task.cancel()
        if self._inline and self._caller is not here and not self._stopped:
            self._stopped = True
            self._caller.cancel()


def _told_once(*, waiting: bool) -> AbstractContextManager[object]:
    """Keep a cancelled scope of anyio from telling so at every turn of the loop, which then never rests.

    Only for a wait that ends by itself: the copies have been cancelled.
    """
    anyio = sys.modules.get("anyio")  # Where it was never loaded, there is no such scope.
    if anyio is None or not waiting:
        return nullcontext()
    scope: AbstractContextManager[object] = anyio.CancelScope(shield=True)
    return scope
