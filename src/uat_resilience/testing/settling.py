"""Let tasks run until all of them wait for something."""

import asyncio
import sys

__all__ = ["settle"]

_QUIET_TURNS = 3  # A callback may wake a task only in the turn after next.
_TURNS = 10_000


async def settle() -> None:
    """Give other tasks of this event loop their turns until each of them is blocked.

    Raises:
        RuntimeError: They never are.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        await trio.testing.wait_all_tasks_blocked()
        return
    quiet = 0
    for _ in range(_TURNS):
        quiet = 0 if _somebody_runs() else quiet + 1
        if quiet > _QUIET_TURNS:
            return
        await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, not a pause
    raise RuntimeError(f"the tasks of this loop did not come to rest in {_TURNS} turns")


def _somebody_runs() -> bool:
    """Return True when another task could go on now."""
    here = asyncio.current_task()
    return any(_is_ready(task) for task in asyncio.all_tasks() if task is not here)


def _is_ready(task: "asyncio.Task[object]") -> bool:
    # Not a documented attribute, but all of asyncio's own tasks have it: what the task waits for.
    waiting_for: asyncio.Future[object] | None = getattr(task, "_fut_waiter", None)
    return waiting_for is None or waiting_for.done()
