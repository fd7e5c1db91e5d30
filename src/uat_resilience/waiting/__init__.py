"""The three things that wait (a pause, a slot, a deadline), once for each world.

`threads` blocks a thread, `asyncio` and `trio` suspend a task. The modules offer the same names; `world()`
picks the one that runs the calling task. Each is imported on first use, so that a program pays only for
the world it lives in.
"""

import sys
from collections.abc import Callable
from typing import Protocol

from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import Clock

__all__ = ["AsyncWaiter", "AsyncWorld", "Waiter", "announce", "refuse_to_block", "world"]


class Waiter(Protocol):
    """Somebody in a queue."""

    def grant(self) -> bool:
        """Wake it, from any thread; False when its event loop is gone."""
        ...


class AsyncWaiter(Waiter, Protocol):
    """A task in a queue."""

    async def wait(self, clock: Clock, until: float | None) -> bool:
        """Suspend until granted (True), or until `until` (False)."""
        ...


class AsyncWorld(Protocol):
    """What `waiting.asyncio` and `waiting.trio` offer to policies that pause or queue."""

    def waiter(self) -> AsyncWaiter:
        """Return a waiter for the running task."""
        ...

    async def pause(self, clock: Clock, seconds: float, drain: DrainSignal | None) -> bool:
        """Suspend for `seconds`; False when the drain signal cut it short."""
        ...


def world() -> AsyncWorld:
    """Return the waiting module of the event loop that runs this task.

    Raises:
        RuntimeError: Neither an asyncio nor a trio task runs here.
    """
    if "asyncio" in sys.modules:
        from uat_resilience.waiting import asyncio as loop  # noqa: PLC0415 - first use

        if loop.running_task() is not None:
            return loop
    if "trio" in sys.modules:
        from uat_resilience.waiting import trio as run  # noqa: PLC0415 - first use

        if run.running_task() is not None:
            return run
    raise RuntimeError(
        "no asyncio or trio task runs here: await this inside asyncio.run(...) or trio.run(...)"
    )


def refuse_to_block(policy: str, instead: str) -> None:
    """Raise when this thread runs an event loop, which a blocking wait would stop.

    Called only when there is something to wait for: the usual call pays nothing for it.

    Raises:
        RuntimeError: Names the async spelling, `instead`.
    """
    if not _runs_event_loop():
        return
    raise RuntimeError(
        f"{policy} would block the event loop that runs in this thread: {instead}, "
        "or move the sync call to a thread (asyncio.to_thread)"
    )


def announce(clock: Clock, seconds: float) -> None:
    """Tell a clock that wants to know that a pause is about to begin (test clocks record it)."""
    pausing: Callable[[float], object] | None = getattr(clock, "pausing", None)
    if pausing is not None:
        pausing(seconds)


def _runs_event_loop() -> bool:
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    if asyncio is not None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass  # No asyncio loop; trio may still run one.
        else:
            return True
    return trio is not None and bool(trio.lowlevel.in_trio_run())
