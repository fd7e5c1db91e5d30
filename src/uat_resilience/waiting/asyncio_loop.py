"""The asyncio loop that runs here, and how to get something run by another one."""

import asyncio
from asyncio import AbstractEventLoop, Task, current_task
from collections.abc import Callable

__all__ = ["run_in", "running_task", "runs_here"]


def running_task() -> Task[object] | None:
    """Return the asyncio task that runs this code, or None."""
    try:
        return current_task()
    except RuntimeError:  # No asyncio loop runs in this thread.
        return None


def runs_here(loop: AbstractEventLoop) -> bool:
    """Return True when this loop runs in this thread now."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def run_in(loop: AbstractEventLoop, action: Callable[[], object]) -> bool:
    """Run an action in a loop's own thread: now when we are in it, soon otherwise; False when it is closed."""
    if runs_here(loop):
        action()
        return True
    try:
        loop.call_soon_threadsafe(action)
    except RuntimeError:
        return False
    return True
